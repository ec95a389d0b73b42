"""Every entity, field and relation of Strata, declared once.

Criteria, sort, selections, REST, GraphQL, imports and documentation are derived from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Literal

Kind = Literal[
    "text", "number", "integer", "money", "date", "instant", "bool", "enum", "slug", "ref", "tags", "json", "id"
]
"""`slug` is a reference that answers and compares as the slug of `target`; `ref` one that answers as an id."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entity.

    `optional`: may be empty. `derived`: computed by Strata, read-only. `values`: what an enum may be.
    `fallback`: kept by Strata from related records where there are any, set by hand where there are none.
    `initial`: what it is on creation where nothing is given. Of an organisation's own attribute, `stored` is what its
    values are kept under, where that is not its name; `indexed`: an index holds its values in their order; `unique`: no
    two records have the same. `least`: of money, what may be said at least; what is kept may be less where it follows.
    `happened`: an instant at which something was, so that what is said lies no more than a day ahead. `kept`: there is a
    column of it; what is not follows from what the workspace says when it is read.
    """

    name: str
    kind: Kind
    description: str = ""
    optional: bool = False
    derived: bool = False
    fallback: bool = False
    target: str | None = None
    values: tuple[str, ...] = ()
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    initial: str | int | None = None
    stored: str | None = None
    indexed: bool = False
    unique: bool = False
    least: int | None = None
    happened: bool = False
    kept: bool = True

    @property
    def key(self) -> str:
        """What values of an own attribute are kept under: it stays when the attribute is renamed."""
        return self.stored or self.name

    @property
    def column(self) -> str:
        """The name under which it is stored and answered: references answer as `<name>_id`."""
        return f"{self.name}_id" if self.kind == "ref" else self.name

    @property
    def writable(self) -> bool:
        """Whether a body or a file may set it."""
        return not self.derived

    @property
    def sortable(self) -> bool:
        """Whether records can be sorted by it."""
        return self.kind not in ("tags", "json", "ref")

    @property
    def groupable(self) -> bool:
        """Whether records can be counted by its values."""
        return self.kind in ("enum", "slug", "bool", "text", "ref", "date")


@dataclass(frozen=True, slots=True)
class Relation:
    """How one entity leads to another.

    To one: `by` is this entity's reference field. To many: `by` is the target's reference field that leads back.
    """

    name: str
    target: str
    many: bool
    by: str


@dataclass(frozen=True)
class Entity:
    """A kind of record. `time_field` is what a window without a field is on; `required` cannot be left out on creation.

    `imported`: files of it can be brought in; what shapes a workspace is set up by hand.
    """

    name: str
    singular: str
    own: tuple[Field, ...]
    relations: Mapping[str, Relation]
    time_field: str | None = None
    versioned: bool = True
    key: Literal["external_id", "slug", "none"] = "external_id"
    imported: bool = True

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """By name: identifiers first, times and version last."""
        head = [] if self.key == "none" else [ID, EXTERNAL_ID]
        tail = [] if self.key == "none" else [CREATED_AT, UPDATED_AT] + ([VERSION] if self.versioned else [])
        return MappingProxyType({f.name: f for f in (*head, *self.own, *tail)})

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Names of the fields that a new record cannot be without."""
        return tuple(
            f.name
            for f in self.own
            if f.writable and not f.optional and f.kind not in ("bool", "tags") and f.initial is None and not f.fallback
        )


def text(name: str, description: str = "") -> Field:
    return Field(name, "text", description)


def number(
    name: str, description: str = "", unit: str | None = None, low: float | None = None, high: float | None = None
) -> Field:
    return Field(name, "number", description, unit=unit, low=low, high=high)


def integer(name: str, description: str = "", low: float | None = 0, high: float | None = 2**31 - 1) -> Field:
    return Field(name, "integer", description, low=low, high=high)


def money(name: str, description: str = "") -> Field:
    return Field(name, "money", description, unit="the workspace's currency")


def price(name: str, description: str = "") -> Field:
    """Money that is never less than nothing."""
    return replace(money(name, description), least=0)


def day(name: str, description: str = "") -> Field:
    return Field(name, "date", description)


def instant(name: str, description: str = "") -> Field:
    return Field(name, "instant", description)


