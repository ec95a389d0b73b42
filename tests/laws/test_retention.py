"""The law of retention: what SQL adds up by sets is what plain Python finds contract by contract."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Any, cast
from uuid import UUID

import pytest

from app.domain.criteria.meant import All
from app.domain.forecasting import outcomes as rule
from app.domain.forecasting.outcomes import Term
from app.domain.forecasting.periods import Asked, Series, cut
from app.domain.forecasting.retention import NAMES, Name, Sums
from app.persistence import cohorts, retention
from app.persistence.database import Database
from app.persistence.retention import Of
from app.services.calls import new_id
from tests.services import terms
from tests.services.organisations import NOW, Organisation, organisation

TODAY = date(2026, 11, 22)
ALL = "all"
ACCOUNTS = 120
PRODUCTS = ("crm", "erp", None)
OUTCOMES = (None, None, None, "renewed", "expanded", "contracted", "churned")
CONTRACT = """INSERT INTO contracts (workspace_id, id, account_id, product, arr, start_date, end_date, outcome, auto_renew, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, false, '2026-01-01', '2026-01-01')"""
PERIODS = (
    (date(2025, 11, 22), TODAY), (date(2026, 1, 1), date(2026, 2, 1)), (date(2024, 2, 29), date(2026, 10, 31)),
    (date(2026, 11, 1), TODAY), (date(2023, 1, 1), date(2023, 1, 2)), (TODAY - timedelta(1), TODAY),
)  # fmt: skip


@dataclass(frozen=True)
class Contract:
    id: UUID
    account: UUID
    product: str | None
    arr: int
    start: date
    end: date | None
    outcome: str | None

    def holds(self, day: date) -> bool:
        return self.start <= day and (self.end is None or self.end >= day)


@dataclass(frozen=True)
class World:
    org: Organisation
    accounts: tuple[UUID, ...]
    contracts: tuple[Contract, ...]

    @property
    def of(self) -> Of:
        return Of(self.org.workspace, All(), "without", TODAY)


def lived(rng: Random, account: UUID) -> Iterable[Contract]:
    """Terms with gaps, overlaps, returns after years, parallel ones, credits, and terms without an end or worth nothing."""
    for _ in range(rng.choice((0, 1, 1, 2))):
        at, product = date(2022, 1, 1) + timedelta(rng.randrange(1_500)), rng.choice(PRODUCTS)
        for _ in range(rng.randrange(1, 6)):
            days = rng.choice((0, 20, 30, 90, 364, 364, 729))
            end = None if rng.random() < 0.05 else at + timedelta(days)
            arr = rng.choice((0, -500, 100, 12_345, rng.randrange(10**6), 10**13))
            made = Contract(new_id(), account, product, arr, at, end, rng.choice(OUTCOMES))
            yield made
            if rng.random() < 0.2:
                yield Contract(new_id(), account, product, rng.randrange(10**5), at, end, rng.choice(OUTCOMES))
            at += timedelta(days + rng.choice((1, 1, 1, -91, -90, -89, -50, -31, -30, 30, 31, 45, 60, 61, 400)))


@pytest.fixture(scope="module")
async def world(db: Database) -> World:
    org, rng = await organisation(db), Random(6)
    for product in filter(None, PRODUCTS):
        sql = "INSERT INTO products (workspace_id, id, name, slug, created_at, updated_at) VALUES ($1, $2, $3, $3, $4::timestamptz, $4)"
        await org.run(sql, new_id(), product, NOW)
    accounts = tuple(new_id() for _ in range(ACCOUNTS))
    contracts = tuple(one for account in accounts for one in lived(rng, account))
    async with db.transaction() as tx:
        for n, account in enumerate(accounts):
            await tx.execute(
                "INSERT INTO accounts (workspace_id, id, name, impact, arr, created_at, updated_at) VALUES ($1, $2, $3, $4, 7, $5::timestamptz, $5)",
                org.workspace.id, account, f"A {n}", (None, "severe", "low")[n % 3], NOW,
            )  # fmt: skip
        for c in contracts:
            await tx.execute(CONTRACT, org.workspace.id, c.id, c.account, c.product, c.arr, c.start, c.end, c.outcome)
    return World(org, accounts, contracts)


def added(contracts: Sequence[Contract], start: date, end: date, *, by_product: bool = False, sold: Any = ALL) -> Sums:
    """The reference: an account at a time (and a product at a time), a renewal at a time; of all contracts, or those `sold`."""
    found: dict[str, int] = dict.fromkeys(asdict(Sums()), 0)
    since = {key: day for mine in by_account(contracts) for key, day in began(mine).items()}
    held: dict[Any, list[Contract]] = defaultdict(list)
    for one in contracts:
        if sold is ALL or one.product == sold:
            held[one.account, one.product if by_product else None].append(one)
    for mine in held.values():
        first, last = (
            max(0, sum(c.arr for c in mine if c.holds(day) and since.get(c.id, day) <= day)) for day in (start, end)
        )
        found["began"] += first
        if first:
            found["accounts"] += 1
            found["stayed"] += min(first, last)
            found["ended"] += last
            found["lost"] += last == 0
        else:
            found["left_out_accounts"] += last > 0
            found["left_out"] += last
    return Sums(**found | renewed(contracts, start, end, sold))


def by_account(contracts: Sequence[Contract]) -> list[tuple[Contract, ...]]:
    found: dict[UUID, list[Contract]] = defaultdict(list)
    for one in contracts:
        found[one.account].append(one)
    return [tuple(mine) for mine in found.values()]


@cache
def began(contracts: tuple[Contract, ...]) -> dict[UUID, date]:
    """The day from which a contract counts that carries a term on: the one after that term."""
    found = {}
    for one in contracts:
        near = [t for t in contracts if one.arr >= 0 and t.arr >= 0 and carries(one, t)]
        if near:
            best = min(near, key=lambda t: (t.product != one.product, abs((one.start - ended_on(t)).days - 1), t.end))
            found[one.id] = ended_on(best) + timedelta(1)
    return found


def carries(one: Contract, term: Contract) -> bool:
    if term.end is None or one.account != term.account or term.start >= one.start:
        return False
    days = (one.start - term.end).days
    return (one.end is None or one.end > term.end) and (
        -90 <= days <= 60 if one.product == term.product else -30 <= days <= 30
    )


@cache
def became(contracts: tuple[Contract, ...]) -> list[tuple[Term, rule.Outcome]]:
    """What forecasts hold to have become of each term: the rule of the house, not another one."""
    told = [
        Term(str(c.id), str(c.account), c.product or "", c.arr, c.start, c.end, c.start, cast(Any, c.outcome))
        for c in contracts if c.arr >= 0
    ]  # fmt: skip
    known = rule.outcomes(told)
    return [(one, known[one.id]) for one in told if one.id in known]


def renewed(contracts: Sequence[Contract], start: date, end: date, sold: Any) -> dict[str, int]:
    found, whose = defaultdict[str, int](int), set()
    for term, outcome in (pair for mine in by_account(contracts) for pair in became(mine)):
        if not start <= cast(date, term.end) < end or not term.arr or sold not in (ALL, term.product or None):
            continue
        if outcome.decided_on >= TODAY:
            found["open_renewals"] += 1
            found["open_due"] += term.arr
            continue
        found["renewals"] += 1
        found["due"] += term.arr
        found["gross"] += min(term.arr, outcome.kept)
        found["net"] += outcome.kept
        whose.add(term.account)
    return {**found, "accounts_due": len(whose)}


def ended_on(term: Contract) -> date:
    assert term.end is not None
    return term.end


@pytest.mark.parametrize(("start", "end"), PERIODS)
async def test_the_whole_is_what_rows_add_up_to(world: World, start: date, end: date) -> None:
    found = await retention.totals(world.org.db, world.of, Asked(start, end))
    assert found == added(world.contracts, start, end)
    for product in ("crm", "erp"):
        told = await retention.totals(world.org.db, world.of, Asked(start, end, product=product))
        assert told == added(world.contracts, start, end, sold=product)


@pytest.mark.parametrize("series", ["month", "quarter", "year"])
async def test_each_step_has_a_start_of_its_own(world: World, series: Series) -> None:
    start, end = date(2025, 2, 10), date(2026, 11, 5)
    steps = cut(start, end, series)
    assert steps[0][0] == start
    assert steps[-1][1] == end
    assert all(a[1] == b[0] and b[0].day == 1 for a, b in itertools.pairwise(steps))
    wanted = [added(world.contracts, *step) for step in steps]
    assert await retention.series(world.org.db, world.of, steps) == wanted
    found = await retention.groups(world.org.db, world.of, Asked(start, end, series))
    assert [one.sums for one in found] == wanted


@pytest.mark.parametrize("name", ["lane", "product"])
async def test_groups(world: World, name: Any) -> None:
    start, end = PERIODS[0]
    lanes = {account: (None, "severe", "low")[n % 3] for n, account in enumerate(world.accounts)}
    found = await retention.groups(world.org.db, world.of, Asked(start, end, groups=((name, name),)))
    if name == "product":
        wanted = {one: added(world.contracts, start, end, by_product=True, sold=one) for one in PRODUCTS}
    else:
        parts: dict[Any, list[Contract]] = defaultdict(list)
        for one in world.contracts:
            parts[lanes[one.account]].append(one)
        wanted = {key: added(mine, start, end) for key, mine in parts.items()}
    assert {one.key[0]: one.sums for one in found} == {key: sums for key, sums in wanted.items() if sums != Sums()}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ascending", [True, False])
async def test_contributions_of_all_pages_add_up(world: World, name: Name, *, ascending: bool) -> None:
    asked = Asked(*PERIODS[2])
    pages, after = [], None
    while True:
        page = await retention.accounts(world.org.db, world.of, asked, name, ascending=ascending, after=after, limit=13)
        pages += page
        if len(page) < 13:
            break
        after = (int(page[-1]["contribution"]), page[-1]["account_id"])
    keys = [(row["contribution"], row["account_id"]) for row in pages]
    assert keys == sorted(keys, reverse=not ascending)
    numerator, denominator = retention.CONTRIBUTIONS[name]
    whole = await retention.totals(world.org.db, world.of, asked)
    assert sum(row["contribution"] for row in pages) == getattr(whole, numerator)
    assert sum(row["denominator"] for row in pages) == getattr(whole, denominator)
    by_account: dict[UUID, list[Contract]] = defaultdict(list)
    for one in world.contracts:
        by_account[one.account].append(one)
    wanted = {account: getattr(added(mine, asked.start, asked.end), numerator) for account, mine in by_account.items()}
    assert {row["account_id"]: row["contribution"] for row in pages} == {
        k: v for k, v in wanted.items() if k in {r["account_id"] for r in pages}
    }
    assert all(wanted[k] == 0 for k in wanted.keys() - {row["account_id"] for row in pages})


async def test_accounts_without_contracts_are_counted_apart(world: World) -> None:
    without = len(set(world.accounts) - {c.account for c in world.contracts})
    assert without > 10
    assert await retention.apart(world.org.db, world.of) == (without, 7 * without)


DUE = date(2026, 2, 28)


def after(account: UUID, days: int | None, arr: int = 1_000) -> list[Contract]:
    """A term that ends on DUE, and what begins so many days after the day on which it is due."""
    found = [Contract(new_id(), account, "p", 1_000, date(2025, 3, 1), DUE, None)]
    if days is not None:
        since = DUE + timedelta(days)
        found.append(Contract(new_id(), account, "p", arr, since, since + timedelta(729), None))
    return found


async def of_their_own(db: Database, *lives: int | None) -> World:
    org = await organisation(db)
    ids = await terms.accounts(org, [f"x{n}" for n in range(len(lives))])
    contracts = [one for account, days in zip(ids.values(), lives, strict=True) for one in after(account, days)]
    made = [Term(str(c.id), str(c.account), "p", c.arr, c.start, c.end, c.start) for c in contracts]
    await terms.contracts(org, made, {str(one): one for one in ids.values()})
    return World(org, tuple(ids.values()), tuple(contracts))


async def test_late_early_and_on_time_are_renewed_as_forecasts_say(db: Database) -> None:
    mini = await of_their_own(db, 50, -60, 1)
    found = await retention.totals(db, mini.of, Asked(date(2026, 2, 1), date(2026, 6, 1)))
    assert (found.renewals, found.due, found.gross, found.net) == (3, 3_000, 3_000, 3_000)
    # On 1 February the one renewed ahead counts once, and not as a contraction afterwards.
    assert (found.began, found.stayed, found.ended) == (3_000, 3_000, 3_000)


async def test_what_was_renewed_ahead_counts_once_on_every_day(db: Database) -> None:
    mini = await of_their_own(db, -60, -90, -1, 0, 1)
    steps = [(DUE + timedelta(n), DUE + timedelta(n + 1)) for n in range(-95, 95, 5)]
    assert {(one.began, one.ended) for one in await retention.series(db, mini.of, steps)} == {(5_000, 5_000)}


@pytest.mark.parametrize("day", [DUE + timedelta(60), DUE + timedelta(61)])
async def test_renewed_and_lost_are_decided_on_the_same_day(db: Database, day: date) -> None:
    """A renewal that is known at once and a loss two months later would make recent months too good."""
    mini = await of_their_own(db, 1, 1, None, None)
    then = Of(mini.org.workspace, All(), "without", day)
    found = await retention.totals(db, then, Asked(date(2026, 2, 1), date(2026, 4, 1)))
    if day == DUE + timedelta(60):
        assert (found.renewals, found.open_renewals, found.open_due) == (0, 4, 4_000)
    else:
        assert (found.renewals, found.due, found.gross, found.open_renewals) == (4, 4_000, 2_000, 0)


async def test_lives_of_cohorts(world: World) -> None:
    """Account by account: a life ends at the first gap of more than 60 days, and all are seen until 60 days ago."""
    wanted: dict[Any, list[int]] = defaultdict(list)
    horizon = TODAY - timedelta(60)
    for contracts in by_account(world.contracts):
        mine = sorted(
            (c for c in contracts if c.arr > 0 and c.start <= TODAY), key=lambda c: (c.start, c.end or date.max)
        )
        if not mine:
            continue
        start, until = mine[0].start, mine[0].end or date.max
        for one in mine[1:]:
            if until != date.max and one.start > until + timedelta(60):
                break
            until = max(until, one.end or date.max)
        lost = until < horizon
        days = (until - start).days + 1 if lost else max((horizon - start).days, 0)
        wanted[f"{start.year}", lost, days].append(sum(c.arr for c in mine if c.start == start))
    found = await cohorts.lives(world.org.db, world.of, None, "year")
    told = {(row["cohort"], row["lost"], row["days"]): (row["accounts"], row["arr"]) for row in found}
    assert told == {key: (len(arrs), sum(arrs)) for key, arrs in wanted.items()}
    assert {lost for _, lost, _ in told} == {True, False}
