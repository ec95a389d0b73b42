"""A request as a value, its bytes on the wire, and the same request to an ASGI application in this process."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from selectors import EVENT_READ, DefaultSelector
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message

LARGEST_READ = 1 << 20


class FailedError(Exception):
    """An answer that is no success; a case that measures it would measure nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that is answered with 200; `target` is path and query, percent-encoded."""

    method: str
    target: str
    key: str
    body: bytes = b""

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Headers with names in lower case, as ASGI has them."""
        found = [
            (b"host", b"127.0.0.1"),
            (b"authorization", f"Bearer {self.key}".encode()),
            (b"accept", b"application/json"),
        ]
        if self.body:
            found += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(self.body))]
        return found

    def wire(self) -> bytes:
        """The request as HTTP/1.1."""
        lines = [f"{self.method} {self.target} HTTP/1.1".encode(), *(b"%s: %s" % header for header in self.headers())]
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body


class Client:
    """Connections that are kept alive, each with one request on its way; its own CPU time is not measured by anybody."""

    def __init__(self, url: str, connections: int = 1):
        parts = urlsplit(url)
        self.address = (parts.hostname or "", parts.port or 80)
        self.sockets = [self._connected() for _ in range(connections)]

    def _connected(self) -> socket.socket:
        made = socket.create_connection(self.address, timeout=60)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def close(self) -> None:
        """End the connections."""
        for each in self.sockets:
            each.close()

    def renew(self) -> None:
        """Begin other connections: a server ends those that were idle for some seconds."""
        self.close()
        self.sockets = [self._connected() for _ in self.sockets]

    def ask(self, wire: bytes) -> bytes:
        """The body of the answer. Raises FailedError for any status but 200."""
        self.sockets[0].sendall(wire)
        return _answer(self.sockets[0])

    def repeat(self, wires: Sequence[bytes], start: int, count: int) -> None:
        """Ask `count` times, going round the requests from the one at `start`: a connection asks again when it is answered."""
        numbers = iter(range(start, start + count))
        with DefaultSelector() as waiting:
            for each, number in zip(self.sockets, numbers, strict=False):
                each.sendall(wires[number % len(wires)])
                waiting.register(each, EVENT_READ)
            while waiting.get_map():
                for key, _ in waiting.select():
                    answered = key.fileobj
                    assert isinstance(answered, socket.socket)
                    _answer(answered)
                    if (following := next(numbers, None)) is None:
                        waiting.unregister(answered)
                    else:
                        answered.sendall(wires[following % len(wires)])


def _answer(asked: socket.socket) -> bytes:
    data = _more(asked)
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += _more(asked)
    head = data[:end]
    parts = [data[end + 4 :]]
    missing = _length(head) - len(parts[0])
    while missing > 0:
        parts.append(_more(asked))
        missing -= len(parts[-1])
    if not head.startswith(b"HTTP/1.1 200 "):
        status, said = head.partition(b"\r\n")[0], b"".join(parts)[:500]
        raise FailedError(f"{status.decode()}: {said.decode(errors='replace')}")
    return b"".join(parts)


def _more(asked: socket.socket) -> bytes:
    data = asked.recv(LARGEST_READ)
    if not data:
        raise FailedError("the server closed the connection")
    return data


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise FailedError("the answer does not say how long it is")


async def ask(app: ASGIApp, request: Request) -> bytes:
    """The body of the answer of an application in this process. Raises FailedError for any status but 200."""
    path, _, query = request.target.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request.method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": request.headers(), "client": ("127.0.0.1", 0), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent)
    if sent[0]["status"] != 200:
        raise FailedError(
            f"{request.method} {request.target} answered {sent[0]['status']}: {body[:500].decode(errors='replace')}"
        )
    return body
