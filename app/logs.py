"""Logs: one JSON object per line on stderr, without personal data."""

import logging
import sys
from datetime import UTC, datetime

import msgspec

# What a record always has; whatever else is on it was given as `extra` and is shown.
_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}
_ENCODER = msgspec.json.Encoder(enc_hook=str)


class JsonFormatter(logging.Formatter):
    """Renders a record as JSON; of an exception it shows type and place, never the message, which may hold data."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for one record."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _without_values(record.getMessage()),
            **{name: value for name, value in vars(record).items() if name not in _KNOWN},
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = _described(record.exc_info[1])
        return _ENCODER.encode(line).decode()


def _without_values(message: str) -> str:
    """Of a traceback rendered into the message, the frames alone."""
    if "Traceback (most recent call last)" not in message:
        return message
    return "\n".join(line for line in message.splitlines() if line.startswith(("Traceback", '  File "')))


def _described(error: BaseException | None) -> list[str]:
    """The chain of causes, each as its type and the frames it passed."""
    chain: list[str] = []
    while error is not None and len(chain) < 5:
        frames, trace = [], error.__traceback__
        while trace is not None:
            frames.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}")
            trace = trace.tb_next
        chain.append(f"{type(error).__name__} at {' > '.join(frames[-12:])}")
        error = error.__cause__ or error.__context__
    return chain


def configure(level: str) -> None:
    """Send every logger's records to stderr as JSON; libraries speak from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    logging.getLogger("app").setLevel(level)
    logging.getLogger("uvicorn").setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "strawberry.execution", "alembic"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # It would log whole queries, with the values in them.
    logging.getLogger("strawberry.execution").disabled = True
