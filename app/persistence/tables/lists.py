"""Saved lists, and who was on those that are watched."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from app.persistence.tables.columns import INSTANT, TEXT, tenant

lists = tenant(
    "lists",
    Column("id", UUID(), nullable=False),
    Column("entity", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("description", TEXT),
    Column("criteria", JSONB, nullable=False),
    Column("columns", ARRAY(TEXT), nullable=False),
    Column("sort", ARRAY(TEXT), nullable=False),
    Column("visibility", TEXT, nullable=False),
    Column("mine", Boolean, nullable=False),
    Column("params", JSONB, nullable=False, server_default=text("'[]'")),
    Column("owner_id", UUID(), nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("folder", TEXT),
    Column("used_at", INSTANT),  # when somebody last asked what it holds, to about a minute
    PrimaryKeyConstraint("workspace_id", "id"),
    ForeignKeyConstraint(["workspace_id", "owner_id"], ["users.workspace_id", "users.id"]),
    CheckConstraint("visibility IN ('private', 'public')", "visibility"),
    CheckConstraint("entity IN ('accounts', 'contacts')", "entity"),
    Index("lists_name_idx", "workspace_id", "name", "id"),
)
list_defaults = tenant(
    "list_defaults",
    Column("user_id", UUID(), nullable=False),
    Column("entity", TEXT, nullable=False),
    Column("list_id", UUID(), nullable=False),
    PrimaryKeyConstraint("workspace_id", "user_id", "entity"),
    ForeignKeyConstraint(["workspace_id", "list_id"], ["lists.workspace_id", "lists.id"]),
    ForeignKeyConstraint(["workspace_id", "user_id"], ["users.workspace_id", "users.id"]),
)
list_favourites = tenant(
    "list_favourites",
    Column("user_id", UUID(), nullable=False),
    Column("list_id", UUID(), nullable=False),
    PrimaryKeyConstraint("workspace_id", "user_id", "list_id"),
    ForeignKeyConstraint(["workspace_id", "list_id"], ["lists.workspace_id", "lists.id"]),
    ForeignKeyConstraint(["workspace_id", "user_id"], ["users.workspace_id", "users.id"]),
    Index("list_favourites_list_idx", "workspace_id", "list_id"),
)
list_workspace_defaults = tenant(
    "list_workspace_defaults",  # what people begin with who have chosen nothing
    Column("entity", TEXT, nullable=False),
    Column("list_id", UUID(), nullable=False),
    PrimaryKeyConstraint("workspace_id", "entity"),
    ForeignKeyConstraint(["workspace_id", "list_id"], ["lists.workspace_id", "lists.id"]),
)
list_watches = tenant(
    "list_watches",
    Column("list_id", UUID(), nullable=False),
    Column("since", INSTANT, nullable=False),
    Column("checked_at", INSTANT, nullable=False),  # up to when who was on the list is known
    Column("asked", LargeBinary, nullable=False),  # SHA-256 of what the list asked for then
    Column("reason", TEXT),  # why it cannot be checked
    PrimaryKeyConstraint("workspace_id", "list_id"),
    ForeignKeyConstraint(["workspace_id", "list_id"], ["lists.workspace_id", "lists.id"]),
)
list_members = tenant(
    "list_members",  # history: [from_at, to_at) that a record was on a watched list
    Column("list_id", UUID(), nullable=False),
    Column("record_id", UUID(), nullable=False),  # no reference: history outlives what it names
    Column("from_at", INSTANT, nullable=False),
    Column("to_at", INSTANT),
    Column("from_cause", TEXT, nullable=False),  # records, or list where its criteria were changed
    Column("to_cause", TEXT),
    PrimaryKeyConstraint("workspace_id", "list_id", "record_id", "from_at"),
    ForeignKeyConstraint(["workspace_id", "list_id"], ["list_watches.workspace_id", "list_watches.list_id"]),
    Index("list_members_open_key", "workspace_id", "list_id", "record_id", unique=True, postgresql_where=text("to_at IS NULL")),
    Index("list_members_from_idx", "workspace_id", "list_id", "from_at", "record_id"),
    Index("list_members_to_idx", "workspace_id", "list_id", "to_at", "record_id", postgresql_where=text("to_at IS NOT NULL")),
)  # fmt: skip
