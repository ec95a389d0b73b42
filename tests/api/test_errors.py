"""Hostile and mistaken requests, as a table: each is answered with a problem that says where, and never with a 5xx."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
import pytest

from app.api.errors import PROBLEMS, document
from app.domain.errors import NotInstalled
from tests.api.conftest import House

JSON = {"content-type": "application/json"}
ABSENT = "01890a5d-ac96-774b-bcce-b302099a8057"
ETAG = {"if-match": '"1-0123456789abcdef"'}


@dataclass(frozen=True)
class Case:
    """A request, and what its first fault says: pointer or parameter, None for no fault at all."""

    request: str
    status: int
    at: str | None = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    suggestion: str | None = None

    def __str__(self) -> str:
        return f"{self.request[:60]} {(self.body or b'')[:30]!r} {self.status}"


def post(body: bytes, status: int, at: str | None, path: str = "/v1/accounts", **more: Any) -> Case:
    return Case(f"POST {path}", status, at, body, {**JSON, **more})


CASES = [
    # addresses and methods
    Case("GET /v1/nothing", 404),
    Case("GET /v1/accounts/", 404),
    Case("GET //v1/accounts", 404),
    Case("GET /v1/accounts/not-a-uuid", 404),
    Case("GET /v1/accounts/%00", 404),
    Case("GET /v1/accounts/%ff", 404),
    Case(f"GET /v1/accounts/{ABSENT}", 404),
    Case("GET /v1/accounts/external/never%2Fseen", 404),
    Case("GET /v1/accounts/external/%F0%9F%92%A9", 404),
    Case("DELETE /v1/accounts", 405),
    Case("PUT /v1/accounts/query", 405),
    Case("PROPFIND /v1/accounts", 405),
    Case(f"GET /v1/{'a' * 3000}", 414),
    Case(f"GET /v1/accounts?filter={'a' * 61000}", 414),
    Case("GET /v1/accounts", 431, headers={"x-much": "a" * 40000}),
    # query strings
    Case("GET /v1/accounts?limit=0", 422, "limit"),
    Case("GET /v1/accounts?limit=-1", 422, "limit"),
    Case("GET /v1/accounts?limit=1001", 422, "limit"),
    Case("GET /v1/accounts?limit=99999999999999999999", 422, "limit"),
    Case("GET /v1/accounts?limit=5e1", 422, "limit"),
    Case("GET /v1/accounts?limit=%D9%A3", 422, "limit"),
    Case("GET /v1/accounts?limit=", 400, "limit"),
    Case("GET /v1/accounts?limit", 400, "limit"),
    Case("GET /v1/accounts?limit=1&limit=2", 400, "limit"),
    Case("GET /v1/accounts?limits=1", 422, "limits", suggestion="limit"),
    Case("GET /v1/accounts?filter=%ff", 400, "filter"),
    Case("GET /v1/accounts?filter=%00", 400, "filter"),
    Case("GET /v1/accounts?filter=", 400, "filter"),
    Case("GET /v1/accounts?filter=arr%20%3E", 400, "filter"),
    Case("GET /v1/accounts?filter=arrr%20%3E%201", 422, "filter", suggestion="arr"),
    Case("GET /v1/accounts?filter=arr%20%3D%20%22x%22", 422, "filter"),
    Case("GET /v1/accounts?filter=(((", 400, "filter"),
    Case("GET /v1/accounts?fields=nam", 422, "fields", suggestion="name"),
    Case("GET /v1/accounts?fields=,", 422, "fields"),
    Case("GET /v1/accounts?include=csms", 422, "include", suggestion="csm"),
    Case("GET /v1/accounts?sort=-", 422, "sort"),
    Case("GET /v1/accounts?sort=products", 422, "sort"),
    Case("GET /v1/accounts?count=all", 422, "count"),
    Case("GET /v1/accounts?archived=yes", 422, "archived"),
    Case("GET /v1/accounts?tz=Mars/Olympus", 422, "tz"),
    Case("GET /v1/accounts?as_of=tomorrow", 422, "as_of"),
    Case("GET /v1/accounts?cursor=abc", 400, "cursor"),
    Case("GET /v1/accounts?cursor=%F0%9F%92%A9", 400, "cursor"),
    Case("GET /v1/accounts?for_user=nobody", 422, "for_user"),
    Case("GET /v1/me?x=1", 422, "x"),
    # bodies
    post(b"", 400, ""),
    post(b"{", 400, ""),
    post(b"\xff", 400, ""),
    post(b"[]", 422, ""),
    post(b"null", 422, ""),
    post(b'{"name":"a","name":"b"}', 400, "/name"),
    post(b'{"name":"a\\u0000b"}', 400, "/name"),
    post(b'{"name":"\\ud800"}', 400, "/name"),
    post(b'{"name":NaN}', 400, "/name"),
    post(b'{"name":"x","employees":9223372036854775808}', 400, "/employees"),
    post(b'{"name":"x","employees":2147483648}', 422, "/employees"),
    post(b'{"name":"x","employees":1.5}', 422, "/employees"),
    post(b'{"name":"x","employees":"5"}', 422, "/employees"),
    post(b'{"name":"x","arr":0.001}', 422, "/arr"),
    post(b'{"name":"x","arr":1e30}', 422, "/arr"),
    post(b'{"name":"x","arr":true}', 422, "/arr"),
    post(b'{"name":7}', 422, "/name"),
    post(b'{"name":null}', 422, "/name"),
    post(b"{}", 422, "/name"),
    post(b'{"name":"x","helth":5}', 422, "/helth", suggestion="health"),
    post(b'{"name":"x","mrr":5}', 422, "/mrr"),
    post(b'{"name":"x","id":"%s"}' % ABSENT.encode(), 422, "/id"),
    post(b'{"name":"x","industry":"nowhere"}', 422, "/industry"),
    post(b'{"name":"x","csm_id":"%s"}' % ABSENT.encode(), 422, "/csm_id"),
    post(b'{"name":"x","renewal_date":"2026-02-30"}', 422, "/renewal_date"),
    post(b'{"name":"x","custom":{"nowhere":1}}', 422, "/custom/nowhere"),
    post(b'{"a":' * 65 + b"1" + b"}" * 65, 400, ""),
    post(b" " * (1 << 20) + b"{}", 413, None),
    post(b"{}", 415, "Content-Type", **{"content-type": "text/plain"}),
    post(b"{}", 415, "Content-Type", **{"content-type": "application/json; charset=latin-1"}),
    post(b"{}", 415, "Content-Type", **{"content-type": "application/merge-patch+json"}),
    post(b'{"name":"x"}', 422, "Idempotency-Key", **{"idempotency-key": "k" * 256}),
    post(b'{"limit":"5"}', 422, "/limit", "/v1/accounts/query"),
    post(b'{"limit":true}', 422, "/limit", "/v1/accounts/query"),
    post(
        b'{"limits":5}',
        422,
        "/limits",
        "/v1/accounts/query",
    ),
    post(b'{"filter":7}', 422, "/filter", "/v1/accounts/query"),
    post(b'{"filter":"arr >"}', 400, "/filter", "/v1/accounts/query"),
    post(b'{"criteria":{"v":1,"filter":{"op":"cmp"}}}', 422, "/criteria/filter", "/v1/accounts/query"),
    post(b'{"filter":"ALL","criteria":{"v":1,"filter":{"op":"all"}}}', 422, "/criteria", "/v1/accounts/query"),
    # versions
    Case(f"PATCH /v1/accounts/{ABSENT}", 428, "If-Match", b"{}", JSON),
    Case(f"PATCH /v1/accounts/{ABSENT}", 428, "If-Match", b"{}", {**JSON, "if-match": "*"}),
    Case(f"PATCH /v1/accounts/{ABSENT}", 412, "If-Match", b"{}", {**JSON, "if-match": 'W/"1-0123456789abcdef"'}),
    Case(f"PATCH /v1/accounts/{ABSENT}", 412, "If-Match", b"{}", {**JSON, "if-match": '"someone-elses"'}),
    Case(f"PATCH /v1/accounts/{ABSENT}", 400, "If-Match", b"{}", {**JSON, "if-match": "1"}),
    Case(f"PATCH /v1/accounts/{ABSENT}", 400, "If-Match", b"{}", {**JSON, "if-match": '"1-a", "2-b"'}),
    Case(f"PATCH /v1/accounts/{ABSENT}", 404, None, b"{}", {**JSON, **ETAG}),
    Case(f"DELETE /v1/accounts/{ABSENT}", 428, "If-Match"),
    Case(f"DELETE /v1/accounts/{ABSENT}", 400, "", b"{}", ETAG),
]


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_every_mistake_is_a_problem_that_says_where(house: House, case: Case) -> None:
    method, _, target = case.request.partition(" ")
    answer = await house.admin.request(method, target, content=case.body, headers=case.headers)
    assert answer.status_code == case.status, answer.text
    _is_problem(answer)
    faults = answer.json()["errors"]
    if case.at is not None:
        places = [fault["parameter"] if fault["pointer"] is None else fault["pointer"] for fault in faults]
        assert any(place is not None and place.startswith(case.at) for place in places), faults
    if case.suggestion is not None:
        assert case.suggestion in [fault["suggestion"] for fault in faults], faults


def _is_problem(answer: httpx.Response) -> None:
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(told) == {"type", "title", "status", "detail", "request_id", "errors"}
    problem = PROBLEMS[told["type"].removeprefix("/problems/")]
    assert (told["status"], told["title"]) == (answer.status_code, problem.title)
    assert problem.status == answer.status_code
    assert told["request_id"] == answer.headers["x-request-id"]
    for fault in told["errors"]:
        assert set(fault) == {"pointer", "parameter", "line", "column", "message", "suggestion"}


async def test_what_was_sent_is_not_told_back(house: House) -> None:
    secret = "s3cr3t-value"
    for target in (f"/v1/accounts?filter={secret}", f"/v1/accounts?cursor={secret}", f"/v1/accounts?tz={secret}"):
        assert secret not in (await house.admin.get(target)).text
    body = {"name": "x", "industry": secret, "renewal_date": secret, "country": secret}
    assert secret not in (await house.admin.post("/v1/accounts", json=body)).text


async def test_405_names_every_method(house: House) -> None:
    answer = await house.admin.request("PUT", f"/v1/accounts/{ABSENT}")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"


async def test_every_problem_has_its_page(nobody: httpx.AsyncClient) -> None:
    for problem in PROBLEMS.values():
        told = (await nobody.get(f"/problems/{problem.name}")).json()
        assert told["status"] == problem.status
        page = await nobody.get(f"/problems/{problem.name}", headers={"accept": "text/html"})
        assert page.headers["content-type"].startswith("text/html")
        assert problem.title in page.text.replace("&#x27;", "'")
    assert (await nobody.get("/problems/no-such")).status_code == 404


def test_what_is_not_installed_is_no_fault_of_the_caller() -> None:
    status, body, _ = document(NotInstalled("Run `make clusters`."), "r")
    told = msgspec.json.decode(body)
    assert (status, told["type"], told["detail"], told["errors"]) == (
        501,
        "/problems/not-installed",
        "Run `make clusters`.",
        [],
    )
