"""What belongs to another workspace cannot be told from what never was: every write of both doors, every name in it.

Each write is made ready in both workspaces. Then ours is sent with their name in the place of ours, and with one that
nothing ever had: the answers are the same, nothing of theirs is told, and nothing of theirs has changed.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httpx
import pytest

from app.api.graphql.schema import SCHEMA
from tests.api.strangers import TOKEN, Furnished, Pair, absent, difference, dumped, leaks, put, slots
from tests.faults.writes import MUTATIONS, REST, Send, matching, unique

pytestmark = pytest.mark.without_rls("PostgreSQL would hide theirs: here nothing but the application does")

MUTATION = SCHEMA._schema.mutation_type


Ready = Callable[[Furnished], Awaitable[str]]
"""Makes what a request needs, and gives it as text."""
Asked = Callable[[str], Awaitable[httpx.Response]]
MOST = 4
"""Places of one request that are tried: what is told of every stage is one place many times."""


async def compared(pair: Pair, ready: Ready, theirs: str, ask: Asked, tried: list[str], most: int = MOST) -> list[str]:
    """What is wrong with the answers to our request with each of their names in it; `tried` collects those requests."""
    wrong: list[str] = []
    for places in slots(await ready(pair.ours), theirs, pair.names)[:most]:
        foreign = put(await ready(pair.ours), places, theirs)
        never = put(await ready(pair.ours), places, theirs, absent)
        names = pair.names - set(TOKEN.findall(foreign))
        answers = await ask(foreign), await ask(never)
        told = [difference(*answers), *(f"tells {leak}" for one in answers for leak in leaks(one, names))]
        wrong += [f"{foreign}\n  {one}" for one in told if one]
        tried.append(foreign)
    return wrong


@pytest.mark.parametrize(("method", "path"), REST)
async def test_a_write_over_rest(pair: Pair, method: str, path: str) -> None:
    prepared: dict[str, Send] = {}

    async def ready(who: Furnished) -> str:
        send = await REST[method, path](who.world)
        text = dumped(send.path, send.json, (send.content or b"").decode().splitlines())
        prepared[text] = send
        return text

    async def ask(who: Furnished, text: str, sent: Send, version: int | None, **headers: str) -> httpx.Response:
        place, body, lines = json.loads(text)
        told = {**sent.headers, **headers, **(matching(version) if version is not None else {})}
        content: dict[str, Any] = {"content": "\n".join(lines)} if lines else {"json": body} if body is not None else {}
        return await who.client.request(method, place, headers=told, **content)

    theirs, key = await ready(pair.theirs), unique()
    if method != "DELETE":
        sent = prepared[theirs]
        first = await ask(pair.theirs, theirs, sent, sent.version, **{"idempotency-key": key})
        assert first.status_code < 300, first.text
        while path == "/v1/imports" and await pair.at_work():
            pass
    before, sent = await pair.standing(), prepared[theirs]
    wrong: list[str] = []
    tried: list[str] = []
    for version in [None] if sent.version is None else [sent.version, None, 99]:
        as_said = partial(ask, pair.ours, sent=sent, version=version)
        wrong += await compared(pair, ready, theirs, as_said, tried, MOST if version == sent.version else 1)
    assert tried or "{" not in path.replace("{entity}", ""), "nothing of theirs was named"
    ours = await ready(pair.ours)
    own = await ask(pair.ours, ours, prepared[ours], prepared[ours].version, **{"idempotency-key": key})
    assert own.status_code < 300, f"not a call that works, with their key: {own.text}"
    assert leaks(own, pair.names) == []
    assert wrong == []
    assert await pair.standing() == before


@pytest.mark.parametrize("name", MUTATIONS)
async def test_a_mutation(pair: Pair, name: str) -> None:
    assert MUTATION is not None
    types = {argument: str(told.type) for argument, told in MUTATION.fields[name].args.items()}

    async def ready(who: Furnished) -> str:
        return dumped(await MUTATIONS[name](who.world))

    async def ask(who: Furnished, text: str, **more: Any) -> httpx.Response:
        (given,) = json.loads(text)
        given |= more
        told = ", ".join(f"${one}: {types[one]}" for one in given)
        passed = ", ".join(f"{one}: ${one}" for one in given)
        document = f"mutation({told}) {{ {name}({passed}) {{ __typename }} }}"
        return await who.client.post("/graphql", json={"query": document, "variables": given})

    theirs, key = await ready(pair.theirs), unique()
    if not name.startswith(("delete", "discard", "revoke")):
        first = await ask(pair.theirs, theirs, idempotencyKey=key)
        assert "errors" not in first.json(), first.text
    before = await pair.standing()
    tried: list[str] = []
    wrong = await compared(pair, ready, theirs, partial(ask, pair.ours), tried)
    if "expectedVersion" in json.loads(theirs)[0]:
        wrong += await compared(pair, ready, theirs, partial(ask, pair.ours, expectedVersion=99), tried, 1)
    assert tried or not types.keys() & {"id", "slug", "externalId", "listId"}, "nothing of theirs was named"
    own = await ask(pair.ours, await ready(pair.ours), idempotencyKey=key)
    assert "errors" not in own.json(), f"not a call that works, with their key: {own.text}"
    assert leaks(own, pair.names) == []
    assert wrong == []
    assert await pair.standing() == before
