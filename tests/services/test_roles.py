"""The role matrix of the use cases that write, every cell: who may do what, and where only to their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from app.domain.errors import Forbidden, NotFound
from app.domain.roles import ROLES, RULES, SCOPES
from app.persistence.database import Database
from app.services import (
    accounts,
    defaults,
    favourites,
    hand_overs,
    keys,
    lists,
    moves,
    records,
    scenarios,
    segmentations,
    stages,
    transfers,
    usage,
    users,
    watches,
    workspaces,
)
from app.services.calls import Call, new_id
from tests.services.organisations import NOW, Organisation, document, organisation

CHURN = {"churned_at": "2026-11-01"}
LIST = {"entity": "accounts", "name": "L", "criteria": {"text": "ALL"}}


@dataclass(frozen=True)
class Case:
    """What one operation does, given who calls and whose the thing is; `may` and `own` as trust.md says."""

    operation: str
    may: str
    own: str
    scope: str | None
    act: Callable[[Organisation, Call, bool], Awaitable[Any]]


async def _account(org: Organisation, call: Call, mine: bool) -> tuple[Any, int]:
    owner = call.principal.user_id if mine and call.principal.user_id else org.user("other")
    made = await accounts.create(org.db, org.call(), {"name": "A", "csm_id": str(owner)})
    return made.id, made.version


async def _create_account(org: Organisation, call: Call, mine: bool) -> None:
    await accounts.create(org.db, call, {"name": "A"})


async def _change_account(org: Organisation, call: Call, mine: bool) -> None:
    account_id, version = await _account(org, call, mine)
    await accounts.change(org.db, call, account_id, {"name": "B"}, version)


async def _archive(org: Organisation, call: Call, mine: bool) -> None:
    account_id, version = await _account(org, call, mine)
    await accounts.archive(org.db, call, account_id, version)


async def _restore(org: Organisation, call: Call, mine: bool) -> None:
    account_id, version = await _account(org, call, mine)
    await accounts.archive(org.db, org.call(), account_id, version)
    await accounts.restore(org.db, call, account_id, version + 1)


async def _delete_account(org: Organisation, call: Call, mine: bool) -> None:
    account_id, version = await _account(org, call, mine)
    await accounts.delete(org.db, call, account_id, version)


async def _new_record(org: Organisation, call: Call, mine: bool) -> Any:
    account_id, _ = await _account(org, call, mine)
    return await records.create(org.db, org.call(), "churns", {"account_id": str(account_id), **CHURN})


async def _create_record(org: Organisation, call: Call, mine: bool) -> None:
    account_id, _ = await _account(org, call, mine)
    await records.create(org.db, call, "churns", CHURN, account=account_id)


async def _change_record(org: Organisation, call: Call, mine: bool) -> None:
    made = await _new_record(org, call, mine)
    await records.change(org.db, call, "churns", "id", str(made.id), {"reason": "price"}, 1)


async def _delete_record(org: Organisation, call: Call, mine: bool) -> None:
    made = await _new_record(org, call, mine)
    await records.delete(org.db, call, "churns", "id", str(made.id), 1)


async def _write_usage(org: Organisation, call: Call, mine: bool) -> None:
    await records.upsert(org.db, org.call(), "features", "reports", {"name": "R"}, await _version(org, "reports"))
    account_id, _ = await _account(org, call, mine)
    key = {"feature": "reports", "day": "2026-11-20"}
    await usage.put(org.db, call, {"rows": [{**key, "value": 1}]}, account=account_id)
    await usage.delete(org.db, call, account_id, key)


async def _version(org: Organisation, slug: str) -> int | None:
    found = await org.rows("SELECT version FROM features WHERE workspace_id = $1 AND slug = $2", slug)
    return found[0][0] if found else None


async def _write_directory(org: Organisation, call: Call, mine: bool) -> None:
    slug = f"i-{new_id()}"
    await records.create(org.db, call, "industries", {"name": "I", "slug": slug})
    await records.change(org.db, call, "industries", "slug", slug, {"name": "J"}, 1)
    await records.delete(org.db, call, "industries", "slug", slug, 2)


async def _create_list(org: Organisation, call: Call, mine: bool) -> None:
    await lists.create(org.db, call, {**LIST, "visibility": "private" if mine else "public"})


async def _public_list(org: Organisation, call: Call, mine: bool) -> Any:
    """A public list of the caller's or of another's; a viewer owns none, so that one is private."""
    if mine and call.principal.person:
        return (await lists.create(org.db, call, LIST)).id
    return (await lists.create(org.db, org.call("other"), {**LIST, "visibility": "public"})).id


async def _change_list(org: Organisation, call: Call, mine: bool) -> None:
    await lists.change(org.db, call, await _public_list(org, call, mine), {"name": "M"}, 1)


async def _delete_list(org: Organisation, call: Call, mine: bool) -> None:
    await lists.delete(org.db, call, await _public_list(org, call, mine), 1)


async def _transfer_list(org: Organisation, call: Call, mine: bool) -> None:
    list_id = await _public_list(org, call, mine)
    await lists.change(
        org.db, call, list_id, {"owner_id": str(org.user("manager" if call.principal.role == "csm" else "csm"))}, 1
    )


async def _hand_over_list(org: Organisation, call: Call, mine: bool) -> None:
    await transfers.transfer(org.db, call, await _public_list(org, call, mine), {"to": "manager@example.com"})


async def _favourite(org: Organisation, call: Call, mine: bool) -> None:
    await favourites.mark(org.db, call, await _public_list(org, call, mine), favourite=True)


async def _watch(org: Organisation, call: Call, mine: bool) -> None:
    await watches.watch(org.db, call, await _public_list(org, call, mine))


async def _read_lists(org: Organisation, call: Call, mine: bool) -> None:
    await lists.all_lists(org.db, call.principal, NOW)


async def _defaults(org: Organisation, call: Call, mine: bool) -> None:
    await defaults.choose(org.db, call, "accounts", None)


async def _read_me(org: Organisation, call: Call, mine: bool) -> None:
    await defaults.own(org.db, call.principal)


async def _read_workspace(org: Organisation, call: Call, mine: bool) -> None:
    workspaces.get(call.principal)


async def _change_workspace(org: Organisation, call: Call, mine: bool) -> None:
    version = (await workspaces.load(org.db, org.workspace.id)).version
    await workspaces.change(org.db, call, {"week_start": version % 7 + 1}, version)


async def _read_keys(org: Organisation, call: Call, mine: bool) -> None:
    await keys.all_keys(org.db, call.principal)


async def _write_keys(org: Organisation, call: Call, mine: bool) -> None:
    made = await keys.create(org.db, call, {"name": "k", "role": "service", "scopes": ["read"]})
    await keys.revoke(org.db, call, made.id)


async def _new_user(org: Organisation, call: Call) -> Any:
    told = {"name": "N", "email": f"{new_id()}@example.com", "role": "csm"}
    return await users.create(org.db, call, told)


async def _create_user(org: Organisation, call: Call, mine: bool) -> None:
    await _new_user(org, call)


async def _change_user(org: Organisation, call: Call, mine: bool) -> None:
    made = await _new_user(org, org.call())
    await users.change(org.db, call, "id", str(made.id), {"role": "viewer"}, 1)


async def _delete_user(org: Organisation, call: Call, mine: bool) -> None:
    made = await _new_user(org, org.call())
    await users.delete(org.db, call, "id", str(made.id), 1)


async def _hand_over(org: Organisation, call: Call, mine: bool) -> None:
    made = await _new_user(org, org.call())
    await hand_overs.hand_over(org.db, call, made.id, {"to": "other"})


async def _move_account(org: Organisation, call: Call, mine: bool) -> None:
    account_id, _ = await _account(org, call, mine)
    await moves.move(org.db, call, account_id, {"stage": "trial"}, None)


async def _make_stage(org: Organisation, call: Call, mine: bool) -> None:
    slug = f"s{new_id()}"
    made = await stages.create(org.db, call, {"name": "S", "slug": slug})
    await stages.delete(org.db, call, "slug", slug, made.version)


async def _make_scenario(org: Organisation, call: Call, mine: bool) -> None:
    await scenarios.create(org.db, call, {"name": "S", "slug": f"s{new_id()}"})


async def _delete_segmentation(org: Organisation, call: Call, mine: bool) -> None:
    segment = {"slug": "yes", "name": "Yes", "criteria": "arr > 5"}
    body = {"name": "S", "kind": "rules", "rest": "no", "segments": [segment]}
    slug = f"s{new_id()}"
    await segmentations.put(org.db, org.call(), slug, body, None)
    await segmentations.delete(org.db, call, slug, 1)
    await segmentations.put(org.db, call, slug, body, None)
    await segmentations.delete(org.db, org.call(), slug, 1)


async def _read_history(org: Organisation, call: Call, mine: bool) -> None:
    account_id, _ = await _account(org, call, mine)
    await moves.history(org.db, call.principal, account_id, NOW, None, 5)
    await moves.standing(org.db, call.principal, account_id, NOW)
    await moves.summary(org.db, call.principal, NOW)


EVERYBODY = "admin manager csm viewer"
CASES = (
    Case("accounts.create", "admin manager", "", "write", _create_account),
    Case("accounts.write", "admin manager", "csm", "write", _change_account),
    Case("accounts.archive", "admin manager", "csm", "write", _archive),
    Case("accounts.archive", "admin manager", "csm", "write", _restore),
    Case("accounts.delete", "admin", "", None, _delete_account),
    Case("records.write", "admin manager", "csm", "write", _create_record),
    Case("records.write", "admin manager", "csm", "write", _change_record),
    Case("records.write", "admin manager", "csm", "write", _delete_record),
    Case("records.write", "admin manager", "csm", "write", _write_usage),
    Case("directory.write", "admin manager", "", "write", _write_directory),
    Case("accounts.stage", "admin manager", "csm", "write", _move_account),
    Case("records.read", EVERYBODY, "", "read", _read_history),
    Case("stages.write", "admin manager", "", "write", _make_stage),
    Case("scenarios.write", "admin manager", "", "write", _make_scenario),
    Case("segmentations.write", "admin manager", "", "write", _delete_segmentation),
    Case("lists.create", "admin manager csm", "viewer", None, _create_list),
    Case("lists.write", "admin manager", "csm viewer", None, _change_list),
    Case("lists.write", "admin manager", "csm viewer", None, _delete_list),
    Case("lists.read", EVERYBODY, "", "read", _read_lists),
    Case("lists.transfer", "admin", "manager csm viewer", None, _hand_over_list),
    Case("lists.favourite", EVERYBODY, "", None, _favourite),
    Case("lists.watch", EVERYBODY, "", "write", _watch),
    Case("me.defaults.write", EVERYBODY, "", None, _defaults),
    Case("me.read", EVERYBODY, "", "read", _read_me),
    Case("workspace.read", EVERYBODY, "", "read", _read_workspace),
    Case("workspace.write", "admin", "", None, _change_workspace),
    Case("users.write", "admin", "", None, _create_user),
    Case("users.write", "admin", "", None, _change_user),
    Case("users.write", "admin", "", None, _delete_user),
    Case("users.write", "admin", "", None, _hand_over),
    Case("keys.read", "admin", "", None, _read_keys),
    Case("keys.write", "admin", "", None, _write_keys),
)


def cells() -> Iterator[tuple[Case, str, bool, str | None]]:
    for case in CASES:
        for mine in (True, False):
            for role in ROLES[:4]:
                yield case, role, mine, None
            for scope in (*SCOPES, None):
                yield case, "service", mine, scope


@pytest.fixture(scope="module")
async def org(db: Database) -> Organisation:
    return await organisation(db)


@pytest.mark.parametrize(
    ("case", "role", "mine", "scope"),
    [
        pytest.param(*cell, id=f"{cell[0].act.__name__}-{cell[1]}-{'own' if cell[2] else 'other'}-{cell[3]}")
        for cell in cells()
    ],
)
async def test_every_cell(org: Organisation, case: Case, role: str, mine: bool, scope: str | None) -> None:
    call = Call(org.as_(role, *([scope] if scope else [])), NOW)
    if role == "service":
        allowed = case.scope is not None and scope == case.scope
    else:
        allowed = role in case.may.split() or (mine and role in case.own.split())
    if allowed:
        await case.act(org, call, mine)
        return
    with pytest.raises(Forbidden):
        await case.act(org, call, mine)


async def test_lists_are_handed_over_by_their_owners_and_by_admins(org: Organisation) -> None:
    for role in ROLES[:4]:
        for mine in (True, False):
            if mine or role == "admin":
                await _transfer_list(org, org.call(role), mine)
                continue
            with pytest.raises(Forbidden):
                await _transfer_list(org, org.call(role), mine)


async def test_a_service_does_not_see_private_lists(org: Organisation) -> None:
    made = await lists.create(org.db, org.call("csm"), LIST)
    with pytest.raises(NotFound):
        await lists.get(org.db, org.as_("service", *SCOPES), made.id, NOW)


def test_the_table_here_is_the_table_there() -> None:
    for case in CASES:
        rule = RULES[case.operation]
        assert (rule.always, rule.own, rule.scope) == (
            frozenset(case.may.split()),
            frozenset(case.own.split()),
            case.scope,
        )


async def test_upsert_follows_the_rules_of_what_it_turns_out_to_be(org: Organisation) -> None:
    for role, makes in (("admin", True), ("manager", True), ("csm", False), ("viewer", False)):
        if makes:
            made = await accounts.upsert(org.db, org.call(role), f"up-{role}", {"name": "A", "csm": "csm"}, None)
            assert document(made.body)["external_id"] == f"up-{role}"
            continue
        with pytest.raises(Forbidden):
            await accounts.upsert(org.db, org.call(role), f"up-{role}", {"name": "A"}, None)
    await accounts.upsert(org.db, org.call("csm"), "up-admin", {"name": "B"}, 1)
    for role in ("other", "viewer"):
        with pytest.raises(Forbidden):
            await accounts.upsert(org.db, org.call(role), "up-admin", {"name": "C"}, 2)
