"""What each renewal of a kept forecast is expected to bring, and why."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C")


def upgrade() -> None:
    """A table beside the forecasts."""
    op.create_table(
        "forecast_renewals",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("forecast_id", sa.UUID(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("renewal_id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("product", TEXT),
        sa.Column("lane", TEXT),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("arr", sa.BigInteger(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("expected", sa.BigInteger(), nullable=False),
        sa.Column("expected_net", sa.BigInteger(), nullable=False),
        sa.Column("reasons", ARRAY(sa.Double()), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "forecast_id", "no", name="forecast_renewals_pk"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "forecast_id"], ["forecasts.workspace_id", "forecasts.id"],
            name="forecast_renewals_workspace_id_forecast_id_fk",
        ),
    )  # fmt: skip


def downgrade() -> None:
    """Without it: forecasts keep their totals."""
    op.drop_table("forecast_renewals")
