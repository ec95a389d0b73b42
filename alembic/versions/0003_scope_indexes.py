"""Indexes for what every read asks: which accounts are archived, and contacts by name."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two indexes, one of which holds archived accounts alone."""
    op.create_index(
        "accounts_archived_idx", "accounts", ["workspace_id", "id"], postgresql_where=sa.text("archived_at IS NOT NULL")
    )
    op.create_index("contacts_name_idx", "contacts", ["workspace_id", "name", "id"])


def downgrade() -> None:
    """Without them."""
    op.drop_index("contacts_name_idx", "contacts")
    op.drop_index("accounts_archived_idx", "accounts")
