"""Laws of explaining: what it says of verdicts, values, flips and the fewest leaves is so."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.domain.catalogue import ENTITIES
from app.domain.criteria import text
from app.domain.criteria.check import Setting, check
from app.domain.criteria.edges import END, TICK
from app.domain.criteria.evaluate import holds
from app.domain.criteria.explain import Explanation, explain, read
from app.domain.criteria.fewest import fewest
from app.domain.criteria.flips import followed
from app.domain.criteria.leaves import Branch, Joint, Leaf, Tree, at_moment, decided, grown, leaves
from app.domain.criteria.meant import All
from app.domain.criteria.nodes import Node
from app.domain.workspaces import clock
from app.persistence import explain as rows
from app.persistence.compile.explained import explained
from app.persistence.database import Database
from tests.laws.population import Population, Record, populate, store
from tests.laws.trees import AS_OF, SETTING, WORKSPACE, criteria

USUAL = 300
ROUNDS = int(os.environ.get("STRATA_LAW_ROUNDS", "0")) * 5 or USUAL
RUN = settings(
    max_examples=ROUNDS, deadline=None, derandomize=ROUNDS == USUAL, suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)  # fmt: skip
SHIFTS = [timedelta(days=n) for n in (0, 0, -400, -31, -7, 1, 30)] + [timedelta(hours=16), timedelta(minutes=-7)]
SEEN: Counter[str] = Counter()


@pytest.fixture(scope="module")
async def population(db: Database) -> Population:
    """The workspace that is asked, beside another one with the same ids and other values."""
    made = populate(WORKSPACE, seed=5, accounts=12)
    other = populate(replace(WORKSPACE, id=type(WORKSPACE.id)(int=8)), seed=6, accounts=12)
    async with db.transaction() as tx:
        await store(tx, made)
        await store(tx, other)
    return made


def at(by: timedelta) -> Setting:
    return at_moment(SETTING, AS_OF + by)


def by_reference(tree: Tree, record: Record) -> Explanation:
    found = [read(leaf, record) for leaf in leaves(tree)]
    return explain(tree, found, followed(leaves(tree), [one.verdict for one in found], record))


def says(node: Node, entity: str, setting: Setting, moment: datetime, record: Any) -> bool:
    return holds(check(node, ENTITIES[entity], at_moment(setting, moment)).meaning, record)


# -- flips -------------------------------------------------------------------------------------------------------------


def samples(since: datetime, until: datetime | None) -> list[datetime]:
    """Moments between two: close to both, and spread in between."""
    end = until or min(since + timedelta(days=900), END)
    near = [timedelta(0), TICK, timedelta(minutes=1), timedelta(hours=1), timedelta(hours=15), timedelta(days=1)]
    found = [since + by for by in near] + [end - TICK - by for by in near]
    found += [since + (end - since) * n / 23 for n in range(1, 23)]
    return [one for one in found if since <= one < end]


def stays_until_it_flips(node: Node, entity: str, setting: Setting, record: Any, flip: datetime | None) -> None:
    now = setting.clock.as_of
    verdict = says(node, entity, setting, now, record)
    for moment in samples(now, flip):
        assert says(node, entity, setting, moment, record) == verdict, (text.format(node), moment, flip)
    if flip is not None:
        SEEN["flips"] += 1
        assert says(node, entity, setting, flip - TICK, record) == verdict, (text.format(node), flip)
        assert says(node, entity, setting, flip, record) != verdict, (text.format(node), flip)


def flips_as_it_says(population: Population, entity: str, node: Node, shift: timedelta, n: int) -> None:
    setting, records = at(shift), population.records[entity]
    record = records[n % len(records)]
    tree = grown(node, ENTITIES[entity], setting)
    told = by_reference(tree, record)
    assert told.verdict == says(node, entity, setting, setting.clock.as_of, record)
    for leaf, flip in zip(leaves(tree), told.flips, strict=True):
        assert flip.known
        stays_until_it_flips(leaf.node, entity, leaf.setting, record, flip.at)
    assert told.flip.known
    stays_until_it_flips(node, entity, setting, record, told.flip.at)


@RUN
@given(node=criteria(ENTITIES["accounts"]), shift=st.sampled_from(SHIFTS), n=st.integers(0, 1000))
def test_flips_of_accounts(population: Population, node: Node, shift: timedelta, n: int) -> None:
    flips_as_it_says(population, "accounts", node, shift, n)


@RUN
@given(node=criteria(ENTITIES["contacts"]), shift=st.sampled_from(SHIFTS), n=st.integers(0, 1000))
def test_flips_of_contacts(population: Population, node: Node, shift: timedelta, n: int) -> None:
    flips_as_it_says(population, "contacts", node, shift, n)


def test_flips_were_seen() -> None:
    assert SEEN["flips"] > 100


NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = ("Europe/Berlin", "America/St_Johns", "Pacific/Auckland", "Australia/Lord_Howe", "Africa/Cairo", "UTC")
SPELLED = (
    "last_active_at IN last(1mo)", "last_active_at IN next(1mo)", "last_active_at IN last(1q)", "last_active_at < ago(1mo)",
    "last_active_at > from_now(1y)", "last_active_at IN previous(week)", "last_active_at IN this(fiscal_quarter)",
    "last_active_at IN last(25h)", "last_active_at IN next(2w)", "renewal_date IN last(1mo)", "renewal_date IN next(1q)",
    "renewal_date = ago(1mo)", "renewal_date IN previous(month)", "renewal_date < from_now(30d)", "renewal_date IN last(2w)",
)  # fmt: skip


@RUN
@given(
    source=st.sampled_from(SPELLED), zone=st.sampled_from(ZONES),
    now=st.timedeltas(timedelta(days=25), timedelta(days=345)).map(lambda by: NEW_YEAR + by),
    away=st.timedeltas(timedelta(days=-45), timedelta(days=45)),
)  # fmt: skip
def test_flips_across_month_ends_and_clock_changes(source: str, zone: str, now: datetime, away: timedelta) -> None:
    """One time, and every quarter of an hour that follows until it flips, or two months have passed."""
    node = text.parse(source)
    setting = replace(SETTING, clock=replace(clock(WORKSPACE, now), zone=ZoneInfo(zone)))
    record = {"last_active_at": now + away, "renewal_date": (now + away).date()}
    (flip,) = by_reference(grown(node, ENTITIES["accounts"], setting), Record(record)).flips
    stays_until_it_flips(node, "accounts", setting, record, flip.at)
    verdict, moment = says(node, "accounts", setting, now, record), now
    until = min(flip.at or END, now + timedelta(days=61))
    while moment < until:
        assert says(node, "accounts", setting, moment, record) == verdict, (moment, flip)
        moment += timedelta(minutes=15 if abs((moment - now).days) < 3 else 150)


@pytest.mark.parametrize(
    ("source", "zone", "now", "when", "flip"),
    [
        # the 29th of March looks back to the 28th of February from its beginning on
        ("last_active_at IN last(1mo)", "UTC", "2026-03-28T13:00", "2026-02-28T12:00", "2026-03-29T00:00"),
        ("last_active_at < ago(1mo)", "UTC", "2026-03-28T13:00", "2026-02-28T12:00", "2026-03-29T00:00"),
        ("last_active_at IN next(1mo)", "UTC", "2026-01-31T20:00", "2026-02-28T21:00", "2026-01-31T21:00:00.000001"),
        # the day on which clocks leap lies a month away
        ("last_active_at < from_now(4w)", "Europe/Berlin", "2026-03-01T00:00", "2026-03-29T01:10", "2026-03-01T01:10:00.000001"),
        ("last_active_at > from_now(1mo)", "Europe/Berlin", "2026-02-28T00:00", "2026-03-29T01:10", "2026-02-28T23:00"),
        ("renewal_date IN last(1mo)", "UTC", "2026-03-28T13:00", "2026-02-28T12:00", "2026-03-31T00:00"),
    ],
)  # fmt: skip
def test_leaps(source: str, zone: str, now: str, when: str, flip: str) -> None:
    at, moment = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (now, when))
    setting = replace(SETTING, clock=replace(clock(WORKSPACE, at), zone=ZoneInfo(zone)))
    record = Record({"last_active_at": moment, "renewal_date": moment.date()})
    (found,) = by_reference(grown(text.parse(source), ENTITIES["accounts"], setting), record).flips
    stays_until_it_flips(text.parse(source), "accounts", setting, record, found.at)
    assert found.at == datetime.fromisoformat(flip).replace(tzinfo=UTC)


# -- SQL ---------------------------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """As the database has it: numbers by value, ids as they are."""
    return sorted(value) if isinstance(value, tuple) else value


async def agrees(db: Database, population: Population, entity: str, node: Node, shift: timedelta, n: int) -> None:
    records = population.records[entity]
    record = records[n % len(records)]
    tree = grown(node, ENTITIES[entity], at(shift))
    every = list(leaves(tree))
    statement = explained(every, ENTITIES[entity], "id", WORKSPACE)
    raw = await rows.told(db, statement, str(record["id"]))
    assert raw is not None
    found = rows.answer(statement, raw)
    assert found.fresh
    assert not found.cut
    turns = followed(every, [one.verdict for one in found.found], found.record, found.cut)
    here, there = by_reference(tree, record), explain(tree, found.found, turns)
    said = text.format(node)
    assert there.verdict == here.verdict == holds(check(node, ENTITIES[entity], at(shift)).meaning, record), said
    for leaf, one, other in zip(every, here.found, there.found, strict=True):
        assert (one.verdict, one.by_emptiness) == (other.verdict, other.by_emptiness), text.format(leaf.node)
        assert list(map(plain, one.values)) == list(map(plain, other.values)), text.format(leaf.node)
        SEEN["evidence"] += len(other.evidence)
    assert there.flips == here.flips, said
    assert (there.flip, there.fewest) == (here.flip, here.fewest), said


@RUN
@given(node=criteria(ENTITIES["accounts"]), shift=st.sampled_from(SHIFTS), n=st.integers(0, 1000))
async def test_sql_of_accounts(db: Database, population: Population, node: Node, shift: timedelta, n: int) -> None:
    await agrees(db, population, "accounts", node, shift, n)


@RUN
@given(node=criteria(ENTITIES["contacts"]), shift=st.sampled_from(SHIFTS), n=st.integers(0, 1000))
async def test_sql_of_contacts(db: Database, population: Population, node: Node, shift: timedelta, n: int) -> None:
    await agrees(db, population, "contacts", node, shift, n)


def test_evidence_was_seen() -> None:
    assert SEEN["evidence"] > 100


# -- the fewest leaves -------------------------------------------------------------------------------------------------

LEAF = grown(text.parse("arr > 0"), ENTITIES["accounts"], SETTING)
EVERY = grown(text.parse("ALL"), ENTITIES["accounts"], SETTING)


@st.composite
def trees(draw: Any, depth: int = 4) -> Tree:
    """Trees whose leaves count from 0 in document order."""
    count = 0

    def drawn(depth: int) -> Tree:
        nonlocal count
        op = draw(st.sampled_from(("leaf", "and", "or", "not", "list"))) if depth and count < 9 else "leaf"
        if op == "leaf":
            like, count = draw(st.sampled_from((LEAF, LEAF, LEAF, EVERY))), count + 1
            assert isinstance(like, Leaf)
            return replace(like, index=count - 1)
        args = [drawn(depth - 1) for _ in range(draw(st.integers(1, 3)) if op in ("and", "or") else 1)]
        return Branch(cast(Joint, op), LEAF.node, "", tuple(args))

    return drawn(depth)


@RUN
@given(tree=trees(), seed=st.integers(0, 2**16 - 1))
def test_the_fewest_leaves_admit_and_no_fewer_do(tree: Tree, seed: int) -> None:
    every = list(leaves(tree))
    verdicts = [isinstance(leaf.meaning, All) or bool(seed >> leaf.index & 1) for leaf in every]
    turnable = [leaf.index for leaf in every if not isinstance(leaf.meaning, All)]
    told = fewest(tree, verdicts)
    for size in range(len(turnable) + 1):
        for chosen in combinations(turnable, size):
            turned = [verdict != (index in chosen) for index, verdict in enumerate(verdicts)]
            if decided(tree, turned):
                assert told == chosen
                return
    assert told is None