def moment(name: str, description: str = "") -> Field:
    """When something happened."""
    return replace(instant(name, description), happened=True)


def flag(name: str, description: str = "") -> Field:
    return Field(name, "bool", description)


def enum(name: str, *values: str, description: str = "") -> Field:
    return Field(name, "enum", description, values=values)


def slug(name: str, target: str, description: str = "") -> Field:
    return Field(name, "slug", description, target=target)


def ref(name: str, target: str, description: str = "") -> Field:
    return Field(name, "ref", description, target=target)


def tags(name: str, description: str = "") -> Field:
    return Field(name, "tags", description)


def opt(field: Field) -> Field:
    """May be empty."""
    return replace(field, optional=True)


def der(field: Field) -> Field:
    """Computed by Strata, never empty."""
    return replace(field, derived=True)


def der_opt(field: Field) -> Field:
    """Computed by Strata, and empty where there is nothing to compute it from."""
    return replace(field, derived=True, optional=True)


def unkept(field: Field) -> Field:
    """Computed by Strata whenever it is read."""
    return replace(field, derived=True, kept=False)


def zero(field: Field) -> Field:
    """0 where nothing is given."""
    return replace(field, initial=0)


def kept(field: Field) -> Field:
    """Follows from related records where there are any, set by hand where there are none."""
    return replace(field, fallback=True)


ID = der(Field("id", "id", "UUIDv7"))
EXTERNAL_ID = opt(text("external_id", "the identifier in the system that it came from; unique in the workspace"))
CREATED_AT = der(instant("created_at"))
UPDATED_AT = der(instant("updated_at"))
VERSION = replace(der(integer("version", "counts the changes made by hand")), initial=1)
NAME = text("name")
SLUG = text("slug", "lower-case letters, digits, - and _; unique in the workspace")
ACCOUNT = ref("account", "accounts")
CONTACT = opt(ref("contact", "contacts"))
CUSTOM = opt(Field("custom", "json", "the organisation's own attributes"))


def to_one(name: str, target: str) -> Relation:
    return Relation(name, target, many=False, by=name)


def to_many(name: str, by: str) -> Relation:
    return Relation(name, name, many=True, by=by)


def entity(
    name: str,
    singular: str,
    *fields: Field,
    many: tuple[Relation, ...] = (),
    time: str | None = None,
    versioned: bool = True,
    key: Literal["external_id", "slug", "none"] = "external_id",
    imported: bool = True,
) -> Entity:
    """An entity whose to-one relations are its references."""
    ones = tuple(to_one(f.name, f.target) for f in fields if f.kind == "ref" and f.target)
    return Entity(
        name, singular, fields, MappingProxyType({r.name: r for r in (*ones, *many)}), time, versioned, key, imported
    )


OF_ACCOUNT = (
    "contacts", "contracts", "opportunities", "usage", "interactions", "invoices",
    "surveys", "tickets", "requests", "sentiments", "churns",
)  # fmt: skip
"""The relations of an account, in the order in which they are shown; each is an entity of the same name."""
OF_CONTACT = ("usage", "interactions", "surveys", "tickets")

