"""What criteria name: the things of a workspace that would be missed if they were gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

from app.domain.catalogue import ENTITIES, Entity
from app.domain.criteria import nodes
from app.domain.criteria.nodes import Node, Value
from app.domain.errors import Conflict, Fault


@dataclass(frozen=True, slots=True)
class Mention:
    """`told` as it was written: a slug, or for users an id, an external id or an e-mail. `entity` is what it is one of."""

    entity: str
    told: str


@dataclass(frozen=True, slots=True)
class Dependent:
    """So many of a kind depend on a thing; `what` in the plural, `examples` the first of their names that all may see."""

    what: str
    count: int
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        """`12 accounts (Acme, Betasoloin, …)`."""
        kind = SINGULARS.get(self.what, self.what) if self.count == 1 else self.what
        more = ", …" if self.count > len(self.examples) else ""
        return f"{self.count:,} {kind}" + (f" ({', '.join(self.examples)}{more})" if self.examples else "")


ALONG = "with_dependents"
"""The member of a body by which a change is made though something depends on what it takes away."""
EXAMPLES = 3
"""How many of a kind are told by name."""
Does = Literal["depend on it", "name it"]


def dependent(what: str, names: Sequence[str | None]) -> tuple[Dependent, ...]:
    """Those of a kind by their names, None for what not all may see; nothing where there are none."""
    seen = [name for name in names if name is not None]
    return (Dependent(what, len(names), tuple(seen[:EXAMPLES])),) if names else ()


def along(body: Mapping[str, object]) -> tuple[bool | None, tuple[Fault, ...]]:
    """Whether a body says that what names a thing may mean nothing, None where it says nothing; and what is wrong with that."""
    told = body.get(ALONG)
    if told is None or isinstance(told, bool):
        return told, ()
    return None, (Fault("Expected true or false.", pointer=f"/{ALONG}"),)


def refuse(found: Sequence[Dependent], does: Does, why: str = "") -> None:
    """Raises Conflict with a Fault per kind where anything was found that does so; `why` says what would become of it."""
    if found:
        told = ", ".join(map(str, found))
        raise Conflict(
            f"Expected nothing that {does.replace(' ', 's ', 1)}: {told}{why}.",
            tuple(Fault(f"Expected no {one.what} that {does}: {one}.") for one in found),
        )


SINGULARS = {e.name: e.singular for e in ENTITIES.values()} | {
    "days of usage": "day of usage", "child accounts": "child account", "saved lists": "saved list", "lists of their own": "list of their own", "segmentations": "segmentation", "API keys": "API key", "stored mappings": "stored mapping",
    "people's default lists": "person's default list", "workspace defaults": "workspace default",
}  # fmt: skip


def mentions(node: Node, entity: Entity) -> Iterator[Mention]:
    """Whatever criteria about records of `entity` compare with or ask for by name; what no longer exists included."""
    match node:
        case nodes.And(args) | nodes.Or(args):
            for arg in args:
                yield from mentions(arg, entity)
        case nodes.Not(arg):
            yield from mentions(arg, entity)
        case nodes.Cmp(of, _, value):
            yield from _compared(of, (value,), entity)
        case nodes.In(of, values) | nodes.Has(of, _, values):
            yield from _compared(of, values, entity)
        case nodes.Range(of, lo, hi):
            yield from _compared(of, tuple(v for v in (lo, hi) if v is not None), entity)
        case nodes.Time(of) | nodes.Text(of) | nodes.Empty(of):
            yield from _operand(of, entity)
        case nodes.Quant(_, relation, where):
            yield from _rows(relation, where, entity)
        case nodes.Segment(segmentation):
            yield Mention("segmentations", segmentation)
        case nodes.InList(name):
            yield Mention("lists", name)
        case nodes.All():
            pass
        case _:
            assert_never(node)


def of_path(path: str) -> Iterator[Mention]:
    """What a column or a sort key names: `segment.tier`, `-account.segment.tier`."""
    before, found, name = path.removeprefix("-").rpartition("segment.")
    if found and before in ("", "account."):
        yield Mention("segmentations", name)


def _compared(of: nodes.Operand, values: tuple[Value, ...], entity: Entity) -> Iterator[Mention]:
    yield from _operand(of, entity)
    target = _target(of.name, entity) if isinstance(of, nodes.Path) else None
    for value in values:
        if isinstance(value, nodes.FieldValue):
            yield from of_path(value.path)
        elif target and isinstance(value, nodes.Const) and isinstance(value.value, str):
            yield Mention(target, value.value)


def _operand(of: nodes.Operand, entity: Entity) -> Iterator[Mention]:
    match of:
        case nodes.Path(name):
            yield from of_path(name)
        case nodes.Aggregate(_, relation, _, where):
            yield from _rows(relation, where, entity)
        case nodes.Change(_, inner):
            yield from _operand(inner, entity)
        case nodes.Rank(_, field, by):
            yield from of_path(field)
            yield from of_path(by or "")
        case _:
            assert_never(of)


def _rows(relation: str, where: Node | None, entity: Entity) -> Iterator[Mention]:
    known = entity.relations.get(relation)
    if known is not None and where is not None:
        yield from mentions(where, ENTITIES[known.target])


def _target(path: str, entity: Entity) -> str | None:
    """The entity that values of a field are of: stages for `stage`, and for `account.stage` of contacts."""
    head, _, rest = path.partition(".")
    if rest:
        through = entity.relations.get(head)
        return _target(rest, ENTITIES[through.target]) if through and not through.many else None
    field = entity.fields.get(path) or next((f for f in entity.fields.values() if f.column == path), None)
    if field is None:
        return None
    # Tags that are named as an entity hold its slugs: the products of an account.
    return field.name if field.kind == "tags" and field.name in ENTITIES else field.target
