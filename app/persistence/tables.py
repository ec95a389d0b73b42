"""The schema on one page. Columns of entities come from the catalogue; the rest is said here.

`Table.info["kind"]`: `tenant` holds rows of a workspace, `reference` is small and rarely written, `local` never leaves
the coordinator. In a tenant table `workspace_id` comes first and is part of every key.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    desc,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID
from sqlalchemy.types import TypeEngine

from app.domain.catalogue import ENTITIES, Field

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fk",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)

TEXT = Text(collation="C")
INSTANT = TIMESTAMP(timezone=True)
TYPES: dict[str, TypeEngine[Any]] = {
    "text": TEXT, "enum": TEXT, "slug": TEXT, "number": Double(), "integer": Integer(), "money": BigInteger(),
    "date": Date(), "instant": INSTANT, "bool": Boolean(), "tags": ARRAY(TEXT), "json": JSONB(), "id": UUID(), "ref": UUID(),
}  # fmt: skip
GENERATED = {
    ("accounts", "mrr"): "round(arr / 12.0)::bigint",
    ("accounts", "margin"): "arr - cost_to_serve",
    ("accounts", "seat_utilisation"): (
        "CASE WHEN seats_licensed > 0 AND seats_active IS NOT NULL THEN least(1::double precision, "
        "seats_active::double precision / seats_licensed::double precision) ELSE NULL::double precision END"
    ),
}


def _default(field: Field) -> str | None:
    if field.optional:
        return None
    if field.initial is not None:
        return repr(field.initial)
    if field.kind == "bool":
        return "false"
    if field.kind == "tags":
        return "'{}'"
    return "0" if field.derived and field.kind in ("money", "number", "integer") else None


def _column(table: str, field: Field) -> Column[Any]:
    generated = GENERATED.get((table, field.name))
    if generated:
        return Column(field.column, TYPES[field.kind], Computed(generated, persisted=True), nullable=field.optional)
    default = _default(field)
    return Column(
        field.column, TYPES[field.kind], nullable=field.optional, server_default=text(default) if default else None
    )


def _by_hand(field: Field) -> Column[Any]:
    """What was set by hand, kept apart from what follows from related records."""
    return Column(f"{field.name}_by_hand", TYPES[field.kind])


def _checks(field: Field) -> list[CheckConstraint]:
    if field.values:
        return [CheckConstraint(f"{field.name} IN ({', '.join(repr(v) for v in field.values)})", field.name)]
    return []


def _references(field: Field) -> list[ForeignKeyConstraint]:
    if field.target is None or (field.derived and field.kind == "ref"):
        return []  # accounts and contacts refer to each other: the derived side has no constraint
    to = "slug" if field.kind == "slug" else "id"
    return [
        ForeignKeyConstraint(["workspace_id", field.column], [f"{field.target}.workspace_id", f"{field.target}.{to}"])
    ]


def _workspace() -> Column[Any]:
    return Column("workspace_id", UUID(), nullable=False)


def _entity(name: str, *extra: Any, kind: str = "tenant") -> Table:
    """The table of a catalogue's entity: its fields, what is set by hand, its checks and references."""
    declared = ENTITIES[name]
    fields = list(declared.fields.values())
    return Table(
        name, metadata, _workspace(),
        *(_column(name, f) for f in fields),
        *(_by_hand(f) for f in fields if f.fallback and name == "accounts"),
        *(c for f in fields for c in _checks(f)),
        *(c for f in fields for c in _references(f)),
        PrimaryKeyConstraint("workspace_id", "id"),
        UniqueConstraint("workspace_id", "external_id"),
        *([UniqueConstraint("workspace_id", "slug")] if declared.key == "slug" else []),
        *extra,
        info={"kind": kind},
    )  # fmt: skip


def _tenant(name: str, *parts: Any, **options: Any) -> Table:
    return Table(name, metadata, _workspace(), *parts, info={"kind": "tenant"}, **options)


# -- reference ---------------------------------------------------------------------------------------------------------

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

teams = _entity("teams", kind="reference")
users = _entity("users", UniqueConstraint("workspace_id", "email"), kind="reference")

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

# -- what an organisation works with -----------------------------------------------------------------------------------

