"""Audit: who did what, kept with the write itself and never changed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C")
INSTANT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """A table that its own owner can only add to: whoever is to change it has to take the right first, which shows."""
    op.create_table(
        "audit",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("reason", TEXT),
        sa.Column("door", TEXT, nullable=False),
        sa.Column("request_id", TEXT),
        sa.Column("actor_id", sa.UUID()),
        sa.Column("role", TEXT),
        sa.Column("credential_id", sa.UUID()),
        sa.Column("operation", TEXT, nullable=False),
        sa.Column("entity", TEXT),
        sa.Column("entity_id", sa.UUID()),
        sa.Column("before", postgresql.JSONB()),
        sa.Column("after", postgresql.JSONB()),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("outcome IN ('done', 'refused')", name="audit_outcome_check"),
        sa.CheckConstraint("door IN ('rest', 'graphql', 'command')", name="audit_door_check"),
        sa.PrimaryKeyConstraint("workspace_id", "at", "id", name="audit_pk"),
    )
    op.create_index("audit_actor_idx", "audit", ["workspace_id", "actor_id", "at", "id"])
    op.create_index("audit_operation_idx", "audit", ["workspace_id", "operation", "at", "id"])
    op.create_index("audit_entity_idx", "audit", ["workspace_id", "entity", "at", "id"])
    op.create_index("audit_entity_id_idx", "audit", ["workspace_id", "entity_id", "at", "id"])
    op.create_index(
        "audit_refused_idx", "audit", ["workspace_id", "at", "id"], postgresql_where=sa.text("outcome = 'refused'")
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON audit FROM CURRENT_USER")


def downgrade() -> None:
    """Without it."""
    op.drop_table("audit")
