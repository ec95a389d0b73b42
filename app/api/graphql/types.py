"""A type for every entity of the catalogue: fields, references, relations with their own filter, order and limit."""

from __future__ import annotations

from typing import Literal

from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from app.api.graphql.build import answered, argument, choices, output
from app.api.graphql.segment_states import OF_PAGE
from app.domain.catalogue import ENTITIES, Entity, Field, Relation
from app.domain.questions import DEFAULT_LIMIT, MAX_LIMIT
from app.services.ranks import GROUPS

By = Literal["id", "external_id", "slug"]
WHOLE = 2**31 - 1
"""The largest whole number: bounds that say no more go without saying."""

PLAIN = {
    "text": "str", "number": "float", "integer": "int", "money": "Money", "date": "Date", "instant": "DateTime",
    "bool": "bool", "slug": "str", "ref": "ID", "id": "ID", "tags": "list[str]", "json": "JSON",
}  # fmt: skip
ON = argument(
    "on", "Optional[str]", None, "A past day to read history of, where it is kept: stages and segments of accounts."
)
ORDER = (
    '`["-arr", "csm.name"]`: as `sort` in REST, in its spelling or in this one, `renewal_date` or `renewalDate`; own attributes '
    "by their slugs. Empty values come last."
)
NOTES = "Of what the criteria ask nothing was ever recorded in the workspace, and what follows from that."
NAMED = {"id": "ID", "external_id": "str", "slug": "str"}
"""What may name one record, by the argument's type."""


def type_name(entity: Entity) -> str:
    """`Account` for accounts."""
    return entity.singular.capitalize()


def enum_name(entity: Entity, field: Field) -> str:
    """`AccountHealthBand` for the health band of accounts."""
    return type_name(entity) + "".join(part.capitalize() for part in field.name.split("_"))


def filter_name(entity: Entity) -> str:
    """`AccountFilter`: the input that filters accounts."""
    return f"{type_name(entity)}Filter"


def naming(entity: Entity) -> tuple[By, ...]:
    """What names one record of an entity: its id and its external id, its slug where it has one for a key."""
    match entity.key:
        case "none":
            return ()
        case "slug":
            return "id", "external_id", "slug"
        case _:
            return "id", "external_id"


def annotation(entity: Entity, field: Field) -> str:
    """How a field's type is written, without whether it may be empty."""
    return enum_name(entity, field) if field.kind == "enum" else PLAIN[field.kind]


def filtering(entity: str) -> list[StrawberryArgument]:
    """The arguments of whatever gives records of an entity."""
    return [
        argument("where", f"Optional[{filter_name(ENTITIES[entity])}]", description="Criteria as a tree; not together with `filter`."),
        argument("filter", "Optional[str]", description="Criteria as text; not together with `where`."),
        argument("order_by", "Optional[list[str]]", description=ORDER),
        argument("first", "int", DEFAULT_LIMIT, f"At most {MAX_LIMIT:,}."),
    ]  # fmt: skip


def paging(entity: str) -> list[StrawberryArgument]:
    """The arguments of a connection: those of records, where to go on, and what windows and people are read by."""
    return [
        *filtering(entity),
        argument("after", "Optional[str]", None, "A cursor of the same question."),
        argument("as_of", "Optional[str]", None, "A date or an instant that windows are resolved at; now where it is left out."),
        ON,
        argument("tz", "Optional[str]", None, "The zone that windows are cut by; the workspace's where it is left out."),
        argument("for_user", "Optional[str]", None, "Who `@me` is, where a service asks: id, external id or e-mail."),
        argument("archived", "Optional[Archived]", None, "Archived records alone, or too."),
    ]  # fmt: skip


def described(field: Field) -> str | None:
    """What the catalogue says of a field: meaning, unit, bounds, what it refers to, and who keeps it."""
    said = [field.description, f"in {field.unit}" if field.unit else "", _bounds(field)]
    if field.kind in ("ref", "slug"):
        said.append(f"{'slug' if field.kind == 'slug' else 'id'} of one of the {field.target}")
    return "; ".join(part for part in said if part) or None


