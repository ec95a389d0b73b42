"""The application that each process serves."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import signal
import threading
from collections.abc import AsyncIterator
from types import FrameType

from fastapi import FastAPI
from starlette.types import ASGIApp

from app import settings
from app.api import documented
from app.api.cors import Origins
from app.api.door import Door
from app.api.front import Front
from app.api.graphql import http as graphql
from app.api.graphql.schema import sdl
from app.api.limits import Buckets
from app.api.rest import table
from app.api.routes import Table
from app.domain.errors import StrataError
from app.persistence.database import Database
from app.services import attribute_indexes, imports, key_uses, refusals, tokens, uses
from app.worker import working

log = logging.getLogger("app.main")

USES_SECONDS = 10.0
LIST_USES_SECONDS = 60.0
LAST_USES_SECONDS = 2.0
PER_ADDRESS = 60_000
"""Requests a minute from one address that no credential answers for."""


def create_app(read: settings.Settings | None = None) -> ASGIApp:
    """The whole service as one ASGI application; it opens and closes the database with its lifespan."""
    read = read or settings.read()
    door = Door(
        secret=read.secret,
        logs=log.isEnabledFor(logging.INFO),
        per_credential=Buckets("credential", read.rate_limit),
        per_address=Buckets("address", min(read.rate_limit, PER_ADDRESS)),
        origins=Origins(read.cors_origins),
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if read.database_url is None:
            raise settings.SettingsError("STRATA_DATABASE_URL is not set: `strata serve` sets it for its own database")
        door.db = db = await Database.open(read.database_url, size=read.pool_size)
        if read.issuer is not None:
            tokens.trust(db, read.issuer)
        noting = tuple(asyncio.create_task(one(db)) for one in (_keep_uses, _keep_list_uses))
        work = contextlib.AsyncExitStack()
        if read.worker:
            await work.enter_async_context(working(db))
        _drain_first(door, read.drain_seconds)
        # What exists now lives as long as the process: the collector need not walk it again and again.
        gc.collect()
        gc.freeze()
        try:
            yield
        finally:
            door.draining = True
            for task in noting:
                task.cancel()
            await asyncio.wait(noting)
            await work.aclose()
            await imports.stop()
            await attribute_indexes.stop()
            await refusals.settle(db)
            door.settle()
            tokens.distrust(db)
            with contextlib.suppress(StrataError, TimeoutError):
                async with asyncio.timeout(LAST_USES_SECONDS):
                    await key_uses.keep(db)
            await db.close()

    routes, document = table(door)
    behind = documented.application(door, routes, document, lifespan)
    return Front(door, Table((*routes.routes, *graphql.routes()), routes.others), behind)


def openapi() -> str:
    """The OpenAPI document as it is committed."""
    return json.dumps(table(Door())[1], indent=1, ensure_ascii=False)


def schema() -> str:
    """The GraphQL schema as it is committed."""
    return sdl()


def _drain_first(door: Door, seconds: int) -> None:
    """On SIGTERM say at once that this process is not ready, and pass the signal on when balancers have seen it."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop, passed_on = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)

    def drain(number: int, frame: FrameType | None) -> None:
        again, door.draining = door.draining, True
        if not callable(passed_on):
            raise SystemExit(0)
        if again or not seconds:
            passed_on(number, frame)
        else:
            loop.call_soon_threadsafe(loop.call_later, seconds, passed_on, number, frame)

    signal.signal(signal.SIGTERM, drain)


async def _keep_list_uses(db: Database) -> None:
    """Every minute: keep when lists were used last."""
    while True:
        await asyncio.sleep(LIST_USES_SECONDS)
        try:
            await uses.keep(db)
        except StrataError as error:
            log.warning("uses of lists are kept the next time", extra={"because": type(error).__name__})
        except Exception:
            log.exception("uses of lists could not be kept")


async def _keep_uses(db: Database) -> None:
    """Every few seconds: keep when keys were used last."""
    while True:
        await asyncio.sleep(USES_SECONDS)
        try:
            await key_uses.keep(db)
        except StrataError as error:
            log.warning("uses of keys are kept the next time", extra={"because": type(error).__name__})
        except Exception:
            log.exception("uses of keys could not be kept")
