"""Accounts by type are read from an index, and the quiet ones counted from one; two indexes cost writes less."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

SHOWN = ["renewal_date", "health", "stage", "region", "status", "csm_id"]
QUIET, PARENT = "accounts_last_interaction_at_idx", "accounts_parent_id_idx"
CAME, TYPE = "accounts_became_customer_at_idx", "accounts_type_arr_idx"


def upgrade() -> None:
    """One index more, one less; one also tells who is archived, one holds those with a parent alone."""
    with op.get_context().autocommit_block():  # beside those who write accounts
        _anew(TYPE, ["type", "arr"], postgresql_include=SHOWN, postgresql_where=sa.text("archived_at IS NULL"))
        _anew(QUIET, ["last_interaction_at"], postgresql_include=["archived_at"])
        _anew(PARENT, ["parent_id"], postgresql_where=sa.text("parent_id IS NOT NULL"))
        op.drop_index(CAME, "accounts", postgresql_concurrently=True, if_exists=True)


def _anew(name: str, columns: list[str], **options: object) -> None:
    """In the place of what has the name, which is read until the other is there."""
    making = f"{name}_next"
    op.drop_index(making, "accounts", postgresql_concurrently=True, if_exists=True)
    op.create_index(making, "accounts", ["workspace_id", *columns, "id"], postgresql_concurrently=True, **options)
    op.drop_index(name, "accounts", postgresql_concurrently=True, if_exists=True)
    op.execute(f"ALTER INDEX {making} RENAME TO {name}")


def downgrade() -> None:
    """As it was."""
    op.drop_index(TYPE, "accounts")
    for name, column in ((QUIET, "last_interaction_at"), (PARENT, "parent_id")):
        op.drop_index(name, "accounts")
        op.create_index(name, "accounts", ["workspace_id", column, "id"])
    op.create_index(CAME, "accounts", ["workspace_id", "became_customer_at", "id"])
