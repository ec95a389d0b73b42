"""What is odd about criteria that mean something: said for nothing, never true, always true, or true by emptiness.

Each finding is a claim: putting `instead` in the place of `node` changes no row. It holds for every workspace whose
records keep what the catalogue declares, and for moments that are not in the past.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from app.domain.catalogue import ENTITIES, Entity, Relation
from app.domain.criteria import meant, nodes
from app.domain.criteria.ahead import sooner
from app.domain.criteria.asked import (
    NOTHING,
    holds_empty,
    key_of,
    lessened,
    operand,
    says_all,
    undenied,
    wheres,
    written,
)
from app.domain.criteria.beside import Beside
from app.domain.criteria.check import Setting, check
from app.domain.criteria.logic import TRUE, Every, Formula, Some, World, formula, is_past, keys, negation
from app.domain.criteria.logic import Literal as Told
from app.domain.criteria.meant import Meaning, Operand
from app.domain.criteria.nodes import At, Node
from app.domain.criteria.referred import Referred
from app.domain.criteria.scales import off_scale
from app.domain.criteria.suggest import nearest

Code = Literal[
    "contradiction", "tautology", "dead_clause", "unknown_value", "matches_empty", "only_empty", "out_of_bounds",
    "never_empty", "empty_window", "future_window",
]  # fmt: skip
CODES: Mapping[Code, str] = MappingProxyType(
    {
        "contradiction": "No record can meet this: what is asked rules itself out.",
        "tautology": "Every record meets this: it asks for nothing.",
        "dead_clause": "This changes nothing: what stands beside it already decides.",
        "unknown_value": "Nothing in this workspace has this value.",
        "matches_empty": "This also holds where the value is empty: add IS NOT EMPTY to leave those records out.",
        "only_empty": "This holds only where the value is empty: say IS EMPTY.",
        "out_of_bounds": "No record can meet this: the field has no such values.",
        "never_empty": "This value is never empty.",
        "empty_window": "This window holds nothing: what it is on is written when it happens, and never lies in the future.",
        "future_window": "This window lies ahead, and what it is on has happened when it is written: it holds next to nothing.",
    }
)
"""Every warning, with what it says."""

MAX_FINDINGS = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """A warning about `node`, which stands at `at`. `instead` says the same; where it is None, `node` can be left out."""

    code: Code
    at: At
    node: Node
    instead: Node | None
    suggestion: str | None = None

    @property
    def message(self) -> str:
        return CODES[self.code]


def lint(
    node: Node,
    entity: Entity,
    setting: Setting,
    now: datetime,
    known: Mapping[str, Collection[str]] | None = None,
    lost: Collection[Referred] = (),
) -> tuple[Finding, ...]:
    """Findings in the order in which they were said, at most MAX_FINDINGS.

    `known`: all slugs that there are, by entity; of an entity that is not there, slugs are not looked at.
    `lost`: what the criteria refer to and is not there. `now` is the moment of asking, which the setting's clock may be
    moved from. Raises Invalid as `check` does.
    """
    linter = _Linter(setting, World(setting.workspace, max(now, setting.clock.as_of)), known or {}, lost)
    linter.criteria(node, entity)
    return tuple(linter.found[:MAX_FINDINGS])


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A node with what it means, and whether it never or always holds, whatever stands around it."""

    node: Node
    meaning: Meaning
    formula: Formula
    never: bool
    always: bool


