"""Audit: of writes of many records, what changed of each; entries are found by their request."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C")


def upgrade() -> None:
    """A table beside the audit that its own owner can only add to."""
    op.create_table(
        "audit_records",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.Column("at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("audit_id", sa.UUID(), nullable=False),
        sa.Column("entity", TEXT, nullable=False),
        sa.Column("before", JSONB()),
        sa.Column("after", JSONB()),
        sa.PrimaryKeyConstraint("workspace_id", "record_id", "at", "audit_id", name="audit_records_pk"),
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON audit_records FROM CURRENT_USER")
    with op.get_context().autocommit_block():  # beside those who write the audit
        for name in ("audit_request_idx", "audit_imports_idx"):
            op.drop_index(name, "audit", postgresql_concurrently=True, if_exists=True)
        op.create_index(
            "audit_request_idx", "audit", ["workspace_id", "request_id", "at", "id"], postgresql_concurrently=True
        )
        op.create_index(
            "audit_imports_idx", "audit", ["workspace_id", "entity_id"], postgresql_concurrently=True,
            postgresql_where=sa.text("entity = 'imports' AND before IS NULL"),
        )  # fmt: skip


def downgrade() -> None:
    """Without it."""
    op.drop_index("audit_imports_idx", table_name="audit")
    op.drop_index("audit_request_idx", table_name="audit")
    op.drop_table("audit_records")
