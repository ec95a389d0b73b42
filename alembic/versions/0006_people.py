"""Who looked after an account, whom it was met through and what it hung under, since when and by whose hand."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C")
INSTANT = TIMESTAMP(timezone=True)
# What stands now is taken to have stood since the account was made: what it was before is not known.
KEEP = """
INSERT INTO account_changes (workspace_id, account_id, field, value_id, from_at)
SELECT a.workspace_id, a.id, v.field, v.value_id, a.created_at FROM accounts a
CROSS JOIN LATERAL (VALUES ('csm', a.csm_id), ('primary_contact', a.primary_contact_id), ('parent', a.parent_id)) v(field, value_id)
WHERE v.value_id IS NOT NULL
"""


def upgrade() -> None:
    """One table, and what stands as its first rows."""
    op.create_table(
        "account_changes",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("field", TEXT, nullable=False),
        sa.Column("value_id", sa.UUID()),
        sa.Column("from_at", INSTANT, nullable=False),
        sa.Column("to_at", INSTANT),
        sa.Column("actor_id", sa.UUID()),
        sa.PrimaryKeyConstraint("workspace_id", "account_id", "field", "from_at", name=op.f("account_changes_pk")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["accounts.workspace_id", "accounts.id"],
            name=op.f("account_changes_workspace_id_account_id_fk"),
        ),
        sa.CheckConstraint("field IN ('csm', 'primary_contact', 'parent')", name=op.f("account_changes_field_check")),
    )
    op.execute(KEEP)


def downgrade() -> None:
    """Without it."""
    op.drop_table("account_changes")
