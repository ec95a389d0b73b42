"""Stays: where an account stands is told by its member alone, memberships are stays that are over, events follow from both.

What ran before reads open stays from memberships and writes events: it cannot run beside this."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C")
INSTANT = TIMESTAMP(timezone=True)
OF = ["workspace_id", "segmentation_id"]
LEFT = [*OF, "segment", "to_at", "account_id"]
# Most members stand where a definition first put them: those have their reason without being written.
REASON = """
UPDATE members m SET reason = h.reason FROM memberships h
WHERE h.workspace_id = m.workspace_id AND h.segmentation_id = m.segmentation_id AND h.account_id = m.account_id
  AND h.from_at = m.since AND h.reason <> 'definition'
"""
# As whoever asks: what the tables hide from them, it hides too. Without conditions, so that those of who asks reach the indexes.
STAYS = """
CREATE VIEW stays WITH (security_invoker = true) AS
SELECT workspace_id, segmentation_id, account_id, segment, from_at, to_at, reason FROM memberships
UNION ALL
SELECT workspace_id, segmentation_id, account_id, segment, since, NULL, reason FROM members
"""
OPENED = """
INSERT INTO memberships (workspace_id, segmentation_id, account_id, segment, from_at, to_at, reason)
SELECT workspace_id, segmentation_id, account_id, segment, since, NULL, reason FROM members
"""
EVENTS = """
INSERT INTO member_events (workspace_id, segmentation_id, account_id, at, was, segment, reason)
SELECT workspace_id, segmentation_id, account_id, from_at,
  lag(segment) OVER (PARTITION BY workspace_id, segmentation_id, account_id ORDER BY from_at), segment, reason
FROM memberships
"""

# All at once: whoever is in the way is met before the work is done, not after it.
ALONE = "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE"


def _index(name: str, table: str, columns: list[str], where: str | None = None) -> None:
    """Beside those who read and write the table."""
    with op.get_context().autocommit_block():
        op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)
        only = {} if where is None else {"postgresql_where": sa.text(where)}
        op.create_index(name, table, columns, postgresql_concurrently=True, **only)


def _drop(name: str, table: str) -> None:
    with op.get_context().autocommit_block():
        op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)


def upgrade() -> None:
    """One column more, one table less, and indexes of what is asked for now, which are made first: the rest locks members."""
    _index("members_entered_idx", "members", [*OF, "segment", "since"])
    _index("members_held_idx", "members", [*OF, "pending_since"], "held IS NOT NULL")
    _index("memberships_left_idx", "memberships", LEFT)
    _drop("members_segment_idx", "members")
    _drop("members_pending_idx", "members")
    op.execute(ALONE.format("members, memberships, member_events"))
    op.add_column("members", sa.Column("reason", TEXT, nullable=False, server_default="definition"))
    op.execute(REASON)
    op.alter_column("members", "reason", server_default=None)
    op.execute("DELETE FROM memberships WHERE to_at IS NULL")
    op.alter_column("memberships", "to_at", nullable=False)
    op.drop_table("member_events")
    op.execute(STAYS)


def downgrade() -> None:
    """Both kinds of stays in memberships again, and events as a table."""
    op.execute("DROP VIEW IF EXISTS stays")
    _index("members_segment_idx", "members", [*OF, "segment", "account_id"])
    _index("members_pending_idx", "members", [*OF, "pending_since"], "pending_since IS NOT NULL")
    _index("memberships_left_idx", "memberships", LEFT, "to_at IS NOT NULL")
    _drop("members_entered_idx", "members")
    _drop("members_held_idx", "members")
    op.execute(ALONE.format("members, memberships"))
    op.alter_column("memberships", "to_at", nullable=True)
    op.execute(OPENED)
    op.drop_column("members", "reason")
    op.create_table(
        "member_events",
        *(sa.Column(name, sa.UUID(), nullable=False) for name in ("workspace_id", "segmentation_id", "account_id")),
        sa.Column("at", INSTANT, nullable=False), sa.Column("was", TEXT),
        sa.Column("segment", TEXT, nullable=False), sa.Column("reason", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "account_id", "segmentation_id", "at", name="member_events_pk"),
    )  # fmt: skip
    op.execute(EVENTS)
