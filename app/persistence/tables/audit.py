"""What was done and by whom, and answers of writes that may be sent again."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from app.persistence.tables.columns import INSTANT, TEXT, tenant

idempotency_keys = tenant(
    "idempotency_keys",
    Column("credential_id", UUID(), nullable=False),
    Column("key", TEXT, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # SHA-256 of operation and payload
    Column("answer", LargeBinary, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "credential_id", "key"),
    Index("idempotency_keys_created_idx", "workspace_id", "created_at"),
)
audit = tenant(
    "audit",  # added to and read, never changed: the migration takes the right away
    Column("id", UUID(), nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("outcome", TEXT, nullable=False),
    Column("reason", TEXT),  # of what was refused: the problem's name
    Column("door", TEXT, nullable=False),
    Column("request_id", TEXT),
    Column("actor_id", UUID()),  # the user, or the key of a service; null for the command line
    Column("role", TEXT),
    Column("credential_id", UUID()),
    Column("operation", TEXT, nullable=False),
    Column("entity", TEXT),
    Column("entity_id", UUID()),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("times", Integer, nullable=False, server_default="1"),  # equal attempts that were refused one after another
    PrimaryKeyConstraint("workspace_id", "at", "id"),
    CheckConstraint("outcome IN ('done', 'refused')", "outcome"),
    CheckConstraint("door IN ('rest', 'graphql', 'command')", "door"),
    Index("audit_actor_idx", "workspace_id", "actor_id", "at", "id"),
    Index("audit_operation_idx", "workspace_id", "operation", "at", "id"),
    Index("audit_entity_idx", "workspace_id", "entity", "at", "id"),
    Index("audit_entity_id_idx", "workspace_id", "entity_id", "at", "id"),
    Index("audit_request_idx", "workspace_id", "request_id", "at", "id"),
    Index(
        "audit_imports_idx", "workspace_id", "entity_id", postgresql_where=text("entity = 'imports' AND before IS NULL")
    ),
    Index("audit_refused_idx", "workspace_id", "at", "id", postgresql_where=text("outcome = 'refused'")),
)
audit_records = tenant(
    "audit_records",  # of an entry that tells of many, what became of each; added to and read, as the audit is
    Column("record_id", UUID(), nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("audit_id", UUID(), nullable=False),
    Column("entity", TEXT, nullable=False),
    Column("before", JSONB),  # by column, each value as PostgreSQL writes it as text
    Column("after", JSONB),
    PrimaryKeyConstraint("workspace_id", "record_id", "at", "audit_id"),
)
