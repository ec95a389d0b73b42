"""What an import found, summed up, and when it was last seen at work."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two columns; neither rewrites the table."""
    op.add_column("imports", sa.Column("summary", JSONB, nullable=False, server_default=sa.text("'[]'")))
    op.add_column("imports", sa.Column("alive_at", TIMESTAMP(timezone=True)))


def downgrade() -> None:
    """Without them."""
    op.drop_column("imports", "alive_at")
    op.drop_column("imports", "summary")
