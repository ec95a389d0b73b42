"""Cuts that a workspace began with, and that nobody has defined anew, say that they are starting values."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# What was made in the moment in which its workspace was, and is in its first version still.
MARK = """
UPDATE segmentations s SET cuts = (
  SELECT jsonb_agg(CASE WHEN jsonb_typeof(e.c -> 'accounts') = 'null' THEN e.c || '{"starting": true}' ELSE e.c END ORDER BY e.n)
  FROM jsonb_array_elements(s.cuts) WITH ORDINALITY e(c, n)
) FROM workspaces w
WHERE w.id = s.workspace_id AND s.slug IN ('tier', 'portfolio') AND s.version = 1 AND s.created_at = w.created_at
"""
FORGET = """
UPDATE segmentations s SET cuts = (
  SELECT jsonb_agg(e.c - 'starting' ORDER BY e.n) FROM jsonb_array_elements(s.cuts) WITH ORDINALITY e(c, n)
) WHERE s.cuts @> '[{"starting": true}]'
"""


def upgrade() -> None:
    """What is there already is marked; whoever writes meanwhile waits for two rows of each workspace."""
    op.execute(MARK)


def downgrade() -> None:
    """Without the mark."""
    op.execute(FORGET)
