"""The server process: its sockets, its workers, its end."""

import ctypes
import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from app import logs, settings

GRACE_SECONDS = 10
FACTORY = "app.serving:application"


class ServingError(Exception):
    """The server cannot begin; the message says why and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything slow happens."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ServingError(f"port {port} is in use: choose another with --port or PORT") from error
        raise ServingError(f"cannot listen on {host}:{port}: {error.strerror}") from error


def address(listening: socket.socket) -> str:
    """The URL of a socket, as a client on this machine would write it."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def application() -> ASGIApp:
    """What each process serves; it ends when the process that supervises it does."""
    from app.main import create_app

    logs.configure(settings.read().log_level)
    if os.environ.get("STRATA_SUPERVISOR"):
        _end_with_parent(int(os.environ["STRATA_SUPERVISOR"]))
    app: ASGIApp = create_app()
    return app


def serve(listening: socket.socket, workers: int, started: Callable[[], None], stopping: threading.Event) -> None:
    """Serve until a signal, which sets `stopping`; `started` is called when requests are answered. Gives back control
    after the last one."""
    config = uvicorn.Config(
        FACTORY,
        factory=True,
        workers=workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    if workers > 1:
        os.environ["STRATA_SUPERVISOR"] = str(os.getpid())
        _Workers(config, [listening], started, stopping).run()
        return
    server = _Server(config, started, stopping)
    server.run(sockets=[listening])
    if not server.started:
        raise ServingError("the server did not start: the log above says why")


class _Server(uvicorn.Server):
    """Tells when it answers, and when it is to end."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None], stopping: threading.Event):
        super().__init__(config)
        self.announce = announce
        self.stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end."""
        self.stopping.set()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets=sockets)
        if self.started and not self.should_exit:
            self.announce()


class _Workers(Multiprocess):
    """Supervises processes on one socket; a second interrupt kills them."""

    def __init__(
        self,
        config: uvicorn.Config,
        sockets: list[socket.socket],
        announce: Callable[[], None],
        stopping: threading.Event,
    ):
        super().__init__(config, sockets)
        self.announce = announce
        self.stopping = stopping
        for sent in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sent, self._asked_to_stop)

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        again = self.stopping.is_set()
        self.stopping.set()
        self.should_exit.set()
        if again:
            for process in self.processes:
                process.kill()

    def init_processes(self) -> None:
        """Start them, and tell when the first answers."""
        super().init_processes()
        if all(process.wait_until_ready(GRACE_SECONDS * 3, self.should_exit) for process in self.processes):
            self.announce()


def _end_with_parent(parent: int) -> None:
    """Ask the kernel to end this process with its supervisor, who cannot when it is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
