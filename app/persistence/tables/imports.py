"""Imports, what was wrong with their rows, and kept mappings."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from app.persistence.tables.columns import INSTANT, TEXT, tenant

imports = tenant(
    "imports",
    Column("id", UUID(), nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("mapping", JSONB, nullable=False),
    Column("rows", BigInteger, nullable=False, server_default="0"),
    Column("created", BigInteger, nullable=False, server_default="0"),
    Column("updated", BigInteger, nullable=False, server_default="0"),
    Column("unchanged", BigInteger, nullable=False, server_default="0"),
    Column("rejected", BigInteger, nullable=False, server_default="0"),
    Column("warned", BigInteger, nullable=False, server_default="0"),
    Column("detail", TEXT),
    Column("started_at", INSTANT, nullable=False),
    Column("finished_at", INSTANT),
    # each kind of problem once: code, column, message, is_warning, count, lines
    Column("summary", JSONB, nullable=False, server_default=text("'[]'")),
    Column("alive_at", INSTANT),  # when it was last at work: one that is silent for long has been killed
    PrimaryKeyConstraint("workspace_id", "id"),
    CheckConstraint("state IN ('staged', 'running', 'done', 'failed')", "state"),
)
import_errors = tenant(
    "import_errors",
    Column("import_id", UUID(), nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("column", TEXT),
    Column("code", TEXT, nullable=False),
    Column("message", TEXT, nullable=False),
    Column("is_warning", Boolean, nullable=False),
    PrimaryKeyConstraint("workspace_id", "import_id", "line", "seq"),
    ForeignKeyConstraint(["workspace_id", "import_id"], ["imports.workspace_id", "imports.id"]),
)
mappings = tenant(
    "mappings",
    Column("name", TEXT, nullable=False),
    Column("mapping", JSONB, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "name"),
)
