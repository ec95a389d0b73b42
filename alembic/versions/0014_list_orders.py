"""Indexes in the orders of ready-made lists: a page of a million accounts costs what one of ten thousand does."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ORDERS = {
    "accounts_stage_since_idx": ["stage", "stage_since", "name", "id"],
    "accounts_renewal_arr_idx": ["renewal_date", sa.text("arr DESC"), sa.text("id DESC")],
    "accounts_became_customer_name_idx": [sa.text("became_customer_at DESC"), "name", "id"],
}


def upgrade() -> None:
    """Three indexes, and one of what is owed alone."""
    with op.get_context().autocommit_block():  # beside those who write accounts
        for name, order in ORDERS.items():
            op.drop_index(name, "accounts", postgresql_concurrently=True, if_exists=True)
            op.create_index(name, "accounts", ["workspace_id", *order], postgresql_concurrently=True)
        op.drop_index("accounts_open_invoices_idx", "accounts", postgresql_concurrently=True, if_exists=True)
        op.create_index(
            "accounts_open_invoices_idx", "accounts", ["workspace_id", sa.text("open_invoices_amount DESC"), "name", "id"],
            postgresql_where=sa.text("open_invoices_amount > 0"), postgresql_concurrently=True,
        )  # fmt: skip


def downgrade() -> None:
    """Without them."""
    for name in ("accounts_open_invoices_idx", *ORDERS):
        op.drop_index(name, "accounts")