ACCOUNTS = entity(
    "accounts", "account",
    NAME, opt(text("domain")), opt(text("website")), opt(slug("industry", "industries")), opt(text("type")),
    opt(text("region")), opt(text("country", "ISO 3166 alpha-2")), opt(integer("employees")),
    der(tags("products", "slugs of the products of the contracts in force")),
    opt(ref("parent", "accounts")), opt(ref("csm", "users", "the customer success manager")),
    opt(slug("stage", "stages", "lifecycle stage")), der_opt(day("stage_since")),
    replace(der(enum("status", "prospect", "customer", "churned")), initial="prospect"),
    kept(zero(price("arr", "annual recurring revenue of the contracts in force"))),
    der(money("mrr", "a twelfth of ARR")), der(money("tcv", "contracts in force, whole term")),
    kept(opt(price("growth_potential", "ARR that could be won"))),
    opt(price("cost_to_serve", "a year")), der_opt(money("margin", "ARR less cost to serve")),
    opt(number("health", low=0, high=100)), der_opt(enum("health_band", "green", "yellow", "red")),
    der_opt(number("sentiment", "the CSM's latest assessment", low=1, high=5)), der_opt(instant("sentiment_at")),
    der_opt(enum("impact", "severe", "medium", "low", description="of the active scenario on the industry")),
    der_opt(day("contract_start")), der_opt(day("contract_end")), kept(opt(day("renewal_date"))),
    der_opt(flag("auto_renew")), kept(opt(integer("seats_licensed"))), opt(integer("seats_active")),
    der_opt(number("seat_utilisation", low=0, high=1)), opt(number("usage_limit", "per 30 days", low=0)),
    der_opt(number("usage_limit_used", "usage of the last 30 days over the limit", low=0)),
    der_opt(number("nps", "latest score", low=0, high=10)), der_opt(instant("nps_at")),
    der(money("open_invoices_amount", "unpaid and failed invoices")), der(integer("open_tickets", "open and pending")),
    der_opt(instant("last_interaction_at")), der_opt(instant("last_inbound_at")), der_opt(instant("last_active_at")),
    der(number("engagement_score", low=0, high=100)), der(number("consumption_score", low=0, high=100)),
    flag("is_reference"), zero(integer("case_studies")), der_opt(ref("primary_contact", "contacts")),
    opt(day("became_customer_at")), kept(opt(day("churned_at"))), kept(opt(text("churn_reason"))),
    der_opt(instant("archived_at")), CUSTOM,
    many=tuple(to_many(n, "account") for n in OF_ACCOUNT),
)  # fmt: skip

CONTACTS = entity(
    "contacts", "contact",
    ACCOUNT, NAME, opt(text("email")), opt(text("title")), opt(enum("role", "decision_maker", "champion", "admin", "user")),
    flag("is_primary"), opt(moment("last_seen_at")), der(integer("active_days_30", "days with usage in the last 30")),
    der_opt(number("nps", "latest score", low=0, high=10)), CUSTOM,
    many=tuple(to_many(n, "contact") for n in OF_CONTACT), time="created_at",
)  # fmt: skip

CONTRACTS = entity(
    "contracts", "contract",
    ACCOUNT, opt(slug("product", "products")), replace(der(enum("status", "future", "active", "ended")), initial="active"), money("arr", "below 0 where it is a credit"),
    opt(money("tcv", "whole term; ARR times the years of the term where none is given")), opt(integer("seats")),
    day("start_date"), opt(day("end_date")), flag("auto_renew"), opt(integer("notice_days")),
    opt(enum("billing", "monthly", "quarterly", "annual")),
    opt(enum("outcome", "renewed", "expanded", "contracted", "churned")), opt(day("decided_at")),
    time="start_date",
)  # fmt: skip

PRODUCTS = entity("products", "product", NAME, SLUG, opt(price("list_price", "a year")), key="slug")
FEATURES = entity("features", "feature", NAME, SLUG, opt(text("module")), flag("is_key"), key="slug")

OPPORTUNITIES = entity(
    "opportunities", "opportunity",
    ACCOUNT, opt(slug("product", "products")), opt(ref("owner", "users")), NAME,
    enum("stage", "open", "won", "lost"),
    kept(price("amount", "the product's list price where none is given")), day("opened_at"), opt(day("closed_at")),
    time="opened_at",
)  # fmt: skip

USAGE = entity(
    "usage", "usage",
    ACCOUNT, CONTACT, slug("feature", "features"), day("day"), number("value", "in the feature's unit"),
    der_opt(text("module", "of the feature")), der(flag("is_key", "is the feature a key feature")),
    time="day", versioned=False, key="none",
)  # fmt: skip

INTERACTIONS = entity(
    "interactions", "interaction",
    ACCOUNT, CONTACT, enum("kind", "email", "call", "meeting", "event", "note", "other"),
    enum("direction", "inbound", "outbound"), moment("occurred_at"), opt(text("subject")), opt(flag("attended")),
    opt(flag("opened")), flag("is_automated"),
    time="occurred_at",
)  # fmt: skip

