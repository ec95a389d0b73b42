"""Generated criteria that mean something: over the catalogue, with values that data drawn from the same pools can have."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from app.domain.catalogue import ENTITIES, Entity, Field
from app.domain.criteria import nodes, text
from app.domain.criteria.check import NamedList, Setting
from app.domain.criteria.fields import QUESTIONS, Question, Typing, find, paths, typing
from app.domain.criteria.folds import NUMBERS, fold_typing
from app.domain.criteria.literals import CALENDARS, FOLDS, RANKINGS, number
from app.domain.criteria.nodes import NOWHERE, Node
from app.domain.criteria.ranks import GROUPING, RANKED, Cuts, Group, Threshold, lines, rises
from app.domain.errors import Invalid
from app.domain.workspaces import Person, SegmentationName, Workspace, clock

AS_OF = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
TODAY = AS_OF.astimezone(ZONE).date()
COUNT = 4
"""How many records of each entity there are to refer to."""


def id_of(entity: str, n: int) -> UUID:
    """The id of the n-th record (from 0) of an entity."""
    return UUID(int=(list(ENTITIES).index(entity) + 1 << 64) + n + 1)


def external_id(entity: str, n: int) -> str:
    return f"{ENTITIES[entity].singular}-{n}"


def email(entity: str, n: int) -> str:
    return f"{ENTITIES[entity].singular}{n}@example.com"


def slug(entity: str, n: int) -> str:
    return f"{ENTITIES[entity].singular}-{'abcdef'[n]}"


WORKSPACE = Workspace(
    id=UUID(int=7), slug="acme", name="Acme", currency="USD", minor_digits=2, zone=ZONE, week_start=1, fiscal_month=2,
    health_yellow=40, health_green=70, arr_per_csm=200_000_000, facts_day=TODAY,
    stages=tuple(slug("stages", n) for n in (2, 0, 3, 1)),
    segmentations={
        "tier": SegmentationName(UUID(int=71), "tier", ("high", "medium", "low")),
        "lanes": SegmentationName(UUID(int=72), "lanes", ("severe", "calm")),
    },
    attributes={
        ("accounts", "region-2"): Field("region-2", "text", optional=True),
        ("accounts", "score"): Field("score", "number", optional=True),
        ("accounts", "plan"): Field("plan", "enum", optional=True, values=("free", "paid")),
        ("accounts", "vip"): Field("vip", "bool", optional=True),
        ("accounts", "since"): Field("since", "date", optional=True),
        ("accounts", "area"): Field("area", "text", optional=True, stored="zone"),
        ("accounts", "seats"): Field("seats", "integer", optional=True, indexed=True),
        ("accounts", "budget"): Field("budget", "money", optional=True, indexed=True),
        ("accounts", "seen"): Field("seen", "instant", optional=True),
        ("accounts", "labels"): Field("labels", "tags", optional=True),
        ("accounts", "rank"): Field("rank", "number", optional=True, stored="rank~2", indexed=True),
        ("contacts", "topic"): Field("topic", "text", optional=True),
        ("contacts", "met"): Field("met", "date", optional=True, stored="first-met", indexed=True),
        ("contacts", "labels"): Field("labels", "tags", optional=True, stored="tags"),
    },
)  # fmt: skip


SLUGS = tuple(slug(entity, n) for entity in ("industries", "stages") for n in range(COUNT))


class Snapshot(Mapping[Threshold, Cuts]):
    """Cut-offs for whatever is asked, drawn from the pools: ranks are compared with what a snapshot says, whatever the
    records have become."""

    def __getitem__(self, asked: Threshold) -> Cuts:
        dice = random.Random(repr(asked))
        by = asked.rank.by
        people = (str(id_of("users", n)) for n in range(COUNT))
        known = sorted({"", "true", "false", "high", "calm", "free", "customer", *POOLS.texts, *SLUGS, *people})
        keys = [""] if by is None else dice.sample(known, len(known) // 2)
        return Cuts(tuple(self._group(key, asked, dice) for key in keys), AS_OF)

    def _group(self, key: str, asked: Threshold, dice: random.Random) -> Group:
        kind = asked.rank.of.field.kind
        pool: Sequence[float] = {"money": POOLS.money, "integer": POOLS.integers}.get(kind, POOLS.numbers)
        n, rising = dice.choice((1, 2, 7, 40)), rises(asked.rank.fn)
        one, other = sorted((dice.choice(pool), dice.choice(pool)), reverse=not rising)
        reach, passed = (line.place(n) for line in lines(asked.rank.fn, asked.at))
        return Group(key, n, one if 0 < reach <= n else None, other if 0 < passed <= n else None)

    def __iter__(self) -> Iterator[Threshold]:
        return iter(())

    def __len__(self) -> int:
        return 0


def list_id(n: int) -> UUID:
    """The id of the n-th saved list."""
    return UUID(int=(99 << 64) + n)


def _list(n: int, entity: str, criteria: str, **params: Any) -> NamedList:
    return NamedList(list_id(n), f"List {n}", entity, text.parse(criteria), params)


LISTS = (
    _list(0, "accounts", 'arr > 1000.50 AND NOT name : "a"'),
    _list(1, "accounts", "csm = @me OR name = $word OR renewal_date IN next(90d)", word="acme"),
    _list(2, "accounts", f'NOT in_list("{list_id(0)}") OR in_list("{list_id(1)}")'),
    _list(3, "accounts", f'any(contacts WHERE in_list("{list_id(5)}")) AND in_list("{list_id(2)}")'),
    _list(4, "accounts", 'entered("tier", "high", last(30d)) OR ntile4(arr BY industry) = 4'),
    _list(5, "contacts", 'name : "a" OR email IS EMPTY'),
    _list(6, "contacts", f'NOT in_list("{list_id(5)}") AND account.segment.tier = "high"'),
)
"""Saved lists that name each other, parameters and the caller."""
PERSON = Person(id_of("users", 0), (id_of("users", 0), id_of("users", 1)))
SETTING = Setting(
    WORKSPACE, clock(WORKSPACE, AS_OF), PERSON, {"word": "Acme", "amount": Decimal("1000.50"), "day": TODAY},
    lists={one.id: one for one in LISTS}, cuts=Snapshot(),
)  # fmt: skip


@dataclass(frozen=True)
class Pools:
    """Values that both criteria and data are drawn from. Numbers are binary fractions, so that sums are exact.

    `money` is minor units; text folds and orders in more than one way.
    """

    texts: tuple[str, ...] = (
        "Acme",
        "acme",
        "ACME Ltd",
        "a",
        "B",
        "Zürich",
        "zÜRICH",
        "ß",
        "Σίσυφος",
        "100%",
        "a_b",
        "\\",
        "𝔘",
        "ﬀ",
    )
    parts: tuple[str, ...] = ("a", "AC", "ü", "σ", "%", "_", "\\", "m", "Ltd", "𝔘")
    numbers: tuple[float, ...] = (-1.0, 0.0, 0.25, 0.5, 1.0, 2.5, 9.0, 39.75, 40.0, 50.0, 70.0, 100.0)
    integers: tuple[int, ...] = (0, 1, 2, 3, 10, 250)
    money: tuple[int, ...] = (-100, 0, 1, 99, 10_000, 100_050, 5_000_000, 900_000_000_000)
    days: tuple[date, ...] = tuple(
        TODAY + timedelta(n) for n in (-400, -180, -61, -31, -30, -29, -8, -7, -1, 0, 1, 6, 7, 29, 30, 89, 90, 91, 365)
    )
    instants: tuple[datetime, ...] = tuple(
        AS_OF + timedelta(hours=n) for n in (-9_600, -1_464, -720, -719, -168, -25, -24, -10, -1, 0, 1, 24, 720)
    )


POOLS = Pools()


def criteria(
    entity: Entity, workspace: Workspace = WORKSPACE, pools: Pools = POOLS, depth: int = 3
) -> st.SearchStrategy[Node]:
    """Criteria of accounts or contacts that `check` accepts under SETTING: every predicate of this version."""

    @st.composite
    def drawn(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Node:
        return _Author(draw, workspace, pools).filter(entity, depth, nest=2)

    return drawn().filter(lambda node: related(node) <= 10)


def related(node: object) -> int:
    """How many related sub-queries a tree has."""
    if isinstance(node, tuple):
        return sum(related(n) for n in node)
    inner = [getattr(node, name, None) for name in ("args", "arg", "of", "where")]
    return isinstance(node, (nodes.Aggregate, nodes.Quant)) + sum(related(n) for n in inner if n is not None)


@dataclass
class _Author:
    """Writes one criteria; `nest` bounds relations inside relations."""

    draw: Callable[[st.SearchStrategy[Any]], Any]
    workspace: Workspace
    pools: Pools
    known: dict[str, list[tuple[str, Typing]]] = field(default_factory=dict)

    def pick(self, options: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(options))

    def coin(self) -> bool:
        return bool(self.draw(st.booleans()))

    # -- predicates ----------------------------------------------------------------------------------------------------

    def filter(self, entity: Entity, depth: int, nest: int) -> Node:
        shape = self.pick(("leaf", "leaf", "and", "or", "not")) if depth > 1 else "leaf"
        if shape == "leaf":
            return self.leaf(entity, nest)
        if shape == "not":
            return nodes.Not(self.filter(entity, depth - 1, nest))
        args = tuple(self.filter(entity, depth - 1, nest) for _ in range(self.pick((2, 2, 3))))
        return nodes.And(args) if shape == "and" else nodes.Or(args)

    def leaf(self, entity: Entity, nest: int) -> Node:
        kinds = ["field"] * 6 + ["all"] * (self.pick(range(8)) == 0)
        if nest and any(r.many for r in entity.relations.values()):
            kinds += ["quant", "quant", "fold", "fold", "change"]
        if entity.name == "accounts":
            kinds += ["segment", "moved"]
        if entity.name in RANKED:
            kinds += ["rank"] + ["list"] * (self.pick(range(4)) == 0)
        match self.pick(kinds):
            case "all":
                return nodes.All()
            case "quant":
                relation = self.relation(entity)
                return nodes.Quant(
                    self.pick(("any", "none", "all")), relation, self.where(relation, nest), self.window_or_none()
                )
            case "fold":
                of, kind = self.fold(entity, nest)
                return self.asked(of, kind, entity)
            case "change":
                return self.asked(*self.change(entity, nest), entity)
            case "segment":
                known = self.pick(list(self.workspace.segmentations.values()))
                return nodes.Segment(known.slug, self.pick(known.segments))
            case "moved":
                known = self.pick(list(self.workspace.segmentations.values()))
                event = self.pick(("entered", "left"))
                return nodes.Segment(known.slug, self.pick(known.segments), event, self.window(True))
            case "list":
                return nodes.InList(str(self.pick([one.id for one in LISTS if one.entity == entity.name])))
            case "rank":
                return self.ranked(entity)
            case _:
                path, kind = self.pick([(p, t) for p, t in self.fields(entity) if QUESTIONS[t.kind]])
                return self.asked(nodes.Path(path), kind, entity)

    def ranked(self, entity: Entity) -> Node:
        """A question of a rank; that of an account's field may be a contact's."""
        prefix = "account." if entity.name == "contacts" and self.coin() else ""
        known = [(p, t) for p, t in self.fields(entity) if p.startswith("account.") == bool(prefix)]
        numbers = [p for p, t in known if t.kind in NUMBERS]
        groups = [p for p, t in known if t.kind in GROUPING and not (prefix and p.endswith(".account"))]
        fn = self.pick(RANKINGS)
        of = nodes.Rank(fn, self.pick(numbers), self.pick(groups) if self.coin() else None)
        values: tuple[Any, ...] = (-1, 0, Decimal("0.25"), Decimal("0.9"), 1, 2, 4, Decimal("7.5"), 40, 100)
        one, other = (nodes.Const(self.pick(values)) for _ in range(2))
        match self.pick(("cmp", "cmp", "in", "range", "empty")):
            case "cmp":
                return nodes.Cmp(of, self.pick(("eq", "ne", "lt", "le", "gt", "ge")), one)
            case "in":
                return nodes.In(of, (one, other))
            case "range":
                return nodes.Range(of, self.pick((one, None)), other, self.coin())
            case _:
                return nodes.Empty(of)

    def asked(self, of: nodes.Operand, kind: Typing, entity: Entity) -> Node:
        """Some question that can be asked of the operand."""
        value = partial(self.value, kind, entity)
        question: Question = self.pick(QUESTIONS[kind.kind])
        match question:
            case "empty":
                return nodes.Empty(of)
            case "equal" if self.coin():
                return nodes.In(of, tuple(value(whole=True) for _ in range(self.pick((1, 2, 4)))))
            case "equal":
                return nodes.Cmp(of, self.pick(("eq", "ne")), value(whole=True))
            case "order" if self.coin():
                lo, hi = value(), value()
                one_sided = self.pick(("both", "lo", "hi"))
                return nodes.Range(
                    of, None if one_sided == "hi" else lo, None if one_sided == "lo" else hi, self.coin()
                )
            case "order":
                return nodes.Cmp(of, self.pick(("lt", "le", "gt", "ge")), value())
            case "time":
                return nodes.Time(of, self.window(kind.kind == "instant"))
            case "text":
                if not isinstance(of, nodes.Path):
                    return nodes.Empty(of)
                part = nodes.Const(self.pick(self.pools.parts))
                return nodes.Text(of, self.pick(("contains", "starts_with", "ends_with")), part)
            case "tags":
                assert isinstance(of, nodes.Path)
                tags = tuple(nodes.Const(slug("products", self.pick(range(COUNT)))) for _ in range(self.pick((1, 2))))
                return nodes.Has(of, self.pick(("any_of", "all_of")), tags)

    # -- operands ------------------------------------------------------------------------------------------------------

    def fields(self, entity: Entity) -> list[tuple[str, Typing]]:
        if entity.name not in self.known:
            found = ((p, find(p, entity, self.workspace)) for p in paths(entity, self.workspace))
            self.known[entity.name] = [(p, typing(p, of, self.workspace)) for p, of in found if of]
        return self.known[entity.name]

    def relation(self, entity: Entity) -> str:
        return str(self.pick([r.name for r in entity.relations.values() if r.many]))

    def where(self, relation: str, nest: int) -> Node | None:
        return self.filter(ENTITIES[relation], self.pick((1, 1, 2)), nest - 1) if self.coin() else None

    def fold(self, entity: Entity, nest: int, window: bool = True) -> tuple[nodes.Aggregate, Typing]:
        relation, fn = self.relation(entity), self.pick(FOLDS)
        within = self.window_or_none() if window else None
        target = entity.relations[relation]
        if fn != "count":
            possible = []
            for each in ENTITIES[relation].fields.values():
                try:
                    possible.append((each.name, fold_typing(fn, target, each, NOWHERE)))
                except Invalid:
                    continue
            if possible:
                name, kind = self.pick(possible)
                return nodes.Aggregate(fn, relation, name, self.where(relation, nest), within), kind
        kind = fold_typing("count", target, None, NOWHERE)
        return nodes.Aggregate("count", relation, None, self.where(relation, nest), within), kind

    def change(self, entity: Entity, nest: int) -> tuple[nodes.Operand, Typing]:
        of, kind = self.fold(entity, nest, window=False)
        if kind.kind not in ("number", "integer", "money"):
            return of, kind
        absolute = self.coin()
        now, was = self.window(False), self.window(False)
        if absolute:
            return nodes.Change("change_abs", of, now, was), kind
        return nodes.Change("change", of, now, was), Typing("change", "number")

    # -- values and windows --------------------------------------------------------------------------------------------

    def value(self, kind: Typing, entity: Entity, whole: bool = False) -> nodes.Value:
        """`whole`: no fraction beside integers."""
        if kind.kind not in ("ref", "tags") and self.pick(range(6)) == 0:
            same = [p for p, t in self.fields(entity) if t.kind == kind.kind]
            if same:
                return nodes.FieldValue(self.pick(same))
        if kind.kind in ("date", "instant") and self.pick(range(3)) == 0:
            span = self.span(kind.kind == "instant")
            return nodes.Ago(span) if self.coin() else nodes.FromNow(span)
        if kind.target == "users" and self.coin():
            return nodes.Me() if self.coin() else nodes.MyTeam()
        if kind.kind == "text" and self.pick(range(8)) == 0:
            return nodes.Param("word")
        return nodes.Const(self.scalar(kind, whole))

    def scalar(self, kind: Typing, whole: bool) -> nodes.Scalar:
        match kind.kind:
            case "text":
                return str(self.pick(self.pools.texts))
            case "slug":
                return slug(kind.target or "industries", self.pick(range(COUNT)))
            case "enum":
                return str(self.pick(kind.values))
            case "number":
                return number(Decimal(self.pick(self.pools.numbers)))
            case "integer" if not whole and self.coin():
                return Decimal("2.5")
            case "integer":
                return int(self.pick(self.pools.integers))
            case "money":
                minor = Decimal(self.pick(self.pools.money))
                return number(minor.scaleb(-self.workspace.minor_digits))
            case "date":
                return str(self.pick(self.pools.days).isoformat())
            case "instant":
                return str(self.pick((*self.pools.instants, *self.pools.days)).isoformat())
            case "bool":
                return self.coin()
            case "id":
                return str(id_of(self.pick(("accounts", "contacts")), self.pick(range(COUNT))))
            case _:
                return self.name(kind.target or "accounts")

    def name(self, target: str) -> str:
        n = self.pick(range(COUNT))
        ways = [str(id_of(target, n)), external_id(target, n), "nobody"]
        if "email" in ENTITIES[target].fields:
            ways.append(email(target, n))
        return str(self.pick(ways))

    def span(self, hours: bool) -> nodes.Duration:
        unit = self.pick(("min", "h", "d", "w", "mo", "q", "y") if hours else ("d", "w", "mo", "q", "y"))
        return nodes.Duration(self.pick((1, 2, 7, 30, 90)), unit)

    def window_or_none(self) -> nodes.Window | None:
        return self.window(False) if self.coin() else None

    def window(self, hours: bool) -> nodes.Window:
        if self.coin():
            return nodes.Period(self.pick(("this", "previous", "next")), self.pick(CALENDARS))
        span = self.span(hours)
        return nodes.Rolling(self.pick(("last", "next")), span.n, span.unit)
