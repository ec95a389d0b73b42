"""/v1/accounts: read, make, change, archive, delete."""

from __future__ import annotations

from app.api import schemas
from app.api.conditions import call, expected_if_any, expected_version, only_new
from app.api.requests import Request
from app.api.responses import Answer
from app.api.rest import reading
from app.api.rest.parameters import ACCOUNT, IDEMPOTENCY_KEY, IF_MATCH, IF_MATCH_IF_THERE, IF_NEW, path
from app.api.rest.writes import answered, gone
from app.api.routes import Parameter, Payload, Route
from app.domain.catalogue import ACCOUNTS
from app.domain.errors import Fault, Invalid
from app.services import accounts

RECORD = schemas.ref(schemas.title(ACCOUNTS))
EXAMPLE = {"external_id": "crm-1042", "name": "Acme", "arr": 120000.5}
WITH = Parameter("with", "`records`: what belongs to the account goes too", {"type": "string", "enum": ["records"]})
EXTERNAL_ID = path("external_id", "of the account, percent-encoded", {"type": "string", "minLength": 1}, "crm-1042")


async def create(request: Request) -> Answer:
    """A new account."""
    request.query(())
    body = await request.object()
    written = await accounts.create(request.db, call(request, body), body)
    return answered(written, f"/v1/accounts/{written.id}")


async def change(request: Request) -> Answer:
    """The account as changed."""
    request.query(())
    account_id, version = request.uuid(0), expected_version(request)
    body = await request.object()
    return answered(await accounts.change(request.db, call(request, body), account_id, body, version))


async def upsert(request: Request) -> Answer:
    """The account of an external id, made or changed."""
    request.query(())
    external_id, version = request.values[0], expected_if_any(request)
    body = await request.object()
    with only_new(request):
        written = await accounts.upsert(request.db, call(request, body), external_id, body, version)
    return answered(written, f"/v1/accounts/{written.id}")


async def archive(request: Request) -> Answer:
    """The account as archived."""
    request.query(())
    account_id, version = request.uuid(0), expected_version(request)
    await request.nothing()
    return answered(await accounts.archive(request.db, call(request), account_id, version))


async def delete(request: Request) -> Answer:
    """Nothing: the account is gone."""
    what = request.query(("with",)).get("with")
    if what not in (None, "records"):
        raise Invalid(faults=(Fault("Expected records.", parameter="with", suggestion="records"),))
    account_id, version = request.uuid(0), expected_version(request)
    await request.nothing()
    return gone(
        await accounts.delete(request.db, call(request, what), account_id, version, with_records=what is not None)
    )


async def restore(request: Request) -> Answer:
    """The account as it is in scope again."""
    request.query(())
    account_id, version = request.uuid(0), expected_version(request)
    await request.nothing()
    return answered(await accounts.restore(request.db, call(request), account_id, version))


WRITES = (
    Route("POST", "/v1/accounts", "accounts.create", create, "Make an account", "accounts",
          "A member that is named is set, `null` included; references are told by id, external id or e-mail.",
          parameters=(IDEMPOTENCY_KEY,), status=201, headers=("ETag", "Location"), answer=Payload(RECORD),
          body=Payload(schemas.ref("NewAccount"), example=EXAMPLE), problems=("conflict",)),
    Route("PATCH", "/v1/accounts/{id}", "accounts.write", change, "Change an account", "accounts",
          "Changes the members that are given, and only those.",
          parameters=(ACCOUNT, IF_MATCH, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(RECORD),
          body=Payload(schemas.ref("AccountChange"), example={"health": 62}), problems=("conflict",)),
    Route("DELETE", "/v1/accounts/{id}", "accounts.delete", delete, "Delete an account", "accounts",
          "For good. Refused with 409 where anything belongs to it, which `errors` names; with `?with=records` its records, "
          "usage, memberships and history go along in the same transaction, and accounts below it are left without a parent.",
          parameters=(ACCOUNT, WITH, IF_MATCH, IDEMPOTENCY_KEY), status=204, problems=("conflict", "invalid")),
    Route("POST", "/v1/accounts/{id}/archive", "accounts.archive", archive, "Archive an account", "accounts",
          "The account leaves the scope of lists, segments and forecasts; it and its records stay, are read with "
          "their id and by `archived=with` among others, and come back by POST /v1/accounts/{id}/restore. Archiving an archived one changes nothing.",
          parameters=(ACCOUNT, IF_MATCH, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(RECORD)),
    Route("POST", "/v1/accounts/{id}/restore", "accounts.archive", restore, "Bring an archived account back", "accounts",
          parameters=(ACCOUNT, IF_MATCH, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(RECORD)),
    Route("PUT", "/v1/accounts/external/{external_id}", "accounts.write", upsert,
          "Make or change the account of an external id", "accounts",
          "201 where it was made. A change needs `If-Match` and leaves members alone that are not given.",
          parameters=(EXTERNAL_ID, IF_MATCH_IF_THERE, IF_NEW, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(RECORD),
          body=Payload(schemas.ref("AccountChange"), example={"name": "Acme", "health": 62}), problems=("conflict",)),
)  # fmt: skip
READS = (
    *reading.collection_routes("accounts", "/v1/accounts", "accounts"),
    reading.one_route("accounts", "/v1/accounts/{id}", "id", ACCOUNT, "accounts"),
    reading.one_route("accounts", "/v1/accounts/external/{external_id}", "external_id", EXTERNAL_ID, "accounts"),
)
ROUTES = (*READS, *WRITES)
