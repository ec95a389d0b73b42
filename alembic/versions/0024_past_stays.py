"""Stays that are over get a name of their own; what still asks for the table of before fails, and does not read half of them."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

WAS, NAME = "memberships", "past_stays"
PARTS = ("pk", "entered_idx", "left_idx")


def upgrade() -> None:
    """A table and its indexes; the view of all stays follows by itself."""
    _rename(WAS, NAME)


def downgrade() -> None:
    """As it was."""
    _rename(NAME, WAS)


def _rename(was: str, name: str) -> None:
    op.rename_table(was, name)
    for part in PARTS:
        op.execute(f"ALTER INDEX {was}_{part} RENAME TO {name}_{part}")
