"""Lifecycle: a move says what it left, since when it had stood there, and why."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C")
# What was moved before this was kept leaves what the move before it entered.
CHAIN = """
UPDATE stage_moves m SET was = l.stage, was_since = l.moved_at FROM (
  SELECT b.workspace_id, b.id, lag(b.stage) OVER w AS stage, lag(b.moved_at) OVER w AS moved_at FROM stage_moves b
  WINDOW w AS (PARTITION BY b.workspace_id, b.account_id ORDER BY b.moved_at, b.id)
) l WHERE m.workspace_id = l.workspace_id AND m.id = l.id AND l.moved_at IS NOT NULL
"""


def upgrade() -> None:
    """Three columns, filled from what is there; none rewrites the table."""
    op.add_column("stage_moves", sa.Column("was", TEXT))
    op.add_column("stage_moves", sa.Column("was_since", TIMESTAMP(timezone=True)))
    op.add_column("stage_moves", sa.Column("note", TEXT))
    op.execute(CHAIN)


def downgrade() -> None:
    """Without them."""
    op.drop_column("stage_moves", "note")
    op.drop_column("stage_moves", "was_since")
    op.drop_column("stage_moves", "was")
