"""Clients that write under load and keep a journal of their own: what was acknowledged, told by whom it was sent to."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

PATIENCE = 90.0
"""Seconds that one write is sent again until it is answered."""
LOST = (httpx.TransportError, httpx.StreamError)
_keys = itertools.count(1)


@dataclass(slots=True)
class Journal:
    """`made` are names of accounts whose making was acknowledged, `counted` the last acknowledged value of a counter."""

    made: set[str] = field(default_factory=set)
    counted: dict[str, int] = field(default_factory=dict)
    retried: Counter[str] = field(default_factory=Counter)


async def answered(
    journal: Journal, url: Callable[[], str], client: httpx.AsyncClient, method: str, path: str, **told: Any
) -> httpx.Response:
    """One write, sent again under the same key until it is answered by something else than trouble."""
    headers = {**told.pop("headers", {}), "idempotency-key": f"journal-{next(_keys)}"}
    until = time.monotonic() + PATIENCE
    while True:
        try:
            answer = await client.request(method, f"{url()}{path}", headers=headers, **told)
            if answer.status_code < 500 and answer.status_code not in (409, 429):
                return answer
            journal.retried[str(answer.status_code)] += 1
        except LOST as error:
            journal.retried[type(error).__name__] += 1
        assert time.monotonic() < until, f"no answer to {method} {path}: {journal.retried}"
        await asyncio.sleep(random.uniform(0.1, 0.3))


async def load(journal: Journal, url: Callable[[], str], token: str, name: str, over: asyncio.Event) -> None:
    """One client: makes an account with a stage, then counts its own counter up by one, over and over until `over`."""
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=8) as client:
        counter = await answered(
            journal, url, client, "POST", "/v1/accounts", json={"name": f"counter {name}", "health": 0}
        )
        assert counter.status_code == 201, counter.text
        path, etag = f"/v1/accounts/{counter.json()['id']}", counter.headers["etag"]
        journal.made.add(f"counter {name}")
        for value in itertools.count(1):
            if over.is_set():
                return
            made = f"{name}-{value}"
            body = {"external_id": made, "name": made, "stage": "trial"}
            new = await answered(journal, url, client, "POST", "/v1/accounts", json=body)
            assert new.status_code == 201, new.text
            journal.made.add(made)
            headers = {"if-match": etag}
            told = await answered(journal, url, client, "PATCH", path, json={"health": value % 101}, headers=headers)
            assert told.status_code == 200, told.text
            etag = told.headers["etag"]
            assert told.json()["version"] == value + 1
            journal.counted[f"counter {name}"] = value
