"""The law of retention: what SQL adds up by sets is what plain Python finds contract by contract."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from app.domain.criteria.meant import All
from app.domain.forecasting.periods import Asked, Series, cut
from app.domain.forecasting.retention import NAMES, Name, Sums
from app.persistence import retention
from app.persistence.database import Database
from app.persistence.retention import Of
from app.services.calls import new_id
from tests.services.organisations import NOW, Organisation, organisation

TODAY = date(2026, 11, 22)
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
            at += timedelta(days + rng.choice((1, 1, 1, -31, -30, -29, 30, 45, 46, 47, 400)))


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


def added(contracts: Sequence[Contract], start: date, end: date, *, by_product: bool = False) -> Sums:
    """The reference: an account at a time (and a product at a time), a renewal at a time."""
    found: dict[str, int] = dict.fromkeys(asdict(Sums()), 0)
    held: dict[Any, list[Contract]] = defaultdict(list)
    for one in contracts:
        held[one.account, one.product if by_product else None].append(one)
    for mine in held.values():
        began, ended = (max(0, sum(c.arr for c in mine if c.holds(day))) for day in (start, end))
        found["began"] += began
        if began:
            found["accounts"] += 1
            found["stayed"] += min(began, ended)
            found["ended"] += ended
            found["lost"] += ended == 0
        else:
            found["left_out_accounts"] += ended > 0
            found["left_out"] += ended
    return Sums(**found | renewed(contracts, start, end))


def renewed(contracts: Sequence[Contract], start: date, end: date) -> dict[str, int]:
    terms = [c for c in contracts if c.arr > 0 and c.end is not None]
    paid: dict[Any, int] = defaultdict(int)
    for one in contracts:
        near = [t for t in terms if one.arr > 0 and continues(one, t)]
        if near:
            best = min(near, key=lambda t: (abs((one.start - ended_on(t)).days - 1), -ended_on(t).toordinal()))
            paid[best.account, best.product, best.end] += one.arr
    due: dict[Any, list[Contract]] = defaultdict(list)
    for term in terms:
        if start <= ended_on(term) < end:
            due[term.account, term.product, term.end].append(term)
    found: dict[str, int] = defaultdict(int)
    whose: set[UUID] = set()
    for key, mine in due.items():
        late = (TODAY - key[2]).days > 45
        settled = [t for t in mine if t.outcome is not None or key in paid or late]
        asked, waiting = sum(t.arr for t in settled), sum(t.arr for t in mine if t not in settled)
        came = paid.get(key, sum(t.arr for t in mine if t.outcome not in (None, "churned")))
        found["renewals"] += asked > 0
        found["due"] += asked
        found["gross"] += min(asked, came)
        found["net"] += came
        found["open_renewals"] += waiting > 0
        found["open_due"] += waiting
        whose |= {key[0]} if asked else set()
    return {**found, "accounts_due": len(whose)}


def ended_on(term: Contract) -> date:
    assert term.end is not None
    return term.end


def continues(one: Contract, term: Contract) -> bool:
    days = (one.start - ended_on(term)).days
    same = (one.account, one.product) == (term.account, term.product) and one.id != term.id
    return same and term.start < one.start and -30 <= days <= 45 and term.outcome != "churned"


@pytest.mark.parametrize(("start", "end"), PERIODS)
async def test_the_whole_is_what_rows_add_up_to(world: World, start: date, end: date) -> None:
    found = await retention.totals(world.org.db, world.of, Asked(start, end))
    assert found == added(world.contracts, start, end)
    for product in ("crm", "erp"):
        of_one = [c for c in world.contracts if c.product == product]
        assert await retention.totals(world.org.db, world.of, Asked(start, end, product=product)) == added(
            of_one, start, end
        )


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
    parts: dict[Any, list[Contract]] = defaultdict(list)
    for one in world.contracts:
        parts[lanes[one.account] if name == "lane" else one.product].append(one)
    wanted = {key: added(mine, start, end, by_product=name == "product") for key, mine in parts.items()}
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
