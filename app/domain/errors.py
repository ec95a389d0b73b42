"""The errors of Strata, as vocabulary: what went wrong, never how a door says it.

StrataError
├── Unreadable            the request cannot be read at all
├── Invalid               it is read, but means nothing here
├── Unauthenticated       no credential, or one that is not valid
├── Forbidden             the credential's role does not allow it
├── NotFound              there is no such thing in this workspace
├── Conflict              what is stored stands against it
│   └── KeyStillRunning   the same idempotency key is being answered right now
├── KeyReused             the idempotency key belongs to another payload
├── VersionRequired       a change needs the version that it starts from
├── VersionStale          somebody changed it in between
├── TooLarge              larger than the stated limit
├── NotInstalled          a part that it needs was left out when Strata was installed
├── Crowded               as many exports of the workspace are running as it may have
└── Unavailable           the database is gone or too slow; trying again later may help
    └── Busy              as much is running as one process takes: exports, or clusters
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Read = TypeVar("Read")
Other = TypeVar("Other")


def escape(member: str) -> str:
    """A member's name within a JSON pointer (RFC 6901)."""
    return member.replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where, what was expected, and the nearest known name.

    `pointer` is an RFC 6901 JSON pointer into the body, `parameter` a query parameter or header,
    `line` and `column` count from 1 within a text of criteria or a file.
    """

    message: str
    pointer: str | None = None
    parameter: str | None = None
    line: int | None = None
    column: int | None = None
    suggestion: str | None = None


class StrataError(Exception):
    """The request could not be answered."""

    def __init__(self, detail: str | None = None, faults: tuple[Fault, ...] = ()) -> None:
        self.detail = detail or (faults[0].message if faults else (type(self).__doc__ or "").strip())
        self.faults = faults
        super().__init__(self.detail)


class Unreadable(StrataError):
    """The request cannot be read."""


class Invalid(StrataError):
    """The request is read, but something in it means nothing here."""


class Together:
    """Parts of a request that are read one after the other, so that whatever is wrong with any of them is told at once."""

    def __init__(self) -> None:
        self._refused: list[Unreadable | Invalid] = []

    def part(self, read: Callable[[], Read], otherwise: Other) -> Read | Other:
        """What is read; `otherwise` where that is refused, as `verify` then says."""
        try:
            return read()
        except (Unreadable, Invalid) as error:
            self._refused.append(error)
            return otherwise

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong with all parts, each once."""
        each = (fault for error in self._refused for fault in error.faults or (Fault(error.detail),))
        return tuple(dict.fromkeys(each))

    def verify(self) -> None:
        """Raises what refused a part; where several were, all of their faults, as Unreadable if one of them was."""
        if not self._refused:
            return
        if len(self._refused) == 1:
            raise self._refused[0]
        unread = any(isinstance(error, Unreadable) for error in self._refused)
        raise (Unreadable if unread else Invalid)(None, self.faults)


class Unauthenticated(StrataError):
    """A valid credential is needed: send `Authorization: Bearer <API key or JWT>`."""

    def __init__(self, presented: bool = False) -> None:
        super().__init__()
        self.presented = presented
        """Whether there was a bearer token at all. What is wrong with one is never told."""


class Forbidden(StrataError):
    """This credential may not do that."""

    scope: str | None = None
    """The scope that would let a service do it."""


class NotFound(StrataError):
    """There is no such thing in this workspace."""


class Conflict(StrataError):
    """What is stored already stands against it."""


class KeyStillRunning(Conflict):
    """A request with the same Idempotency-Key is still running: try again in a moment."""


class KeyReused(StrataError):
    """This Idempotency-Key was used with another payload: take a new key for a new request."""


class VersionRequired(StrataError):
    """A change needs the version that it starts from: send If-Match with the ETag, or expectedVersion."""


class VersionStale(StrataError):
    """It was changed in between: read it again and repeat the change on the newer version."""


class TooLarge(StrataError):
    """The request is larger than the stated limit."""


class NotInstalled(StrataError):
    """A part that this needs was left out when Strata was installed."""


class Crowded(StrataError):
    """As many exports of this workspace run as may at once: wait until one is over, or end one, and send this again."""

    retry_after = 5


class Unavailable(StrataError):
    """The database does not answer: try again in a few seconds."""

    retry_after = 2


class Busy(Unavailable):
    """As many exports run as this process takes: send this again after the time in Retry-After."""

    retry_after = 5
