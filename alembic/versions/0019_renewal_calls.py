"""Renewal calls: what people say of renewals, every version of it; and backtests that were computed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, UUID

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C")


def upgrade() -> None:
    """Two tables, and an index of what forecasts said of a renewal."""
    op.create_table(
        "renewal_calls", *(sa.Column(name, UUID(), nullable=False) for name in ("workspace_id", "account_id")),
        sa.Column("version", sa.Integer(), nullable=False), sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("contract_ids", ARRAY(UUID()), nullable=False), sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("category", TEXT), sa.Column("probability", sa.Double()), sa.Column("amount", sa.BigInteger()),
        sa.Column("note", TEXT), sa.Column("csm_id", UUID()), sa.Column("author_id", UUID()),
        sa.Column("called_at", TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "account_id", "version", name="renewal_calls_pk"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.id"],
            name="renewal_calls_workspace_id_account_id_fk",
        ),
        sa.CheckConstraint(
            "category IN ('commit', 'likely', 'best_case', 'at_risk', 'expected_churn')", name="renewal_calls_category_check"
        ),
    )  # fmt: skip
    op.create_index("renewal_calls_due_idx", "renewal_calls", ["workspace_id", "due_on", "account_id", "version"])
    op.create_table(
        "backtests", sa.Column("workspace_id", UUID(), nullable=False), sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False), sa.Column("computed_at", TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "digest", name="backtests_pk"),
    )  # fmt: skip
    op.create_index("forecast_renewals_renewal_idx", "forecast_renewals", ["workspace_id", "renewal_id", "forecast_id"])


def downgrade() -> None:
    """Without them."""
    op.drop_index("forecast_renewals_renewal_idx", "forecast_renewals")
    op.drop_table("backtests")
    op.drop_table("renewal_calls")
