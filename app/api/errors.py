"""Every problem that an answer can be, and how our errors become one (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from app.domain import errors
from app.domain.errors import Fault, StrataError


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of problem: `name` is the last part of its `type`, `/problems/{name}`; `advice` says what to do."""

    name: str
    status: int
    title: str
    advice: str


_ALL = (
    Problem("unreadable", 400, "The request cannot be read", "Mend what `errors` points at: the syntax of the body, the text of a parameter, a header."),
    Problem("unauthenticated", 401, "A valid credential is needed", "Send `Authorization: Bearer <API key>` with a key that is not revoked or expired, or a JWT of the issuer that this service trusts."),
    Problem("forbidden", 403, "The credential may not do that", "Ask an administrator for the role or scope that `detail` names."),
    Problem("not-found", 404, "There is no such thing", "Check the address and the id. What belongs to another workspace does not exist for this credential."),
    Problem("method-not-allowed", 405, "The address does not take this method", "Use one of the methods in the `Allow` header."),
    Problem("not-acceptable", 406, "The answer has no type that is accepted", "Accept one of the types that `detail` names."),
    Problem("conflict", 409, "What is stored stands against it", "Read what is stored, then decide: usually the same external id, slug or e-mail is taken."),
    Problem("key-still-running", 409, "The same request is still running", "Wait for the time in `Retry-After` and send the same request again."),
    Problem("version-stale", 412, "It was changed in between", "Read the resource again and repeat the change with its new ETag."),
    Problem("too-large", 413, "The request is too large", "Send less than the limit that `detail` names; for bulk use POST /v1/imports."),
    Problem("uri-too-long", 414, "The address is too long", "Send the question as a body: POST /v1/accounts/query."),
    Problem("unsupported-media-type", 415, "The body's type is not taken here", "Send one of the content types that `detail` names."),
    Problem("invalid", 422, "Something in the request means nothing", "Mend what `errors` points at; `suggestion` holds the nearest known name."),
    Problem("key-reused", 422, "The Idempotency-Key belongs to another request", "Take a new key for a new request; repeat a key only with the same method, path and body."),
    Problem("version-required", 428, "The version is missing", "Send `If-Match` with the ETag that the resource was read with."),
    Problem("too-many-requests", 429, "Too many requests", "Wait for the time in `Retry-After` and send the same request again; `RateLimit` says how many are left, and `detail` what there were too many of."),
    Problem("headers-too-large", 431, "The headers are too large", "Send fewer or shorter headers."),
    Problem("internal", 500, "Something went wrong here", "It is our fault. Repeat the request later, and tell us the `request_id`."),
    Problem("not-installed", 501, "A part that this needs is not installed", "Whoever runs this service installs what `detail` names, and starts it again."),
    Problem("busy", 503, "As much is running as this process takes", "Wait for the time in `Retry-After` and send the same request again; fewer fields and records are sent sooner."),
    Problem("ending", 503, "This process ends", "Wait for the time in `Retry-After` and send the same request again; where it writes, with the same `Idempotency-Key`."),
    Problem("unavailable", 503, "The database does not answer", "Wait for the time in `Retry-After` and try again."),
)  # fmt: skip
PROBLEMS: Mapping[str, Problem] = MappingProxyType({p.name: p for p in _ALL})
"""By name; the pages under /problems and the OpenAPI document come from here."""

_OF: Mapping[type[StrataError], str] = MappingProxyType(
    {
        errors.Unreadable: "unreadable",
        errors.Invalid: "invalid",
        errors.Unauthenticated: "unauthenticated",
        errors.Forbidden: "forbidden",
        errors.NotFound: "not-found",
        errors.Conflict: "conflict",
        errors.KeyStillRunning: "key-still-running",
        errors.KeyReused: "key-reused",
        errors.VersionRequired: "version-required",
        errors.VersionStale: "version-stale",
        errors.TooLarge: "too-large",
        errors.NotInstalled: "not-installed",
        errors.Crowded: "too-many-requests",
        errors.Unavailable: "unavailable",
        errors.Busy: "busy",
    }
)

Headers = list[tuple[bytes, bytes]]
MOST_FAULTS = 100
LONGEST_POINTER = 300
"""Characters: a pointer is made of the caller's own names, and those may be of any length."""
CHALLENGE = b'Bearer realm="strata"'
"""How RFC 6750 begins `WWW-Authenticate`; a request that had no bearer token is told no more."""


class Refused(StrataError):  # noqa: N818 - vocabulary, as in the domain
    """The door itself says no: `name` is one of PROBLEMS, `headers` are sent along."""

    def __init__(
        self, name: str, detail: str | None = None, faults: tuple[Fault, ...] = (), headers: Headers | None = None
    ):
        super().__init__(detail or PROBLEMS[name].title, faults)
        self.name = name
        self.headers = headers or []


def problem_of(error: StrataError) -> Problem:
    """The problem that one of our errors is; a subclass counts as its nearest named parent."""
    if isinstance(error, Refused):
        return PROBLEMS[error.name]
    for kind in type(error).__mro__:
        if name := _OF.get(kind):
            return PROBLEMS[name]
    return PROBLEMS["internal"]


def headers_of(error: StrataError) -> Headers:
    """Headers that go with an error."""
    match error:
        case Refused():
            return error.headers
        case errors.Unauthenticated(presented=presented):
            return [(b"www-authenticate", CHALLENGE + (b', error="invalid_token"' if presented else b""))]
        case errors.Forbidden(scope=scope):
            needed = b', scope="%s"' % scope.encode() if scope else b""
            return [(b"www-authenticate", CHALLENGE + b', error="insufficient_scope"' + needed)]
        case errors.Unavailable() | errors.Crowded():
            return [(b"retry-after", b"%d" % error.retry_after)]
        case errors.KeyStillRunning():
            return [(b"retry-after", b"1")]
        case _:
            return []


def members(problem: Problem, detail: str, faults: tuple[Fault, ...], request_id: str) -> dict[str, object]:
    """The members of a problem document; empty is null, never left out."""
    return {
        "type": f"/problems/{problem.name}",
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        "request_id": request_id,
        "errors": [_fault(fault) for fault in faults[:MOST_FAULTS]],
    }


def _fault(fault: Fault) -> dict[str, object]:
    return {
        "pointer": fault.pointer and fault.pointer[:LONGEST_POINTER],
        "parameter": fault.parameter,
        "line": fault.line,
        "column": fault.column,
        "message": fault.message,
        "suggestion": fault.suggestion,
    }


def document(error: BaseException, request_id: str) -> tuple[int, bytes, Headers]:
    """Status, body and headers for any exception; what we do not know is `internal` and shows nothing of itself."""
    if isinstance(error, StrataError):
        problem, detail, faults, headers = problem_of(error), error.detail, error.faults, headers_of(error)
    else:
        problem = PROBLEMS["internal"]
        detail, faults, headers = problem.advice, (), []
    body = msgspec.json.encode(members(problem, detail, faults, request_id))
    return problem.status, body, headers
