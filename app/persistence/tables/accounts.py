"""Accounts, what is related to them, and what is kept of their past."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    desc,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from app.domain.catalogue import ENTITIES
from app.persistence.tables.columns import INSTANT, TEXT, entity, tenant

accounts = entity("accounts", Column("health_said", Double))  # by hand, before the workspace's own model gave health
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


def related(name: str) -> Table:
    """A table whose rows belong to an account, indexed for the latest rows of one account and of the workspace."""
    table, time = entity(name), ENTITIES[name].time_field
    latest = [desc(table.c[str(time)]), desc(table.c.id)]
    Index(f"{name}_account_idx", table.c.workspace_id, table.c.account_id, *latest)
    Index(f"{name}_time_idx", table.c.workspace_id, *latest)
    if "contact" in ENTITIES[name].fields:
        Index(f"{name}_contact_idx", table.c.workspace_id, table.c.contact_id, *latest)
    return table


contacts = related("contacts")
contracts = related("contracts")
opportunities = related("opportunities")
interactions = related("interactions")
invoices = related("invoices")
surveys = related("surveys")
tickets = related("tickets")
requests = related("requests")
sentiments = related("sentiments")
churns = related("churns")
Index("contacts_primary_idx", contacts.c.workspace_id, contacts.c.account_id, postgresql_where=text("is_primary"))
Index("contacts_name_idx", contacts.c.workspace_id, contacts.c.name, contacts.c.id)
Index("contacts_email_idx", contacts.c.workspace_id, contacts.c.email)
Index(
    "invoices_open_idx", invoices.c.workspace_id, invoices.c.account_id,
    postgresql_where=text("status IN ('unpaid', 'failed')"),
)  # fmt: skip

usage_days = tenant(
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
usage_windows = tenant(
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
stage_moves = tenant(
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
stage_verdicts = tenant(
    "stage_verdicts",  # the furthest stage whose entry criteria hold, as of the last look: a move by hand stands until it changes
    Column("account_id", UUID(), nullable=False),
    Column("stage", TEXT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "account_id"),
    ForeignKeyConstraint(["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.id"]),
)

score_versions = tenant(
    "score_versions",  # added to, never changed; the first one, of no row, is what scores are made of unless told otherwise
    Column("version", Integer, nullable=False),
    Column("scores", JSONB),
    Column("author_id", UUID()),
    Column("created_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "version"),
)
account_scores = tenant(
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

account_changes = tenant(
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
