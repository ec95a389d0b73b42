"""The law of garbled criteria: whatever is said is answered, by both doors alike, and what is wrong is shown where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from app.domain.catalogue import ENTITIES
from app.domain.criteria import text
from tests.laws import test_graphql_equals_rest as doors
from tests.laws.test_spellings import DRIVEL, WORDS
from tests.laws.trees import criteria

client = doors.client
QUERY = "query($filter: String) { accounts(filter: $filter, first: 2) { nodes { id } totalCount } }"
WIDEST = 1_900


@st.composite
def garbled(draw: st.DrawFn) -> str:
    """Criteria that mean something, with a piece taken out and something else put in."""
    said = text.format(draw(criteria(ENTITIES["accounts"])))[:WIDEST]
    start = draw(st.integers(0, len(said)))
    end = min(len(said), start + draw(st.sampled_from((0, 0, 1, 3, 12))))
    put = draw(st.just("") | WORDS | DRIVEL.map(lambda drivel: drivel[:3]) | st.sampled_from(("\x7f", "é", "9" * 40)))
    return said[:start] + put + said[end:]


@doors.ROUNDS
@given(said=garbled() | st.lists(WORDS, max_size=30).map(" ".join) | DRIVEL)
async def test_whatever_is_said_is_answered(client: httpx.AsyncClient, said: str) -> None:
    rest = await client.post("/v1/accounts/query", json={"filter": said, "fields": "id", "limit": 2, "count": "exact"})
    graphql = await client.post("/graphql", json={"query": QUERY, "variables": {"filter": said}})
    told, page = graphql.json(), rest.json()
    if rest.status_code == 200:
        assert told["data"]["accounts"] == {"nodes": page["data"], "totalCount": page["count"]["value"]}
        return
    assert rest.status_code in (400, 422), said
    problem = told["errors"][0]["extensions"]
    assert (problem["status"], places(problem)) == (rest.status_code, places(page)), said
    assert all(fault["line"] and fault["column"] for fault in page["errors"]), (said, page)


def places(problem: Mapping[str, Any]) -> list[Any]:
    """What is wrong, and where in the text."""
    return [[fault[name] for name in ("message", "line", "column", "suggestion")] for fault in problem["errors"]]
