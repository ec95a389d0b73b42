"""Segmentations: versions, drafts, cuts taken anew on schedule; membership: pins and events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C")
INSTANT = TIMESTAMP(timezone=True)
OF = ["workspace_id", "segmentation_id"]
TARGET = ["segmentations.workspace_id", "segmentations.id"]
# What stands is the only version that is known of what was defined before.
KEEP = """
INSERT INTO segmentation_versions (workspace_id, segmentation_id, version, name, kind, spec, segments, rest, cuts, cause, created_at)
SELECT s.workspace_id, s.id, s.version, s.name, s.kind, s.spec, s.segments, s.rest, s.cuts, 'put', s.updated_at FROM segmentations s
"""


def _id(name: str) -> sa.Column[object]:
    return sa.Column(name, UUID(), nullable=False)


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, INSTANT, nullable=False)


def _text(name: str) -> sa.Column[object]:
    return sa.Column(name, TEXT, nullable=False)


def upgrade() -> None:
    """Three columns and four tables."""
    op.add_column("segmentations", sa.Column("refreeze", TEXT))
    op.add_column("segmentations", sa.Column("as_of", INSTANT))
    op.add_column("segmentations", sa.Column("detail", TEXT))
    op.create_table(
        "segmentation_versions", _id("workspace_id"), _id("segmentation_id"), sa.Column("version", sa.Integer(), nullable=False),
        _text("name"), _text("kind"), *(sa.Column(name, JSONB(), nullable=False) for name in ("spec", "segments", "cuts")),
        _text("rest"), sa.Column("refreeze", TEXT), _text("cause"), sa.Column("restores", sa.Integer()),
        sa.Column("author_id", UUID()), sa.Column("note", TEXT), _instant("created_at"),
        sa.PrimaryKeyConstraint(*OF, "version", name="segmentation_versions_pk"),
        sa.ForeignKeyConstraint(OF, TARGET, name="segmentation_versions_workspace_id_segmentation_id_fk"),
        sa.CheckConstraint("cause IN ('put', 'publish', 'rollback', 'refreeze')", name="segmentation_versions_cause_check"),
    )  # fmt: skip
    op.execute(KEEP)
    op.create_table(
        "segmentation_drafts", _id("workspace_id"), _text("slug"), sa.Column("body", JSONB(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"), sa.Column("author_id", UUID()),
        _instant("created_at"), _instant("updated_at"),
        sa.PrimaryKeyConstraint("workspace_id", "slug", name="segmentation_drafts_pk"),
    )  # fmt: skip
    op.create_table(
        "pins", _id("workspace_id"), _id("segmentation_id"), _id("account_id"), _text("segment"), _text("reason"),
        sa.Column("author_id", UUID()), _instant("pinned_at"), sa.Column("expires_at", INSTANT),
        sa.PrimaryKeyConstraint(*OF, "account_id", name="pins_pk"),
        sa.ForeignKeyConstraint(OF, TARGET, name="pins_workspace_id_segmentation_id_fk"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.id"], name="pins_workspace_id_account_id_fk"
        ),
    )  # fmt: skip
    op.create_index("pins_account_idx", "pins", ["workspace_id", "account_id"])
    op.create_index(
        "pins_expires_idx", "pins", ["workspace_id", "expires_at"], postgresql_where=sa.text("expires_at IS NOT NULL")
    )
    op.create_table(
        "member_events", _id("workspace_id"), _id("segmentation_id"), _id("account_id"), _instant("at"), sa.Column("was", TEXT),
        _text("segment"), _text("reason"),
        sa.PrimaryKeyConstraint("workspace_id", "account_id", "segmentation_id", "at", name="member_events_pk"),
    )  # fmt: skip


def downgrade() -> None:
    """Without them."""
    for table in ("member_events", "pins", "segmentation_drafts", "segmentation_versions"):
        op.drop_table(table)
    for column in ("detail", "as_of", "refreeze"):
        op.drop_column("segmentations", column)
