"""Attributes: what their values are stored under, and the state of their indexes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C")


def upgrade() -> None:
    """Columns that older code does without: an attribute without a key is stored under its slug."""
    op.add_column("attributes", sa.Column("key", TEXT))
    op.add_column("attributes", sa.Column("index_state", TEXT))
    op.add_column("attributes", sa.Column("index_due", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("attributes", sa.Column("index_at", postgresql.TIMESTAMP(timezone=True)))
    op.create_check_constraint(
        op.f("attributes_index_state_check"), "attributes", "index_state IN ('building', 'ready', 'failed')"
    )
    op.create_index("attributes_due_idx", "attributes", ["workspace_id", "id"], postgresql_where=sa.text("index_due"))


def downgrade() -> None:
    """Without them."""
    op.drop_index("attributes_due_idx", "attributes")
    op.drop_constraint(op.f("attributes_index_state_check"), "attributes")
    for column in ("index_at", "index_due", "index_state", "key"):
        op.drop_column("attributes", column)
