"""What is asked of the schema: computed once for each document, away from everybody else, and kept."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from graphql import get_introspection_query

from app.api.graphql.callers import Caller
from app.api.graphql.engine import KEPT_DESCRIPTIONS, Engine
from app.api.graphql.requests import Asked
from app.domain.roles import Principal
from tests.laws.trees import WORKSPACE
from tests.services.organisations import NOW

WHOLE = get_introspection_query()


def caller() -> Caller:
    """Somebody who is known, without a database: none is needed."""
    who = Principal(uuid4(), WORKSPACE, "service", None, frozenset({"read"}))
    return Caller(None, NOW, "r", who)  # type: ignore[arg-type]  # nothing is read


async def ask(engine: Engine, text: str, name: str | None = None, **variables: Any) -> bytes:
    """The answer to a document."""
    raw = repr((text, name, variables)).encode()
    return await engine.answer(caller(), raw, lambda: Asked(text, variables, name))


async def test_the_second_answer_is_the_first() -> None:
    engine = Engine()
    first = await ask(engine, WHOLE)
    assert len(msgspec.json.decode(first)["data"]["__schema"]["types"]) > 100
    began = time.process_time()
    again = await ask(engine, WHOLE)
    assert again is first
    assert time.process_time() - began < 0.05


async def test_the_first_answer_holds_nobody_up() -> None:
    """While it is made the loop goes on; in the loop itself there would be no turn before its end."""
    engine, turns = Engine(), 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    await ask(engine, "{ __schema { queryType { name } } }")
    task = asyncio.create_task(others())
    await asyncio.sleep(0)
    before = turns
    answers = await asyncio.gather(*(ask(engine, WHOLE) for _ in range(5)))
    task.cancel()
    assert turns - before > 20
    assert all(answer is answers[0] for answer in answers)


async def test_an_answer_is_that_of_its_document_name_and_variables() -> None:
    engine = Engine()
    text = (
        "query A($n: String!) { __type(name: $n) { name } } query B($n: String!) { other: __type(name: $n) { name } }"
    )
    said = [(name, of) for name in "AB" for of in ("Account", "Contact")]
    for _ in range(2):
        answers = [msgspec.json.decode(await ask(engine, text, name, n=of))["data"] for name, of in said]
        assert answers == [{"__type" if name == "A" else "other": {"name": of}} for name, of in said]


async def test_no_more_are_kept_than_a_few() -> None:
    engine = Engine()
    for n in range(KEPT_DESCRIPTIONS * 2):
        await ask(engine, f"{{ a{n}: __schema {{ queryType {{ name }} }} }}")
    assert len(engine.described.kept) == KEPT_DESCRIPTIONS
    await ask(engine, "query($n: String!) { __type(name: $n) { name } }", n="x" * 20_000)
    assert not any(len(text[2]) > 10_000 for text in engine.described.kept)


@pytest.mark.parametrize(
    "text", ["{ __schema { queryType { name } } templates: listTemplates { slug } }", "mutation { __typename }"]
)
async def test_what_asks_for_more_is_not_kept(text: str) -> None:
    engine = Engine()
    await ask(engine, text)
    assert not engine.described.kept