def _bounds(field: Field) -> str:
    if field.kind not in ("number", "integer") or field.low is None:
        return ""
    bounded = field.high is not None and field.high < WHOLE
    return f"{field.low:g} to {field.high:g}" if bounded else f"at least {field.low:g}"


def _field(entity: Entity, field: Field) -> StrawberryField:
    if field.name == "custom":
        slug = argument("slug", "Optional[str]", None, "One attribute; left out, all of them.")
        return answered(field.name, "Optional[JSON]", slug, description=described(field))
    made = annotation(entity, field)
    return answered(field.column, f"Optional[{made}]" if field.optional else made, description=described(field))


def _relation(entity: Entity, relation: Relation) -> StrawberryField:
    target = type_name(ENTITIES[relation.target])
    if relation.many:
        order = "latest first" if ENTITIES[relation.target].time_field != "created_at" else "as they were made"
        said = f"The {relation.target} of the {entity.singular}; {order} unless told otherwise."
        return answered(relation.name, f"list[{target}]", *filtering(relation.target), description=said)
    field = entity.fields[relation.by]
    return answered(
        relation.name, f"Optional[{target}]" if field.optional else target, description=field.description or None
    )


def _segment() -> StrawberryField:
    slug = argument("segmentation", "str", description="The segmentation's slug.")
    return answered("segment", "Optional[str]", slug, description="The segment that the account stands in.")


def _declare(entity: Entity, node: type) -> None:
    for field in entity.fields.values():
        if field.kind == "enum":
            choices(enum_name(entity, field), field.values)
    fields = [_field(entity, field) for field in entity.fields.values()]
    fields += [_segment()] if entity.name == "accounts" else []
    fields += [_relation(entity, relation) for relation in entity.relations.values()]
    output(type_name(entity), fields, bases=(node,) if entity.key != "none" else ())


def connect(name: str, node: str, description: str | None = None) -> None:
    """A connection of nodes, and its edges."""
    output(f"{name}Edge", [answered("cursor", "str"), answered("node", node)])
    output(f"{name}Connection", [
        answered("edges", f"list[{name}Edge]"),
        answered("nodes", f"list[{node}]", description="The records without their cursors."),
        answered("page_info", "PageInfo"),
        answered("total_count", "int", argument("count", "Count", "exact", "`capped` stops at 10,000.")),
        answered("as_of", "DateTime", description="The moment that windows were resolved at."),
        answered("windows", "list[ResolvedWindow]", description="What relative windows became."),
        answered("ranks", "list[ResolvedRank]", description="What ranks were compared by."),
        OF_PAGE,
        answered("notes", "list[str]", description=NOTES),
    ], description)  # fmt: skip


def _declare_all() -> None:
    node = output(
        "Node", [answered("id", "ID")], "Anything with an id.", resolve_type=lambda row, *_: str(row["0type"])
    )
    choices("Count", ("exact", "capped"))
    choices("Archived", ("only", "with"))
    output("PageInfo", [
        answered("has_next_page", "bool"), answered("has_previous_page", "bool"),
        answered("start_cursor", "Optional[str]"), answered("end_cursor", "Optional[str]"),
    ])  # fmt: skip
    output("ResolvedWindow", [
        answered("window", "str", description="As criteria spell it."), answered("lo", "Optional[str]"),
        answered("hi", "Optional[str]", description="Not part of it."), answered("zone", "str"),
    ])  # fmt: skip
    output("RankGroup", [
        answered("group", "Optional[str]", description="What it is ranked by; null where that is empty, or nothing."),
        answered("records", "int", description="How many are ranked."),
        answered("reaches", "Optional[float]", description="The value that a record has to be beyond to reach the number."),
        answered("passes", "Optional[float]", description="The same to pass it. Null where nothing, or everything, stays behind."),
    ])  # fmt: skip
    output("ResolvedRank", [
        answered("rank", "str", description="As criteria spell it."), answered("at", "float", description="The number that it is compared with."),
        answered("computed_at", "DateTime"), answered("groups", "list[RankGroup]", description=f"The first {GROUPS}."),
    ], "The cut-offs that a rank is compared by; money is in major units.")  # fmt: skip
    for entity in ENTITIES.values():
        _declare(entity, node)
    for entity in ENTITIES.values():
        connect(type_name(entity), type_name(entity))


_declare_all()
