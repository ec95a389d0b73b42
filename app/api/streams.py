"""Answers that are sent while they are made: piece by piece, as fast as the client reads, until it goes away."""

from __future__ import annotations

import asyncio
import logging

from starlette.types import Receive, Send

from app.api.requests import Request
from app.api.responses import Answer, Stream

log = logging.getLogger("app.api")

STALL_SECONDS = 30.0
"""How long a client may take none of what it is sent: what it asked for holds a connection and a snapshot."""


class _Sending:
    """One answer on its way: its head goes out with the first piece, so that what fails before can still say so."""

    def __init__(self, request: Request, answer: Answer, send: Send):
        self.send = send
        self.head = {
            "type": "http.response.start", "status": answer.status, "headers": answer.headers + request.answering(),
        }  # fmt: skip
        self.sent = 0
        self.begun = False

    async def write(self, piece: bytes) -> None:
        """Send a piece; returns when there is room for another. TimeoutError when the client takes nothing."""
        await self.begin()
        async with asyncio.timeout(STALL_SECONDS):
            await self.send({"type": "http.response.body", "body": piece, "more_body": True})
        self.sent += len(piece)

    async def begin(self) -> None:
        """Send the head, once."""
        if not self.begun:
            self.begun = True
            await self.send(self.head)

    async def end(self) -> None:
        """Send the end, which only what is whole has."""
        await self.begin()
        await self.send({"type": "http.response.body", "body": b""})


async def deliver(request: Request, answer: Answer, stream: Stream, send: Send) -> int:
    """Send what the stream writes; the status. HEAD gets the head alone.

    Raises what the stream raises before its first piece. What it raises later breaks the answer off without its end, and
    so the server closes the connection. A client that goes away ends the stream by cancelling it.
    """
    sending = _Sending(request, answer, send)
    if request.scope["method"] == "HEAD":
        await sending.end()
        return answer.status
    writing = asyncio.create_task(_whole(stream, sending))
    leaving = asyncio.create_task(_left(request.receive))
    try:
        await asyncio.wait((writing, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (writing, leaving):
            task.cancel()
        await asyncio.wait((writing, leaving))
    request.sent, request.whole = sending.sent, not writing.cancelled() and writing.exception() is None
    error = None if writing.cancelled() else writing.exception()
    if error is not None and not sending.begun:
        raise error
    if error is not None:
        log.error("broken off", exc_info=error, extra={"request_id": request.id, "route": request.route})
    return answer.status


async def _whole(stream: Stream, sending: _Sending) -> None:
    await stream(sending.write)
    await sending.end()


async def _left(receive: Receive) -> None:
    """Returns when the client has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass
