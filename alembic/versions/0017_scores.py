"""Scores: what a workspace scores by, what scores were; stages that accounts move through by themselves."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, UUID

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C")
INSTANT = TIMESTAMP(timezone=True)
RULES = {"entry": TEXT, "expected_days": sa.Integer(), "leaves_after_days": sa.Integer()}


def _id(name: str) -> sa.Column[object]:
    return sa.Column(name, UUID(), nullable=False)


def upgrade() -> None:
    """Seven columns and three tables."""
    op.add_column("workspaces", sa.Column("scores", JSONB()))
    op.add_column("workspaces", sa.Column("scores_version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("accounts", sa.Column("health_said", sa.Double()))
    for name, type_ in RULES.items():
        op.add_column("stages", sa.Column(name, type_))
    op.add_column("stage_moves", sa.Column("cause", TEXT, nullable=False, server_default="hand"))
    op.create_table(
        "score_versions", _id("workspace_id"), sa.Column("version", sa.Integer(), nullable=False), sa.Column("scores", JSONB()),
        sa.Column("author_id", UUID()), sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "version", name="score_versions_pk"),
    )  # fmt: skip
    op.create_table(
        "account_scores", _id("workspace_id"), _id("account_id"), sa.Column("day", sa.Date(), nullable=False),
        sa.Column("health", sa.Double()), sa.Column("engagement", sa.Double(), nullable=False),
        sa.Column("consumption", sa.Double(), nullable=False), sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("segment", TEXT), sa.Column("measures", ARRAY(sa.Double())),
        sa.Column("engaged", ARRAY(sa.Integer()), nullable=False), sa.Column("consumed", ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "account_id", "day", name="account_scores_pk"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.id"],
            name="account_scores_workspace_id_account_id_fk",
        ),
    )  # fmt: skip
    op.create_table(
        "stage_verdicts", _id("workspace_id"), _id("account_id"), sa.Column("stage", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "account_id", name="stage_verdicts_pk"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.id"],
            name="stage_verdicts_workspace_id_account_id_fk",
        ),
    )  # fmt: skip


def downgrade() -> None:
    """Without them."""
    for table in ("stage_verdicts", "account_scores", "score_versions"):
        op.drop_table(table)
    op.drop_column("stage_moves", "cause")
    for name in reversed(RULES):
        op.drop_column("stages", name)
    op.drop_column("accounts", "health_said")
    op.drop_column("workspaces", "scores_version")
    op.drop_column("workspaces", "scores")
