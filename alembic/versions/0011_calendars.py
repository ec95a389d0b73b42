"""Fiscal calendars: the periods of a workspace's fiscal years as rows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table."""
    op.create_table(
        "fiscal_periods", sa.Column("workspace_id", UUID(), nullable=False),
        *(sa.Column(name, sa.SmallInteger(), nullable=False) for name in ("year", "quarter", "period")),
        *(sa.Column(name, sa.Date(), nullable=False) for name in ("start_date", "end_date")),
        sa.PrimaryKeyConstraint("workspace_id", "year", "period", name="fiscal_periods_pk"),
        sa.UniqueConstraint("workspace_id", "start_date", name="fiscal_periods_workspace_id_start_date_key"),
        sa.CheckConstraint("quarter BETWEEN 1 AND 4", name="fiscal_periods_quarter_check"),
        sa.CheckConstraint("period >= 1", name="fiscal_periods_period_check"),
        sa.CheckConstraint("start_date <= end_date", name="fiscal_periods_days_check"),
    )  # fmt: skip


def downgrade() -> None:
    """Without it."""
    op.drop_table("fiscal_periods")