industries = _entity("industries")
products = _entity("products")
stages = _entity("stages")
features = _entity(
    "features",
    Column("no", SmallInteger, nullable=False),  # what usage rows say instead of the slug
    UniqueConstraint("workspace_id", "no"),
)
scenarios = _entity("scenarios")
Index("scenarios_active_key", scenarios.c.workspace_id, unique=True, postgresql_where=text("is_active"))
scenario_versions = _tenant(
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
attributes = _entity(
    "attributes",
    Column("key", TEXT),  # what values are stored under; the slug where there is none
    Column("index_due", Boolean, nullable=False, server_default=text("false")),  # its indexes are to be made or dropped
    Column("index_at", INSTANT),  # when somebody was last at work on them
    UniqueConstraint("workspace_id", "entity", "slug"),
    Index("attributes_due_idx", "workspace_id", "id", postgresql_where=text("index_due")),
)

fiscal_periods = _tenant(
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

# -- accounts and what is related to them ------------------------------------------------------------------------------

accounts = _entity("accounts", Column("health_said", Double))  # by hand, before the workspace's own model gave health
for _name in (
    "name", "arr", "renewal_date", "churned_at", "health", "csm_id", "stage", "industry",
):  # fmt: skip
    Index(f"accounts_{_name}_idx", accounts.c.workspace_id, accounts.c[_name], accounts.c.id)
Index(
    "accounts_parent_id_idx", accounts.c.workspace_id, accounts.c.parent_id, accounts.c.id,
    postgresql_where=text("parent_id IS NOT NULL"),
)  # fmt: skip  # looked up, never sorted by: most accounts have none, and their changes need not enter it
Index(
    "accounts_last_interaction_at_idx", accounts.c.workspace_id, accounts.c.last_interaction_at, accounts.c.id,
    postgresql_include=["archived_at"],
)  # fmt: skip  # the quiet ones are counted without reading the table
Index(
    "accounts_type_arr_idx", accounts.c.workspace_id, accounts.c.type, accounts.c.arr, accounts.c.id,
    postgresql_where=text("archived_at IS NULL"),
    postgresql_include=["renewal_date", "health", "stage", "region", "status", "csm_id"],
)  # fmt: skip  # pages and summaries of one type of account: without it they walk all by ARR, or read the table
Index(
    "accounts_archived_idx", accounts.c.workspace_id, accounts.c.id, postgresql_where=text("archived_at IS NOT NULL")
)  # contacts and related records of archived accounts are left out by it
Index(
    "accounts_summary_idx", accounts.c.workspace_id, accounts.c.id, postgresql_where=text("archived_at IS NULL"),
    postgresql_include=["stage", "status", "industry", "csm_id", "health_band", "health", "arr"],
)  # fmt: skip  # what lists are summed up by: those columns alone are a third of the table
# The orders of ready-made lists: by day alone, thousands of a million accounts would share a place.
Index(
    "accounts_stage_since_idx", accounts.c.workspace_id, accounts.c.stage, accounts.c.stage_since, accounts.c.name, accounts.c.id
)  # fmt: skip
Index(
    "accounts_renewal_arr_idx", accounts.c.workspace_id, accounts.c.renewal_date, desc(accounts.c.arr), desc(accounts.c.id)
)  # fmt: skip
Index(
    "accounts_became_customer_name_idx", accounts.c.workspace_id, desc(accounts.c.became_customer_at), accounts.c.name, accounts.c.id
)  # fmt: skip
Index(
    "accounts_open_invoices_idx", accounts.c.workspace_id, desc(accounts.c.open_invoices_amount), accounts.c.name, accounts.c.id,
    postgresql_where=text("open_invoices_amount > 0"),
)  # fmt: skip
Index("accounts_custom_idx", accounts.c.custom, postgresql_using="gin", postgresql_ops={"custom": "jsonb_path_ops"})


def _related(name: str) -> Table:
    """A table whose rows belong to an account, indexed for the latest rows of one account and of the workspace."""
    table, time = _entity(name), ENTITIES[name].time_field
    latest = [desc(table.c[str(time)]), desc(table.c.id)]
    Index(f"{name}_account_idx", table.c.workspace_id, table.c.account_id, *latest)
    Index(f"{name}_time_idx", table.c.workspace_id, *latest)
    if "contact" in ENTITIES[name].fields:
        Index(f"{name}_contact_idx", table.c.workspace_id, table.c.contact_id, *latest)
    return table


contacts = _related("contacts")
contracts = _related("contracts")
opportunities = _related("opportunities")
interactions = _related("interactions")
invoices = _related("invoices")
surveys = _related("surveys")
tickets = _related("tickets")
requests = _related("requests")
sentiments = _related("sentiments")
churns = _related("churns")
Index("contacts_primary_idx", contacts.c.workspace_id, contacts.c.account_id, postgresql_where=text("is_primary"))
Index("contacts_name_idx", contacts.c.workspace_id, contacts.c.name, contacts.c.id)
Index("contacts_email_idx", contacts.c.workspace_id, contacts.c.email)
Index(
    "invoices_open_idx", invoices.c.workspace_id, invoices.c.account_id,
    postgresql_where=text("status IN ('unpaid', 'failed')"),
)  # fmt: skip

usage_days = _tenant(
    "usage_days",
    Column("account_id", UUID(), nullable=False),
    Column("day", Date, nullable=False),
    Column("features", ARRAY(SmallInteger), nullable=False),  # three arrays of one length: a row each of the language
    Column("contacts", ARRAY(UUID()), nullable=False),  # null where the usage is nobody's in particular
    Column("amounts", ARRAY(Double), nullable=False),
    PrimaryKeyConstraint("workspace_id", "account_id", "day"),
    ForeignKeyConstraint(["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.id"]),
    postgresql_partition_by="RANGE (day)",
)
usage_windows = _tenant(
    "usage_windows",  # sums right for workspaces.facts_day
    Column("account_id", UUID(), nullable=False),
    Column("feature", SmallInteger, nullable=False),
    Column("last_7", Double, nullable=False),
    Column("last_30", Double, nullable=False),
    Column("last_90", Double, nullable=False),
    Column("before_30", Double, nullable=False),  # the 30 days before the last 30
    PrimaryKeyConstraint("workspace_id", "account_id", "feature"),
    ForeignKeyConstraint(["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.id"]),
)
stage_moves = _tenant(
    "stage_moves",
    Column("id", UUID(), nullable=False),
    Column("account_id", UUID(), nullable=False),
    Column("stage", TEXT),
    Column("moved_at", INSTANT, nullable=False),
    Column("actor_id", UUID()),
    Column("was", TEXT),  # the stage that it left, and since when it had stood there; null for the first move
    Column("was_since", INSTANT),
    Column("note", TEXT),
    Column("cause", TEXT, nullable=False, server_default="hand"),  # hand, criteria or time
    PrimaryKeyConstraint("workspace_id", "id"),
    ForeignKeyConstraint(["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.id"]),
    Index("stage_moves_account_idx", "workspace_id", "account_id", "moved_at"),
)
stage_verdicts = _tenant(
    "stage_verdicts",  # the furthest stage whose entry criteria hold, as of the last look: a move by hand stands until it changes
    Column("account_id", UUID(), nullable=False),
    Column("stage", TEXT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "account_id"),
    ForeignKeyConstraint(["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.id"]),
)

score_versions = _tenant(
    "score_versions",  # added to, never changed; the first one, of no row, is what scores are made of unless told otherwise
    Column("version", Integer, nullable=False),
    Column("scores", JSONB),
    Column("author_id", UUID()),
    Column("created_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "version"),
)
account_scores = _tenant(
    "account_scores",  # scores and what they were made of, as they stood when a day ended on which they changed
    Column("account_id", UUID(), nullable=False),
    Column("day", Date, nullable=False),
    Column("health", Double),
    Column("engagement", Double, nullable=False),
    Column("consumption", Double, nullable=False),
    Column("version", Integer, nullable=False),  # of score_versions
    Column("segment", TEXT),  # whose weights health was made with
    Column(
        "measures", ARRAY(Double)
    ),  # values of the measures of health, in their order; null where it comes from outside
    Column("engaged", ARRAY(Integer), nullable=False),  # inbound, meetings, events, opened
    Column("consumed", ARRAY(Integer), nullable=False),  # days, features, of all, modules, of all, users, seats
    PrimaryKeyConstraint("workspace_id", "account_id", "day"),
    ForeignKeyConstraint(["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.id"]),
)

account_changes = _tenant(
    "account_changes",  # history: [from_at, to_at) that a reference of the account was this, null where it was none
    Column("account_id", UUID(), nullable=False),
    Column("field", TEXT, nullable=False),
    Column("value_id", UUID()),  # no reference: history outlives what it names
    Column("from_at", INSTANT, nullable=False),
    Column("to_at", INSTANT),
    Column("actor_id", UUID()),
    PrimaryKeyConstraint("workspace_id", "account_id", "field", "from_at"),
    ForeignKeyConstraint(["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.id"]),
    CheckConstraint("field IN ('csm', 'primary_contact', 'parent')", "field"),
)

# -- lists and segments ------------------------------------------------------------------------------------------------

lists = _tenant(
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
list_defaults = _tenant(
    "list_defaults",
    Column("user_id", UUID(), nullable=False),
    Column("entity", TEXT, nullable=False),
    Column("list_id", UUID(), nullable=False),
    PrimaryKeyConstraint("workspace_id", "user_id", "entity"),
    ForeignKeyConstraint(["workspace_id", "list_id"], ["lists.workspace_id", "lists.id"]),
    ForeignKeyConstraint(["workspace_id", "user_id"], ["users.workspace_id", "users.id"]),
)
list_favourites = _tenant(
    "list_favourites",
    Column("user_id", UUID(), nullable=False),
    Column("list_id", UUID(), nullable=False),
    PrimaryKeyConstraint("workspace_id", "user_id", "list_id"),
    ForeignKeyConstraint(["workspace_id", "list_id"], ["lists.workspace_id", "lists.id"]),
    ForeignKeyConstraint(["workspace_id", "user_id"], ["users.workspace_id", "users.id"]),
    Index("list_favourites_list_idx", "workspace_id", "list_id"),
)
list_workspace_defaults = _tenant(
    "list_workspace_defaults",  # what people begin with who have chosen nothing
    Column("entity", TEXT, nullable=False),
    Column("list_id", UUID(), nullable=False),
    PrimaryKeyConstraint("workspace_id", "entity"),
    ForeignKeyConstraint(["workspace_id", "list_id"], ["lists.workspace_id", "lists.id"]),
)
list_watches = _tenant(
    "list_watches",
    Column("list_id", UUID(), nullable=False),
    Column("since", INSTANT, nullable=False),
    Column("checked_at", INSTANT, nullable=False),  # up to when who was on the list is known
    Column("asked", LargeBinary, nullable=False),  # SHA-256 of what the list asked for then
    Column("reason", TEXT),  # why it cannot be checked
    PrimaryKeyConstraint("workspace_id", "list_id"),
    ForeignKeyConstraint(["workspace_id", "list_id"], ["lists.workspace_id", "lists.id"]),
)
list_members = _tenant(
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
segmentations = _tenant(
    "segmentations",
    Column("id", UUID(), nullable=False),
    Column("slug", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("spec", JSONB, nullable=False),
    Column("segments", JSONB, nullable=False),  # ordered: {slug, name, criteria, colour, engagement}
    Column("rest", TEXT, nullable=False),
    Column("cuts", JSONB, nullable=False),  # what percentile and median cuts were frozen at, and when
    Column("version", Integer, nullable=False, server_default="1"),
    Column("state", TEXT, nullable=False),
    Column("computed_at", INSTANT),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("refreeze", TEXT),  # how often cuts are taken anew; null: when it is defined anew
    Column("as_of", INSTANT),  # up to when members were moved by time alone
    Column("detail", TEXT),  # why it is broken or degraded
    Column("band", Double()),  # share of a cut by which a number may leave it while its account stays
    Column("confirm", TEXT),  # how long a move waits: 36h, 2d, 1w
    Column("checked_at", INSTANT),  # when a full evaluation was last compared with the members
    Column("drifted", Integer),  # memberships that were not what it said, and were mended
    PrimaryKeyConstraint("workspace_id", "id"),
    UniqueConstraint("workspace_id", "slug"),
)
segmentation_versions = _tenant(
    "segmentation_versions",  # added to, never changed
    Column("segmentation_id", UUID(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("spec", JSONB, nullable=False),
    Column("segments", JSONB, nullable=False),
    Column("cuts", JSONB, nullable=False),
    Column("rest", TEXT, nullable=False),
    Column("refreeze", TEXT),
    Column("band", Double()),
    Column("confirm", TEXT),
    Column("cause", TEXT, nullable=False),
    Column("restores", Integer),  # the version that a rollback brought back
    Column("author_id", UUID()),  # null for a service, and where time took cuts anew
    Column("note", TEXT),
    Column("created_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "segmentation_id", "version"),
    ForeignKeyConstraint(["workspace_id", "segmentation_id"], ["segmentations.workspace_id", "segmentations.id"]),
    CheckConstraint("cause IN ('put', 'publish', 'rollback', 'refreeze')", "cause"),
)
segmentation_drafts = _tenant(
    "segmentation_drafts",  # bodies that nothing is placed by yet; there may be no segmentation of this slug
    Column("slug", TEXT, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("author_id", UUID()),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "slug"),
)
members = _tenant(
    "members",  # stays that last; no references, nor in memberships: written a million at a time, deleted with what they are of
    Column("segmentation_id", UUID(), nullable=False),
    Column("account_id", UUID(), nullable=False),
    Column("segment", TEXT, nullable=False),
    Column("since", INSTANT, nullable=False),
    Column("reason", TEXT, nullable=False),  # why it stands there
    Column("rule", TEXT),  # where the criteria put it, where that is elsewhere
    Column("held", TEXT),  # and what keeps it here: pin, band, confirmation
    Column("pending_since", INSTANT),  # since when its move waits to be confirmed
    PrimaryKeyConstraint("workspace_id", "segmentation_id", "account_id", postgresql_include=["segment"]),
    Index("members_entered_idx", "workspace_id", "segmentation_id", "segment", "since"),
    Index(
        "members_held_idx",
        "workspace_id",
        "segmentation_id",
        "pending_since",
        postgresql_where=text("held IS NOT NULL"),
    ),
)
memberships = _tenant(
    "memberships",  # stays that are over: [from_at, to_at); persistence/stays.py reads them with those that last
    Column("segmentation_id", UUID(), nullable=False),
    Column("account_id", UUID(), nullable=False),
    Column("segment", TEXT, nullable=False),
    Column("from_at", INSTANT, nullable=False),
    Column("to_at", INSTANT, nullable=False),
    Column("reason", TEXT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "segmentation_id", "account_id", "from_at"),
    Index("memberships_entered_idx", "workspace_id", "segmentation_id", "segment", "from_at", "account_id"),
    Index("memberships_left_idx", "workspace_id", "segmentation_id", "segment", "to_at", "account_id"),
)
pins = _tenant(
    "pins",  # accounts that somebody keeps in a segment, whatever the criteria say
    Column("segmentation_id", UUID(), nullable=False),
    Column("account_id", UUID(), nullable=False),
    Column("segment", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    Column("author_id", UUID()),
    Column("pinned_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT),
    PrimaryKeyConstraint("workspace_id", "segmentation_id", "account_id"),
    ForeignKeyConstraint(["workspace_id", "segmentation_id"], ["segmentations.workspace_id", "segmentations.id"]),
    ForeignKeyConstraint(["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.id"]),
    Index("pins_account_idx", "workspace_id", "account_id"),
    Index("pins_expires_idx", "workspace_id", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
)
steps_done = _tenant(
    "steps_done",  # steps of a segment's plans that somebody said are done
    Column("segmentation_id", UUID(), nullable=False),  # no reference: who leaves a segment leaves its steps behind
    Column("account_id", UUID(), nullable=False),
    Column("since", INSTANT, nullable=False),  # when the account entered the segment: another time they begin anew
    Column("plan", TEXT, nullable=False),
    Column("step", TEXT, nullable=False),
    Column("note", TEXT),
    Column("done_at", INSTANT, nullable=False),
    Column("author_id", UUID()),
    PrimaryKeyConstraint("workspace_id", "account_id", "segmentation_id", "since", "plan", "step"),
    ForeignKeyConstraint(["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.id"]),
    CheckConstraint("plan IN ('playbook', 'success_plan')", "plan"),
)
rank_cuts = _tenant(
    "rank_cuts",  # where ranks reach `at` and where they pass it, as the records stood at `computed_at`
    Column("entity", TEXT, nullable=False),
    Column("field", TEXT, nullable=False),
    Column("by", TEXT, nullable=False),  # the field of the groups, empty where there are none
    Column("fn", TEXT, nullable=False),
    Column("at", Numeric, nullable=False),
    Column("groups", JSONB, nullable=False),  # [value of `by`, records, where it reaches `at`, where it passes it]
    Column("computed_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "entity", "field", "by", "fn", "at"),
    Index("rank_cuts_computed_idx", "workspace_id", "computed_at"),
)

# -- forecasts, imports, writes ----------------------------------------------------------------------------------------

forecasts = _tenant(
    "forecasts",
    Column("id", UUID(), nullable=False),
    Column("asked", JSONB, nullable=False),
    Column("answer", JSON, nullable=False),  # the bytes that were sent, to be sent again
    Column("as_of", INSTANT, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("created_by", UUID()),
    PrimaryKeyConstraint("workspace_id", "id"),
)
forecast_renewals = _tenant(
    "forecast_renewals",  # what each renewal of a kept forecast is expected to bring; money in minor units
    Column("forecast_id", UUID(), nullable=False),
    Column("no", Integer, nullable=False),
    Column("renewal_id", UUID(), nullable=False),  # the contract, or the account where it has none; no references:
    Column("account_id", UUID(), nullable=False),  # what was forecast outlives what it was about
    Column("product", TEXT),
    Column("lane", TEXT),
    Column("due_on", Date, nullable=False),
    Column("arr", BigInteger, nullable=False),
    Column("probability", Double, nullable=False),
    Column("expected", BigInteger, nullable=False),  # at most `arr`
    Column("expected_net", BigInteger, nullable=False),  # with what is expected to be bought more
    Column("reasons", ARRAY(Double), nullable=False),  # in the order of the answer's names, then what leads to money
    PrimaryKeyConstraint("workspace_id", "forecast_id", "no"),
    ForeignKeyConstraint(["workspace_id", "forecast_id"], ["forecasts.workspace_id", "forecasts.id"]),
    Index("forecast_renewals_renewal_idx", "workspace_id", "renewal_id", "forecast_id"),
)
renewal_calls = _tenant(
    "renewal_calls",  # what somebody called of an account's renewal, added to alone
    Column("account_id", UUID(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("contract_ids", ARRAY(UUID()), nullable=False),  # no references: calls outlive terms
    Column("due", BigInteger, nullable=False),
    Column("category", TEXT),  # null where the one before was withdrawn, and so is what follows
    Column("probability", Double),
    Column("amount", BigInteger),  # what it brings if it comes
    Column("note", TEXT),
    Column("csm_id", UUID()),  # whose the account was then
    Column("author_id", UUID()),
    Column("called_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "account_id", "version"),
    ForeignKeyConstraint(["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.id"]),
    CheckConstraint("category IN ('commit', 'likely', 'best_case', 'at_risk', 'expected_churn')", "category"),
    Index("renewal_calls_due_idx", "workspace_id", "due_on", "account_id", "version"),
)
backtests = _tenant(
    "backtests",  # computed from the same inputs they are the same: kept by the digest of those
    Column("digest", LargeBinary, nullable=False),
    Column("answer", JSON, nullable=False),
    Column("computed_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "digest"),
)
imports = _tenant(
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
import_errors = _tenant(
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
mappings = _tenant(
    "mappings",
    Column("name", TEXT, nullable=False),
    Column("mapping", JSONB, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "name"),
)
idempotency_keys = _tenant(
    "idempotency_keys",
    Column("credential_id", UUID(), nullable=False),
    Column("key", TEXT, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # SHA-256 of operation and payload
    Column("answer", LargeBinary, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "credential_id", "key"),
    Index("idempotency_keys_created_idx", "workspace_id", "created_at"),
)
audit = _tenant(
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
audit_records = _tenant(
    "audit_records",  # of an entry that tells of many, what became of each; added to and read, as the audit is
    Column("record_id", UUID(), nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("audit_id", UUID(), nullable=False),
    Column("entity", TEXT, nullable=False),
    Column("before", JSONB),  # by column, each value as PostgreSQL writes it as text
    Column("after", JSONB),
    PrimaryKeyConstraint("workspace_id", "record_id", "at", "audit_id"),
)