INVOICES = entity(
    "invoices", "invoice",
    ACCOUNT, opt(text("number")), enum("status", "draft", "unpaid", "paid", "failed", "void"), money("amount", "below 0 where it is a credit"),
    day("issued_at"), day("due_at"), opt(day("paid_at")),
    time="issued_at",
)  # fmt: skip

SURVEYS = entity(
    "surveys", "survey",
    ACCOUNT, CONTACT, enum("kind", "nps", "csat", "ces"), number("score", low=0, high=10), opt(text("comment")),
    moment("answered_at"),
    time="answered_at",
)  # fmt: skip

TICKETS = entity(
    "tickets", "ticket",
    ACCOUNT, CONTACT, enum("status", "open", "pending", "closed"), enum("priority", "low", "medium", "high", "urgent"),
    moment("opened_at"), opt(moment("closed_at")), opt(number("first_response_minutes", low=0)),
    opt(number("resolution_hours", low=0)), opt(number("satisfaction", low=1, high=5)), flag("escalated"),
    time="opened_at",
)  # fmt: skip

REQUESTS = entity(
    "requests", "request",
    ACCOUNT, enum("kind", "stop_payment", "discount", "expansion", "other"),
    enum("status", "open", "granted", "refused", "withdrawn"), opt(price("amount")), moment("asked_at"),
    opt(moment("resolved_at")), opt(text("note")),
    time="asked_at",
)  # fmt: skip

SENTIMENTS = entity(
    "sentiments", "sentiment",
    ACCOUNT, number("score", low=1, high=5), ref("author", "users"), opt(text("note")), moment("recorded_at"),
    time="recorded_at",
)  # fmt: skip

CHURNS = entity(
    "churns", "churn",
    ACCOUNT, day("churned_at"), opt(text("reason")), opt(text("note")), flag("is_reactivation"), opt(price("refund")),
    time="churned_at",
)  # fmt: skip

USERS = entity(
    "users", "user",
    NAME, text("email"), enum("role", "admin", "manager", "csm", "viewer"), opt(slug("team", "teams")), flag("is_active"),
)  # fmt: skip

TEAMS = entity("teams", "team", NAME, SLUG, key="slug")
INDUSTRIES = entity("industries", "industry", NAME, SLUG, key="slug")
STAGES = entity(
    "stages", "stage",
    NAME, SLUG, integer("position"),
    der_opt(text("entry", "criteria: accounts that begin to meet them move here, forward only")),
    der_opt(integer("expected_days", "accounts that stay longer are stuck")),
    der_opt(integer("leaves_after_days", "accounts then move on to the next stage by themselves")),
    unkept(enum("state", "ok", "broken", description="broken: its entry criteria mean nothing any more, and bring nobody in")),
    unkept(opt(text("detail", "why it is broken"))),
    key="slug",
)  # fmt: skip

SCENARIOS = entity(
    "scenarios", "scenario",
    NAME, SLUG, Field("impacts", "json", "what it means for each industry, by slug: severe, medium or low"),
    Field("lanes", "json", "the shift of the renewal logit per impact"), flag("is_active", "one is"),
    key="slug", imported=False,
)  # fmt: skip

ATTRIBUTES = entity(
    "attributes", "attribute",
    NAME, text("slug", "lower-case letters, digits, - and _; unique for its entity"), enum("entity", "accounts", "contacts"),
    enum("type", "text", "number", "integer", "money", "date", "instant", "bool", "enum", "tags"),
    tags("values", "what an enum or tags may be"), flag("is_required"), flag("is_unique"), flag("is_promoted", "indexed"),
    der_opt(enum("index_state", "building", "ready", "failed", description="of the index of a promoted or unique one")),
    opt(instant("retired_at", "since then it is kept, but neither shown nor set")),
    imported=False,
)  # fmt: skip

ENTITIES: Mapping[str, Entity] = MappingProxyType(
    {
        e.name: e
        for e in (
            ACCOUNTS, CONTACTS, CONTRACTS, OPPORTUNITIES, USAGE, INTERACTIONS, INVOICES, SURVEYS, TICKETS, REQUESTS,
            SENTIMENTS, CHURNS, PRODUCTS, FEATURES, USERS, TEAMS, INDUSTRIES, STAGES, SCENARIOS, ATTRIBUTES,
        )
    }
)  # fmt: skip
