"""Reads: what the server and its database spend on a request, by what the same SQL costs on bare asyncpg."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any
from urllib.parse import quote, urlencode

from bench.bare import Bare
from bench.cpu import Meter
from bench.limit import Limit, Load, Run
from bench.ratios import Goal, Ratio, Rounds, split
from bench.requests import Client, FailedError, Request
from bench.statements import Asked

FIELDS = (
    "id",
    "external_id",
    "name",
    "domain",
    "industry",
    "status",
    "stage",
    "arr",
    "health",
    "renewal_date",
    "csm_id",
    "region",
)
IDS = 500
FILTERS = 60
PAGE = 50
LARGE = 1_000

FLAT = "id externalId name domain industry status stage arr health renewalDate csmId region"
NESTED = f"""{FLAT} csm {{ id name email }} primaryContact {{ id name email title }}
  interactions(first: 3, orderBy: ["-occurred_at"]) {{ id kind direction occurredAt subject }}"""
DOCUMENT = """query Page($filter: String!, $first: Int!) {
  accounts(filter: $filter, orderBy: ["-arr"], first: $first) { edges { node { %s } } pageInfo { hasNextPage endCursor } }
}"""


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of read. `count` requests are measured per round; `rows` says how many records an answer holds."""

    name: str
    goal: Goal | None
    requests: Sequence[Request]
    count: int
    records: int
    rows: Callable[[Any], int]


@dataclass(frozen=True, slots=True)
class Limits:
    """The same statements on bare asyncpg: `lanes` run side by side, as many as requests; `single` waits for each."""

    lanes: Limit
    single: Limit


def cases(client: Client, key: str, today: date) -> list[Case]:
    """The cases over the workspace that the key belongs to; what is asked is taken from its data."""
    found = [
        _points(client, key),
        _pages("REST page of 50", Goal(1.2), key, _narrow(today, FILTERS), PAGE, 150),
        _pages("REST page of 50, new filter each", None, key, _narrow(today, FILTERS * 26), PAGE, 150),
        _pages("REST page of 1,000", Goal(1.2), key, _wide(FILTERS), LARGE, 20),
        _graph("GraphQL 50, flat", Goal(1.3), key, _narrow(today, FILTERS), FLAT, 150),
        _graph("GraphQL 50, nested", Goal(1.2), key, _narrow(today, FILTERS), NESTED, 100),
        _summaries("count and sum by tier and stage", Goal(1.5), key, FILTERS, 60),
        _quiet("no interaction, page and count", Goal(1.5), key, FILTERS, 60),
    ]
    for case in found:
        _checked(client, case)
    return found


def measured(
    case: Case,
    statements: Sequence[Asked],
    client: Client,
    limits: Limits,
    bare: Bare,
    roots: Mapping[str, int],
    rounds: int,
    share: float,
) -> Ratio:
    """Route, both limits and bare callable in turn; `share` of the case's count per round."""
    count = max(2, round(case.count * share))
    client.renew()
    caller = Client(bare.url, len(client.sockets))
    wires = [request.wire() for request in case.requests]
    plain = [request.wire() for request in bare.requests(case.name, len(statements))]
    for limit in (limits.lanes, limits.single):
        limit.do(Load(case.name, statements))
    starts: dict[str, int] = {}

    def side(name: str, part: str, pid: int, work: Callable[[int], object]) -> Callable[[], dict[str, float]]:
        meter = Meter({part: pid, "pg": roots["pg"]})

        def run() -> dict[str, float]:
            begin = starts.get(name, 0)
            starts[name] = begin + count
            return {part: used / count for part, used in meter.during(lambda: work(begin)).items()}

        return run

    sides = {
        "limit": side("limit", "drv", limits.lanes.pid, lambda begin: limits.lanes.do(Run(case.name, begin, count))),
        "route": side("route", "srv", roots["srv"], lambda begin: client.repeat(wires, begin, count)),
        "single": side(
            "single", "drv", limits.single.pid, lambda begin: limits.single.do(Run(case.name, begin, count))
        ),
        "bare": side("bare", "srv", bare.pid, lambda begin: caller.repeat(plain, begin, count)),
    }
    Rounds().take(sides, 1)  # nobody pays for what is made on the first request
    taken = Rounds()
    taken.take(sides, rounds)
    caller.close()
    figures = {
        "route µs": split(taken, "route", ("srv", "pg")),
        "limit µs": split(taken, "limit", ("drv", "pg")),
        "one connection µs": split(taken, "single", ("drv", "pg")),
        "route to that": f"{median(taken.ratios('route', 'single')):.2f}",
        "bare ASGI µs": split(taken, "bare", ("srv", "pg")),
        "its ratio": f"{median(taken.ratios('bare', 'limit')):.2f}",
        "statements": f"{sum(map(len, statements)) / len(statements):.0f}",
    }
    return Ratio(case.name, case.goal, taken.ratios("route", "limit"), figures)