@dataclass(slots=True)
class _Linter:
    setting: Setting
    world: World
    known: Mapping[str, Collection[str]]
    lost: Collection[Referred]
    found: list[Finding] = field(default_factory=list)

    def criteria(self, node: Node, entity: Entity) -> None:
        """A whole criteria: of records, or of related rows."""
        meaning = check(node, entity, self.setting).meaning
        self._look(self._part(node, meaning), entity, (), negated=False)

    def _part(self, node: Node, meaning: Meaning) -> _Part:
        told = _told(node, meaning)
        never, always = self.world.impossible((told,)), self.world.impossible((negation(told),))
        return _Part(node, meaning, told, never, always)

    def _say(self, code: Code, node: Node, instead: Node | None, at: At | None = None, near: str | None = None) -> None:
        self.found.append(Finding(code, at or node.at, node, instead, near))

    def _look(self, part: _Part, entity: Entity, beside: Sequence[Formula], *, negated: bool) -> None:
        """`beside`: what holds wherever this node decides. `negated`: an odd number of NOT stands around it."""
        match part.node, part.meaning:
            case (nodes.And(args), meant.And(meanings)) | (nodes.Or(args), meant.Or(meanings)):
                parts = [self._part(arg, meaning) for arg, meaning in zip(args, meanings, strict=True)]
                self._group(part, parts, entity, beside, negated)
            case nodes.Not(nodes.And() | nodes.Or() | nodes.Not() as arg), meant.Not(meaning):
                self._look(self._part(arg, meaning), entity, beside, negated=not negated)
            case _:
                self._leaf(part, entity, beside, negated)

    # -- AND and OR ----------------------------------------------------------------------------------------------------

    def _group(
        self, whole: _Part, parts: list[_Part], entity: Entity, beside: Sequence[Formula], negated: bool
    ) -> None:
        joint = isinstance(whole.node, nodes.And)
        settled = [p for p in parts if (p.never if joint else p.always) and not says_all(p.node)]
        if settled:
            for part in parts:
                if part in settled:
                    self._look(part, entity, (), negated=negated)
                else:
                    self._values(part, entity)
            return
        if whole.never if joint else whole.always:
            self._say("contradiction" if joint else "tautology", whole.node, NOTHING if joint else nodes.All())
            for part in parts:
                self._values(part, entity)
            return
        given = Beside([_given(part, joint) for part in _open(parts)])
        alive = self._alive(parts, given, beside, joint)
        for part in parts:
            if (part.never or part.always) and not says_all(part.node):
                self._look(part, entity, (), negated=negated)
            elif id(part) not in alive:
                self._say("dead_clause", part.node, None)
            else:
                self._look(part, entity, (*beside, *given.around(_given(part, joint))), negated=negated)

    def _alive(self, parts: list[_Part], given: Beside, beside: Sequence[Formula], joint: bool) -> Collection[int]:
        """The ids of the parts that decide something; of two that say the same, the earlier one."""
        alive = set()
        for part in reversed(_open(parts)):
            told = _given(part, joint)
            given.take(told)
            # An argument of AND says nothing where it holds, one of OR where it does not, beside all the others.
            asked = negation(told)
            mine = keys(asked)
            others = (*(b for b in beside if not mine.isdisjoint(keys(b))), *given.about(mine))
            if not self.world.impossible((asked, *others)):
                given.keep(told)
                alive.add(id(part))
        return alive

    def _values(self, part: _Part, entity: Entity) -> None:
        """What is wrong about values where all else is decided already."""
        match part.node, part.meaning:
            case (nodes.And(args), meant.And(meanings)) | (nodes.Or(args), meant.Or(meanings)):
                for arg, meaning in zip(args, meanings, strict=True):
                    self._values(self._part(arg, meaning), entity)
            case nodes.Not(nodes.And() | nodes.Or() | nodes.Not() as arg), meant.Not(meaning):
                self._values(self._part(arg, meaning), entity)
            case _:
                self._inside(part.node, entity)
                self._unknown(part)

    # -- leaves --------------------------------------------------------------------------------------------------------

    def _leaf(self, part: _Part, entity: Entity, beside: Sequence[Formula], negated: bool) -> None:
        if says_all(part.node):
            return
        self._inside(part.node, entity)
        if self._unknown(part) or self._windows(part.node, entity):
            return
        if off_scale(undenied(part.node)):
            self._say("out_of_bounds", part.node, nodes.All() if isinstance(part.node, nodes.Not) else NOTHING)
        elif part.never:
            self._say(self._why(part, never=True), part.node, NOTHING)
        elif part.always:
            self._say(self._why(part, never=False), part.node, nodes.All())
        else:
            self._future(part.node, entity)
            self._by_emptiness(part, beside, negated)

    def _why(self, part: _Part, *, never: bool) -> Code:
        """By what a leaf is decided: by itself, or by what the field can be."""
        told = part.formula if never else negation(part.formula)
        if not isinstance(told, Told) or told.region.nothing:
            return "contradiction" if never else "tautology"
        if isinstance(undenied(part.node), nodes.Empty):
            return "never_empty"
        if isinstance(told.key, meant.Column) and is_past(told.key.field):
            return "empty_window" if never else "tautology"
        return "out_of_bounds" if never else "tautology"

    def _by_emptiness(self, part: _Part, beside: Sequence[Formula], negated: bool) -> None:
        """A leaf that holds for empty values, without saying so; under NOT, one that does not."""
        of = operand(undenied(part.node))
        if of is None or isinstance(of, nodes.Rank) or isinstance(undenied(part.node), nodes.Empty):
            return
        key = key_of(part.meaning)
        if key is None or not self.world.can_be_empty(key) or self._filled(key, beside):
            return
        if isinstance(part.formula, Told) and part.formula.key == key:
            told = ~part.formula.region if negated else part.formula.region
            if told.empty and (told & self.world.universe(key)).valueless:
                self._say("only_empty", part.node, nodes.Not(nodes.Empty(of)) if negated else nodes.Empty(of))
                return
        if holds_empty(part.meaning) != negated:
            filled = nodes.And((nodes.Not(nodes.Empty(of)), part.node))
            self._say("matches_empty", part.node, filled if negated else nodes.Or((nodes.Empty(of), part.node)))

    def _filled(self, key: Operand, beside: Sequence[Formula]) -> bool:
        """Whether the operand has a value wherever this decides."""
        box = self.world.narrowed(b for b in beside if key in keys(b))
        return box is not None and key in box and not box[key].empty

    # -- values, windows, related rows ---------------------------------------------------------------------------------

    def _unknown(self, part: _Part) -> bool:
        """Values that nothing has, where all that there are are known."""
        key = key_of(part.meaning)
        names = self._names(key)
        told = [v for v in written(undenied(part.node)) if isinstance(v.value, str)]
        if isinstance(key, meant.Column) and key.field.kind == "ref":
            wrong = [v for v in told if (key.field.target, v.value) in self.lost]
        else:
            wrong = [v for v in told if names is not None and v.value not in names]
        for value in wrong:
            other = lessened(undenied(part.node), value)
            denied = isinstance(part.node, nodes.Not)
            self._say(
                "unknown_value", part.node, nodes.Not(other) if denied else other,
                value.at, nearest(str(value.value), names or ()),
            )  # fmt: skip
        return bool(wrong)

    def _names(self, key: Operand | None) -> Collection[str] | None:
        match key:
            case meant.Column(of) | meant.FoldOf(field=of) if of is not None and of.kind == "slug":
                return self.known.get(of.target or "")
            case meant.Column(of) if of.kind == "tags":
                return self.known.get(of.name)
            case meant.CustomOf(of) if of.kind == "tags" and of.values:
                return of.values
            case _:
                return None

    def _windows(self, node: Node, entity: Entity) -> bool:
        """A window of related rows that can hold none."""
        leaf = undenied(node)
        match leaf:
            case nodes.Quant(rel=rel, window=window) if window:
                emptied: Node = replace(leaf, where=NOTHING, window=None)
            case nodes.Cmp(of=nodes.Aggregate(rel=rel, window=window) as of) if window:
                emptied = replace(leaf, of=replace(of, where=NOTHING, window=None))
            case _:
                return False
        target = ENTITIES[entity.relations[rel].target]
        if target.time_field is None or not is_past(target.fields[target.time_field]):
            return False
        if not self._ahead(window, entity.relations[rel]):
            return False
        self._say("empty_window", node, nodes.Not(emptied) if isinstance(node, nodes.Not) else emptied, window.at)
        return True

    def _ahead(self, window: nodes.Window, relation: Relation) -> bool:
        """Whether a window begins now or later."""
        of = nodes.Path(str(ENTITIES[relation.target].time_field))
        meaning = check(nodes.Time(of, window), ENTITIES[relation.target], self.setting).meaning
        return self.world.impossible((formula(meaning),))

    def _future(self, node: Node, entity: Entity) -> None:
        """A window that begins now, on what has happened by now."""
        found = sooner(undenied(node), entity, self.setting)
        if found is not None and self.world.now == self.setting.clock.as_of:
            nearer, at = found
            self._say("future_window", node, nodes.Not(nearer) if isinstance(node, nodes.Not) else nearer, at)

    def _inside(self, node: Node, entity: Entity) -> None:
        """Criteria of related rows are criteria of their own."""
        for rel, where in wheres(undenied(node)):
            self.criteria(where, ENTITIES[entity.relations[rel].target])


def _told(node: Node, meaning: Meaning) -> Formula:
    """The formula of a node; ranks and lists, whose meaning may be another tomorrow, are atoms."""
    match node, meaning:
        case (nodes.And(args), meant.And(parts)) | (nodes.Or(args), meant.Or(parts)):
            told = tuple(_told(arg, part) for arg, part in zip(args, parts, strict=True))
            return Every(told) if isinstance(node, nodes.And) else Some(told)
        case nodes.Not(arg), meant.Not(part):
            return negation(_told(arg, part))
        case _:
            atom = isinstance(node, nodes.InList) or isinstance(operand(node), nodes.Rank)
            return Told(node, TRUE) if atom else formula(meaning)


def _open(parts: list[_Part]) -> list[_Part]:
    """Those that neither always nor never hold."""
    return [part for part in parts if not (part.never or part.always)]


def _given(part: _Part, joint: bool) -> Formula:
    """What can be taken as given beside a part: that it holds under AND, that it does not under OR."""
    return part.formula if joint else negation(part.formula)
