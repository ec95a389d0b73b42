"""Flapping: bands and confirmation of segmentations, what the criteria say of members that they hold, and full checks.

Members and memberships refer to accounts and segmentations no more: two checks a row were more than half of what it took to
place a million accounts. Whoever deletes either takes the rows along under its locks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C")
INSTANT = TIMESTAMP(timezone=True)
STEADY = {"band": sa.Double(), "confirm": TEXT}
COLUMNS = {
    "segmentations": {**STEADY, "checked_at": INSTANT, "drifted": sa.Integer()},
    "segmentation_versions": STEADY,
    "members": {"rule": TEXT, "held": TEXT, "pending_since": INSTANT},
}
REFERENCES = [(table, of) for table in ("members", "memberships") for of in ("segmentation", "account")]


def upgrade() -> None:
    """Nine columns, an index of the moves that wait, and four references less."""
    for table, columns in COLUMNS.items():
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind))
    for table, of in REFERENCES:
        op.drop_constraint(f"{table}_workspace_id_{of}_id_fk", table)
    with op.get_context().autocommit_block():  # beside those who read and write members
        op.drop_index("members_pending_idx", "members", postgresql_concurrently=True, if_exists=True)
        op.create_index(
            "members_pending_idx", "members", ["workspace_id", "segmentation_id", "pending_since"],
            postgresql_where=sa.text("pending_since IS NOT NULL"), postgresql_concurrently=True,
        )  # fmt: skip


def downgrade() -> None:
    """Without the former and with the latter."""
    for table, of in REFERENCES:
        name, target = f"{table}_workspace_id_{of}_id_fk", f"{of}s"
        op.create_foreign_key(name, table, target, ["workspace_id", f"{of}_id"], ["workspace_id", "id"])
    op.drop_index("members_pending_idx", "members")
    for table, columns in COLUMNS.items():
        for name in columns:
            op.drop_column(table, name)