# -- what is asked -----------------------------------------------------------------------------------------------------


def _points(client: Client, key: str) -> Case:
    listed = client.ask(Request("GET", f"/v1/accounts?fields=id&limit={LARGE}", key).wire())
    ids = [row["id"] for row in json.loads(listed)["data"]]
    chosen = ids[:: max(1, len(ids) // IDS)][:IDS]
    requests = [Request("GET", f"/v1/accounts/{found}", key) for found in chosen]
    return Case("REST point read", Goal(1.5), requests, 400, 1, lambda body: int("id" in body))


def _pages(name: str, goal: Goal | None, key: str, filters: Iterable[str], limit: int, count: int) -> Case:
    shown = ",".join(field.removesuffix("_id") if field == "csm_id" else field for field in FIELDS)
    requests = [
        Request(
            "GET",
            f"/v1/accounts?{urlencode({'filter': f, 'fields': shown, 'sort': '-arr', 'limit': limit}, quote_via=quote)}",
            key,
        )
        for f in filters
    ]
    return Case(name, goal, requests, count, limit, lambda body: len(body["data"]))


def _graph(name: str, goal: Goal | None, key: str, filters: Iterable[str], shown: str, count: int) -> Case:
    requests = [
        Request(
            "POST",
            "/graphql",
            key,
            json.dumps({"query": DOCUMENT % shown, "variables": {"filter": f, "first": PAGE}}).encode(),
        )
        for f in filters
    ]
    return Case(name, goal, requests, count, PAGE, lambda body: len(body["data"]["accounts"]["edges"]))


def _summaries(name: str, goal: Goal, key: str, several: int, count: int) -> Case:
    """Counts and money of all accounts above some ARR, in groups."""
    bodies = [
        {"group_by": ["segment.tier", "stage"], "measures": ["count", "sum(arr)"], "filter": f"arr >= {n}"}
        for n in range(several)
    ]
    requests = [Request("POST", "/v1/accounts/summary", key, json.dumps(body).encode()) for body in bodies]
    return Case(name, goal, requests, count, 1, lambda body: int(body["totals"]["count"] > PAGE))


def _quiet(name: str, goal: Goal, key: str, several: int, count: int) -> Case:
    """A page of those above some ARR that nobody has spoken to for 30 days, and how many they are."""
    asked = {"fields": ",".join(FIELDS[:8]), "sort": "-arr", "limit": PAGE, "count": "exact"}
    filters = (f"none(interactions, last(30d)) AND arr >= {n}" for n in range(several))
    requests = [
        Request("POST", "/v1/accounts/query", key, json.dumps({**asked, "filter": one}).encode()) for one in filters
    ]
    return Case(name, goal, requests, count, PAGE, lambda body: len(body["data"]))


def _narrow(today: date, count: int) -> list[str]:
    """Filters that a page of 50 of some hundreds answers: renewals of a period below some health, in some regions."""
    return [
        f"renewal_date >= {today - timedelta(days=n % 4)} AND renewal_date <= {today + timedelta(days=360 + n % 30)} "
        f'AND health < {80 + n % 15}.{n // 60:02d} AND region IN ("emea", "amer")'
        for n in range(count)
    ]


def _wide(count: int) -> list[str]:
    """Filters that more than 1,000 of 2,000 accounts meet."""
    return [f"arr >= {1 + 10 * n} AND health < {97 + n % 3}" for n in range(count)]


def _checked(client: Client, case: Case) -> None:
    """Raises FailedError where an answer does not hold what the case is named after."""
    for request in case.requests[:FILTERS]:
        found = case.rows(json.loads(client.ask(request.wire())))
        if found != case.records:
            raise FailedError(
                f"{case.name}: {request.target} {request.body.decode()} gave {found} records, not {case.records}"
            )
