"""A type for every entity of the catalogue: fields, references, relations with their own filter, order and limit."""

from __future__ import annotations

from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from app.api.graphql.build import answered, argument, choices, output
from app.domain.catalogue import ENTITIES, Entity, Field, Relation
from app.domain.questions import DEFAULT_LIMIT, MAX_LIMIT

PLAIN = {
    "text": "str", "number": "float", "integer": "int", "money": "Money", "date": "Date", "instant": "DateTime",
    "bool": "bool", "slug": "str", "ref": "ID", "id": "ID", "tags": "list[str]", "json": "JSON",
}  # fmt: skip
CONNECTED = ("accounts", "contacts")
"""The entities that are asked for as connections."""


def type_name(entity: Entity) -> str:
    """`Account` for accounts."""
    return entity.singular.capitalize()


def enum_name(entity: Entity, field: Field) -> str:
    """`AccountHealthBand` for the health band of accounts."""
    return type_name(entity) + "".join(part.capitalize() for part in field.name.split("_"))


def filter_name(entity: str) -> str:
    """The input that filters an entity: accounts and contacts have their own."""
    return f"{type_name(ENTITIES[entity])}Filter" if entity in CONNECTED else "RelatedFilter"


def annotation(entity: Entity, field: Field) -> str:
    """How a field's type is written, without whether it may be empty."""
    return enum_name(entity, field) if field.kind == "enum" else PLAIN[field.kind]


def filtering(entity: str, first: int = DEFAULT_LIMIT) -> list[StrawberryArgument]:
    """The arguments of whatever gives records of an entity."""
    return [
        argument("where", f"Optional[{filter_name(entity)}]", description="Criteria as a tree; not together with `filter`."),
        argument("filter", "Optional[str]", description="Criteria as text; not together with `where`."),
        argument("order_by", "Optional[list[str]]", description="`[\"-arr\", \"name\"]`: as `sort` in REST; empty values come last."),
        argument("first", "int", first, f"At most {MAX_LIMIT:,}."),
    ]  # fmt: skip


def paging(entity: str) -> list[StrawberryArgument]:
    """The arguments of a connection: those of records, where to go on, and what windows and people are read by."""
    return [
        *filtering(entity),
        argument("after", "Optional[str]", None, "A cursor of the same question."),
        argument("as_of", "Optional[str]", None, "A date or an instant that windows are resolved at; now where it is left out."),
        argument("tz", "Optional[str]", None, "The zone that windows are cut by; the workspace's where it is left out."),
        argument("for_user", "Optional[str]", None, "Who `@me` is, where a service asks: id, external id or e-mail."),
        argument("archived", "Optional[Archived]", None, "Archived records alone, or too."),
    ]  # fmt: skip


def _described(field: Field) -> str | None:
    said = [field.description, f"in {field.unit}" if field.unit else ""]
    return "; ".join(part for part in said if part) or None


def _field(entity: Entity, field: Field) -> StrawberryField:
    if field.kind == "json":
        slug = argument("slug", "Optional[str]", None, "One attribute; left out, all of them.")
        return answered(field.name, "Optional[JSON]", slug, description="The organisation's own attributes.")
    made = annotation(entity, field)
    return answered(field.column, f"Optional[{made}]" if field.optional else made, description=_described(field))


def _relation(entity: Entity, relation: Relation) -> StrawberryField:
    target = type_name(ENTITIES[relation.target])
    if relation.many:
        return answered(relation.name, f"list[{target}]", *filtering(relation.target))
    required = not entity.fields[relation.by].optional
    return answered(relation.name, target if required else f"Optional[{target}]")


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
    ], description)  # fmt: skip


def _declare_all() -> type:
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
    for entity in ENTITIES.values():
        _declare(entity, node)
    for name in CONNECTED:
        connect(type_name(ENTITIES[name]), type_name(ENTITIES[name]))
    return node


NODE = _declare_all()
