"""Ranks: the cut-offs that they are compared by; moves between segments found by when they were."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C")


def upgrade() -> None:
    """A table, and two indexes of a history that is small beside what it is about."""
    op.create_table(
        "rank_cuts",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("entity", TEXT, nullable=False),
        sa.Column("field", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("fn", TEXT, nullable=False),
        sa.Column("at", sa.Numeric(), nullable=False),
        sa.Column("groups", JSONB(), nullable=False),
        sa.Column("computed_at", TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "entity", "field", "by", "fn", "at", name="rank_cuts_pk"),
    )
    op.create_index("rank_cuts_computed_idx", "rank_cuts", ["workspace_id", "computed_at"])
    columns = ["workspace_id", "segmentation_id", "segment"]
    op.create_index("memberships_entered_idx", "memberships", [*columns, "from_at", "account_id"])
    op.create_index(
        "memberships_left_idx", "memberships", [*columns, "to_at", "account_id"],
        postgresql_where=sa.text("to_at IS NOT NULL"),
    )  # fmt: skip


def downgrade() -> None:
    """Without them: ranks are computed anew."""
    op.drop_index("memberships_left_idx", "memberships")
    op.drop_index("memberships_entered_idx", "memberships")
    op.drop_table("rank_cuts")
