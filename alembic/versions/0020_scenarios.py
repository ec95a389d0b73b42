"""Scenarios: their versions, each as it was, by whom and when."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C")


def upgrade() -> None:
    """A table that is added to; what stands is its first rows."""
    op.create_table(
        "scenario_versions",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("scenario_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("impacts", JSONB(), nullable=False),
        sa.Column("lanes", JSONB(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("author_id", sa.UUID()),
        sa.Column("created_at", TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "scenario_id", "version", name="scenario_versions_pk"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "scenario_id"], ["scenarios.workspace_id", "scenarios.id"],
            name="scenario_versions_workspace_id_scenario_id_fk",
        ),
    )  # fmt: skip
    op.execute(
        "INSERT INTO scenario_versions (workspace_id, scenario_id, version, name, impacts, lanes, is_active, created_at) "
        "SELECT workspace_id, id, version, name, impacts, lanes, is_active, updated_at FROM scenarios"
    )


def downgrade() -> None:
    """Without it."""
    op.drop_table("scenario_versions")
