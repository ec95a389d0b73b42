"""The organisation: its workspace, people, keys, and what it works with."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from app.persistence.tables.columns import INSTANT, TEXT, entity, metadata, tenant

workspaces = Table(
    "workspaces", metadata,
    Column("id", UUID(), primary_key=True),
    Column("slug", TEXT, nullable=False, unique=True),
    Column("name", TEXT, nullable=False),
    Column("currency", TEXT, nullable=False, server_default="USD"),
    Column("minor_digits", SmallInteger, nullable=False, server_default="2"),
    Column("zone", TEXT, nullable=False, server_default="UTC"),
    Column("week_start", SmallInteger, nullable=False, server_default="1"),
    Column("fiscal_month", SmallInteger, nullable=False, server_default="1"),
    Column("health_yellow", Double, nullable=False, server_default="40"),
    Column("health_green", Double, nullable=False, server_default="70"),
    Column("arr_per_csm", BigInteger, nullable=False, server_default="200000000"),
    Column("hours_per_csm", Double, nullable=False, server_default="120"),  # a month
    Column("facts_day", Date, nullable=False),
    Column("scores", JSONB),  # what scores are made of; null: as they are unless told otherwise
    Column("scores_version", Integer, nullable=False, server_default="1"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("created_at", INSTANT, nullable=False),
    info={"kind": "reference"},
)  # fmt: skip

teams = entity("teams", kind="reference")
users = entity("users", UniqueConstraint("workspace_id", "email"), kind="reference")

api_keys = Table(
    "api_keys", metadata,
    Column("workspace_id", UUID(), nullable=False),
    Column("id", UUID(), nullable=False),
    Column("name", TEXT, nullable=False),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("hint", TEXT),  # null where it was made before hints were kept
    Column("role", TEXT, nullable=False),
    Column("user_id", UUID()),
    Column("scopes", ARRAY(TEXT), nullable=False, server_default=text("'{}'")),
    Column("created_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT),
    Column("rotated_at", INSTANT),
    Column("last_used_at", INSTANT),
    Column("revoked_at", INSTANT),
    PrimaryKeyConstraint("workspace_id", "id"),
    ForeignKeyConstraint(["workspace_id"], ["workspaces.id"]),
    ForeignKeyConstraint(["workspace_id", "user_id"], ["users.workspace_id", "users.id"]),
    CheckConstraint("role IN ('admin', 'manager', 'csm', 'viewer', 'service')", "role"),
    info={"kind": "reference"},
)  # fmt: skip
earlier_tokens = Table(
    "earlier_tokens", metadata,  # of keys that were given a new one, until their time is over
    Column("workspace_id", UUID(), nullable=False),
    Column("id", UUID(), nullable=False),
    Column("key_id", UUID(), nullable=False),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("ends_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "id"),
    ForeignKeyConstraint(["workspace_id", "key_id"], ["api_keys.workspace_id", "api_keys.id"]),
    Index("earlier_tokens_key_idx", "workspace_id", "key_id"),
    info={"kind": "reference"},
)  # fmt: skip

industries = entity("industries")
products = entity("products")
stages = entity("stages")
features = entity(
    "features",
    Column("no", SmallInteger, nullable=False),  # what usage rows say instead of the slug
    UniqueConstraint("workspace_id", "no"),
)
scenarios = entity("scenarios")
Index("scenarios_active_key", scenarios.c.workspace_id, unique=True, postgresql_where=text("is_active"))
scenario_versions = tenant(
    "scenario_versions",  # added to, never changed
    Column("scenario_id", UUID(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("impacts", JSONB, nullable=False),
    Column("lanes", JSONB, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("author_id", UUID()),
    Column("created_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "scenario_id", "version"),
    ForeignKeyConstraint(["workspace_id", "scenario_id"], ["scenarios.workspace_id", "scenarios.id"]),
)
attributes = entity(
    "attributes",
    Column("key", TEXT),  # what values are stored under; the slug where there is none
    Column("index_due", Boolean, nullable=False, server_default=text("false")),  # its indexes are to be made or dropped
    Column("index_at", INSTANT),  # when somebody was last at work on them
    UniqueConstraint("workspace_id", "entity", "slug"),
    Index("attributes_due_idx", "workspace_id", "id", postgresql_where=text("index_due")),
)

fiscal_periods = tenant(
    "fiscal_periods",  # a workspace's own fiscal calendar: gapless, in order; both days belong to a period
    Column("year", SmallInteger, nullable=False),
    Column("quarter", SmallInteger, nullable=False),
    Column("period", SmallInteger, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date, nullable=False),
    PrimaryKeyConstraint("workspace_id", "year", "period"),
    UniqueConstraint("workspace_id", "start_date"),
    CheckConstraint("quarter BETWEEN 1 AND 4", "quarter"),
    CheckConstraint("period >= 1", "period"),
    CheckConstraint("start_date <= end_date", "days"),
)
