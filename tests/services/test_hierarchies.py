"""Hierarchies: what hangs under what, and what it comes to, against plain Python over forests made by chance."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Invalid, NotFound
from app.persistence.database import Database
from app.services import accounts, hierarchies
from app.services.calls import new_id
from tests.services.organisations import NOW, Organisation, organisation

TODAY = NOW.date()


@dataclass(eq=False)
class Node:
    """An account of the reference; money is minor units."""

    name: str
    values: dict[str, Any]
    archived: bool
    parent: Node | None = None
    id: UUID = field(default_factory=new_id)
    children: list[Node] = field(default_factory=list)

    def below(self) -> Iterator[tuple[int, Node, Node]]:
        """Depth, account and what it hangs under, of everything below for whoever looks: archived ones are passed through."""
        for under, node in self._next():
            yield 1, node, under
            for depth, inner, over in node.below():
                yield depth + 1, inner, over

    def _next(self) -> Iterator[tuple[Node, Node]]:
        for child in self.children:
            if child.archived:
                yield from ((self, node) for _, node in child._next())
            else:
                yield self, child

    def above(self) -> list[Node]:
        """From the top down."""
        if self.parent is None:
            return []
        return [*self.parent.above(), *([] if self.parent.archived else [self.parent])]


def roll_up(top: Node) -> dict[str, Any]:
    """The same sums in plain Python."""
    rows = [node.values for node in ([] if top.archived else [top]) + [node for _, node, _ in top.below()]]
    known = [(row["health"], max(row["arr"], 0)) for row in rows if row["health"] is not None]
    weight, whole = sum(w for _, w in known), sum(max(row["arr"], 0) for row in rows)
    average = (
        sum(h * w for h, w in known) / weight if weight else sum(h for h, _ in known) / len(known) if known else None
    )
    red = sum(max(row["arr"], 0) for row in rows if row["health_band"] == "red")
    potential = [row["growth_potential"] for row in rows if row["growth_potential"] is not None]
    ahead = [
        r["renewal_date"]
        for r in rows
        if r["status"] == "customer" and r["renewal_date"] and r["renewal_date"] >= TODAY
    ]

    def money(minor: int) -> Decimal:
        return Decimal(minor).scaleb(-2)

    return {
        "accounts": len(rows), "customers": sum(row["status"] == "customer" for row in rows),
        "arr": money(sum(row["arr"] for row in rows)), "mrr": money(sum(row["mrr"] for row in rows)),
        "growth_potential": money(sum(potential)) if potential else None,
        "open_invoices_amount": money(sum(row["open_invoices_amount"] for row in rows)),
        "open_tickets": sum(row["open_tickets"] for row in rows),
        "health": None if average is None else pytest.approx(average, abs=0.00006),
        "health_minimum": min((h for h, _ in known), default=None),
        "red_arr_share": pytest.approx(red / whole, abs=0.00006) if whole else None,
        "next_renewal_date": min(ahead).isoformat() if ahead else None,
    }  # fmt: skip


def _values(chance: random.Random) -> dict[str, Any]:
    arr = chance.choice((0, 0, -500, chance.randrange(1, 10_000_00)))
    health = chance.choice((None, chance.randrange(0, 1001) / 10))
    return {
        "status": chance.choice(("prospect", "customer", "customer", "churned")), "arr": arr,
        "mrr": round(Decimal(arr) / 12 + (Decimal("1e-9") if arr > 0 else Decimal("-1e-9"))),
        "growth_potential": chance.choice((None, chance.randrange(10_000))),
        "open_invoices_amount": chance.choice((0, chance.randrange(10_000))), "open_tickets": chance.randrange(3), "health": health,
        "health_band": None if health is None else "red" if health < 40 else "yellow" if health < 70 else "green",
        "renewal_date": chance.choice((None, TODAY + timedelta(chance.randrange(-30, 300)))),
    }  # fmt: skip


def forest(chance: random.Random, size: int) -> list[Node]:
    """So many accounts that hang under each other by chance, one in five archived; names repeat."""
    nodes: list[Node] = []
    for _ in range(size):
        node = Node(chance.choice("abcdé"), _values(chance), chance.random() < 0.2)
        if nodes and chance.random() < 0.8:
            node.parent = chance.choice(nodes)
            node.parent.children.append(node)
        nodes.append(node)
    return nodes


async def store(org: Organisation, nodes: list[Node]) -> None:
    """As they are: facts that would follow from related records are written beside them."""
    async with org.db.transaction() as tx:
        for node in nodes:
            values = {
                "name": node.name, "parent_id": node.parent.id if node.parent else None, "case_studies": 0, "is_reference": False,
                "archived_at": NOW if node.archived else None, "created_at": NOW, "updated_at": NOW, "tcv": 0, "products": [],
                "engagement_score": 0.0, "consumption_score": 0.0, **{k: v for k, v in node.values.items() if k != "mrr"},
            }  # fmt: skip
            marks = ", ".join(f"${n}" for n in range(3, len(values) + 3))
            await tx.execute(
                f"INSERT INTO accounts (workspace_id, id, {', '.join(values)}) VALUES ($1, $2, {marks})",
                org.workspace.id, node.id, *values.values(),
            )  # fmt: skip


async def whole_tree(org: Organisation, top: UUID, limit: int) -> dict[str, Any]:
    """All pages of a tree as one."""
    reader = org.people["viewer"]
    shown, after = await hierarchies.tree(org.db, reader, top, NOW, None, limit)
    while after is not None:
        more, after = await hierarchies.tree(org.db, reader, top, NOW, after, limit)
        assert (more["roll_up"], more["ancestors"]) == (shown["roll_up"], shown["ancestors"])
        shown["data"] += more["data"]
    return shown


async def row(org: Organisation, parent: UUID | None, limit: int, *, groups: bool = False) -> list[dict[str, Any]]:
    """All pages of siblings as one list."""
    found: list[dict[str, Any]] = []
    after: hierarchies.InRow | None = None
    while True:
        page, after = await hierarchies.siblings(org.db, org.people["viewer"], parent, NOW, after, limit, groups=groups)
        found += page
        if after is None:
            return found


@pytest.mark.parametrize("seed", range(6))
async def test_trees_equal_plain_python(db: Database, seed: int) -> None:
    chance = random.Random(seed)
    org = await organisation(db)
    nodes = forest(chance, 60)
    await store(org, nodes)
    for top in chance.sample(nodes, 12):
        shown = await whole_tree(org, top.id, chance.choice((1, 3, 100)))
        wanted = sorted(
            ((depth, node.name, node.id, under.id) for depth, node, under in top.below()), key=lambda w: w[:3]
        )
        assert [(n["depth"], n["name"], UUID(n["id"]), UUID(n["parent_id"])) for n in shown["data"]] == wanted
        assert [UUID(n["id"]) for n in shown["ancestors"]] == [node.id for node in top.above()]
        assert shown["roll_up"] == roll_up(top)
        first = [under for depth, _, under in top.below() if depth == 1]
        assert shown["account"]["children"] == len(first)
        assert shown["account"]["parent_id"] == (str(top.above()[-1].id) if top.above() else None)
        children = {str(node.id): sum(1 for d, _, _ in node.below() if d == 1) for _, node, _ in top.below()}
        assert {n["id"]: n["children"] for n in shown["data"]} == children


@pytest.mark.parametrize("seed", range(6))
async def test_siblings_equal_plain_python(db: Database, seed: int) -> None:
    chance = random.Random(100 + seed)
    org = await organisation(db)
    nodes = forest(chance, 60)
    await store(org, nodes)
    ground = Node("ground", {}, archived=True, children=[node for node in nodes if node.parent is None])
    tops: list[tuple[UUID | None, Node]] = [(None, ground), *((node.id, node) for node in chance.sample(nodes, 8))]
    for parent, top in tops:
        found = await row(org, parent, chance.choice((1, 2, 100)))
        wanted = sorted((node for depth, node, _ in top.below() if depth == 1), key=lambda n: (n.name, n.id))
        assert [UUID(n["id"]) for n in found] == [node.id for node in wanted]
        assert [n["roll_up"] for n in found] == [roll_up(node) for node in wanted]
        assert [n["children"] for n in found] == [sum(1 for d, _, _ in node.below() if d == 1) for node in wanted]
    groups = await row(org, None, 7, groups=True)
    wanted = [node for depth, node, _ in ground.below() if depth == 1 and node.children]
    assert {UUID(n["id"]) for n in groups} == {node.id for node in wanted}


async def test_strangers_and_what_is_not_there_are_not_found(db: Database) -> None:
    org, foreign = await organisation(db), await organisation(db)
    theirs = await accounts.create(db, foreign.call(), {"name": "Theirs", "arr": 5})
    for absent in (theirs.id, new_id()):
        with pytest.raises(NotFound):
            await hierarchies.tree(db, org.people["viewer"], absent, NOW)
        with pytest.raises(NotFound):
            await hierarchies.siblings(db, org.people["viewer"], absent, NOW)
    assert await row(org, None, 10) == []
    assert await row(foreign, theirs.id, 10) == []


async def test_sums_do_not_overflow(db: Database) -> None:
    org = await organisation(db)
    top = await accounts.create(db, org.call(), {"name": "Top", "arr": Decimal("90000000000000000.01")})
    for n in range(3):
        told = {"name": f"{n}", "arr": Decimal("90000000000000000.01"), "parent_id": str(top.id)}
        await accounts.create(db, org.call(), told)
    shown, _ = await hierarchies.tree(db, org.people["viewer"], top.id, NOW)
    assert shown["roll_up"]["arr"] == Decimal("360000000000000000.04")


# -- circles and depth -------------------------------------------------------------------------------------------------


async def chain(org: Organisation, length: int) -> list[UUID]:
    """Accounts that hang one under the other, the top first."""
    ids: list[UUID] = []
    for n in range(length):
        told: dict[str, Any] = {"name": f"{n}"}
        if ids:
            told["parent_id"] = str(ids[-1])
        ids.append((await accounts.create(org.db, org.call(), told)).id)
    return ids


async def test_two_writers_at_once_do_not_close_a_circle(db: Database) -> None:
    org = await organisation(db)
    for _ in range(5):
        ids = [(await accounts.create(db, org.call(), {"name": name})).id for name in "abc"]
        pairs = [(0, 1), (1, 2), (2, 0)]
        told = await asyncio.gather(
            *(accounts.change(db, org.call(), ids[n], {"parent_id": str(ids[m])}, 1) for n, m in pairs),
            return_exceptions=True,
        )
        assert sorted(type(one).__name__ for one in told) == ["Invalid", "Written", "Written"]


async def test_no_chain_is_longer_than_it_may_be(db: Database) -> None:
    org = await organisation(db)
    ids = await chain(org, 64)
    with pytest.raises(Invalid) as caught:
        await accounts.create(db, org.call(), {"name": "one more", "parent_id": str(ids[-1])})
    assert [f.pointer for f in caught.value.faults] == ["/parent_id"]
    top, under = await chain(org, 2)
    with pytest.raises(Invalid):
        await accounts.change(db, org.call(), top, {"parent_id": str(ids[62])}, 1)
    await accounts.change(db, org.call(), under, {"parent_id": str(ids[62])}, 1)
    shown, _ = await hierarchies.tree(db, org.people["viewer"], ids[0], NOW, None, 1000)
    assert max(node["depth"] for node in shown["data"]) == 63
