"""Every write of both doors, as a request that does something: a row for each route that writes and each mutation."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from app.persistence.database import Database
from app.services import keys, users, workspaces
from tests.connections import Connections
from tests.servers import Server

Json = dict[str, Any]
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class World:
    """A workspace of its own, and its admin's client."""

    admin: httpx.AsyncClient
    user: str
    other: str

    async def post(self, path: str, body: Json) -> Json:
        """What was made."""
        answer = await self.admin.post(path, json=body)
        assert answer.status_code in (200, 201), f"{path}: {answer.text}"
        made: Json = answer.json()
        return made

    async def account(self) -> Json:
        """A new account."""
        return await self.post("/v1/accounts", {"name": "A"})

    async def body(self, entity: str) -> Json:
        """A body that makes a record, what it refers to made before."""
        told = {**BODIES[entity]}
        if entity in RELATED:
            told["account_id"] = (await self.account())["id"]
        if entity == "sentiments":
            told["author_id"] = self.user
        if entity in KEYED:
            told["slug"] = unique()
        if entity == "users":
            told["email"] = f"{unique()}@example.com"
        if entity == "attributes":
            told["slug"] = unique().replace("-", "_")
        return told

    async def made(self, entity: str) -> Json:
        """A new record."""
        return await self.post(f"/v1/{entity}", await self.body(entity))


@dataclass(frozen=True, slots=True)
class Send:
    """A request that is ready: `json` is None where it has no body, `content` is a file's."""

    path: str
    json: Json | None = None
    version: int | None = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Rest = Callable[[World], Awaitable[Send]]
Mutation = Callable[[World], Awaitable[Json]]
"""Gives the arguments of a mutation, made just before."""


def unique() -> str:
    """A name that nothing has."""
    return f"n-{next(_numbers)}"


async def world(db: Database, server: Server) -> World:
    """A new workspace."""
    now = datetime.now(UTC)
    name = f"World {next(_numbers)} of {server.url.rsplit(':', 1)[1]}"
    workspace_id = await workspaces.create_workspace(db, name, now)
    people = [await users.create_user(db, workspace_id, f"{who}@example.com", who, "admin", None, now) for who in "ab"]
    _, token = await keys.create_key(db, workspace_id, "k", "admin", people[0], (), now)
    headers = {"authorization": f"Bearer {token}"}
    client = httpx.AsyncClient(transport=Connections(), base_url=server.url, headers=headers, timeout=60)
    return World(client, str(people[0]), str(people[1]))


# -- entities ----------------------------------------------------------------------------------------------------------

DAY, MOMENT = "2026-11-01", "2026-11-01T10:00:00Z"
RELATED: Mapping[str, Json] = {
    "contacts": {"name": "C"},
    "contracts": {"arr": 10.5, "start_date": DAY},
    "opportunities": {"name": "O", "stage": "open", "opened_at": DAY, "amount": 5},
    "interactions": {"kind": "call", "direction": "outbound", "occurred_at": MOMENT},
    "invoices": {"status": "unpaid", "amount": 5, "issued_at": DAY, "due_at": DAY},
    "surveys": {"kind": "nps", "score": 9, "answered_at": MOMENT},
    "tickets": {"status": "open", "priority": "low", "opened_at": MOMENT},
    "requests": {"kind": "other", "status": "open", "asked_at": MOMENT},
    "sentiments": {"score": 3, "recorded_at": MOMENT},
    "churns": {"churned_at": DAY},
}
KEYED: Mapping[str, Json] = {
    "teams": {"name": "T"}, "industries": {"name": "I"}, "products": {"name": "P"}, "features": {"name": "F"},
    "stages": {"name": "S"}, "scenarios": {"name": "S"},
}  # fmt: skip
BODIES: Mapping[str, Json] = {
    **RELATED, **KEYED, "accounts": {"name": "A"}, "users": {"name": "U", "role": "csm"},
    "attributes": {"name": "A", "entity": "accounts", "type": "text"},
}  # fmt: skip
BULK = ("accounts", *RELATED, "products", "features", "users", "teams", "industries", "stages")


def _key(entity: str) -> str:
    return "slug" if entity in KEYED else "id"


def _change(entity: str) -> Json:
    return {"name": unique()} if "name" in BODIES[entity] else {"external_id": unique()}


def _rest(entity: str) -> dict[tuple[str, str], Rest]:
    """What every entity has: making, changing, upserting and deleting."""
    key, path = _key(entity), f"/v1/{entity}"
    place = f"{path}/{{slug}}" if key == "slug" else f"{path}/external/{{external_id}}"

    async def create(world: World) -> Send:
        return Send(path, await world.body(entity))

    async def change(world: World) -> Send:
        made = await world.made(entity)
        return Send(f"{path}/{made[key]}", _change(entity), made["version"])

    async def upsert(world: World) -> Send:
        body = await world.body(entity)
        name = body.pop("slug") if key == "slug" else unique()
        return Send(place.replace("{slug}", name).replace("{external_id}", name), body)

    async def delete(world: World) -> Send:
        made = await _to_delete(world, entity)
        return Send(f"{path}/{made[key]}", None, made["version"])

    return {
        ("POST", path): create, ("PATCH", f"{path}/{{{key}}}"): change, ("PUT", place): upsert,
        ("DELETE", f"{path}/{{{key}}}"): delete,
    }  # fmt: skip


def _below(entity: str) -> tuple[tuple[str, str], Rest]:
    async def create(world: World) -> Send:
        body = await world.body(entity)
        return Send(f"/v1/accounts/{body.pop('account_id')}/{entity}", body)

    return ("POST", f"/v1/accounts/{{id}}/{entity}"), create


def _bulk(entity: str) -> tuple[tuple[str, str], Rest]:
    async def upsert(world: World) -> Send:
        return Send(f"/v1/{entity}/bulk", {"records": [await _record(world, entity)]})

    return ("POST", f"/v1/{entity}/bulk"), upsert


async def _record(world: World, entity: str) -> Json:
    """A record of a bulk call, known by its own key."""
    body = await world.body(entity)
    if entity == "stages":
        body["position"] = 50 + next(_numbers)
    return body if entity in KEYED else {"external_id": unique(), **body}


async def _to_delete(world: World, entity: str) -> Json:
    """A record that nothing stands against deleting."""
    if entity == "scenarios":
        await world.made(entity)  # the active one stays
    made = await world.made(entity)
    if entity != "attributes":
        return made
    retired = await world.admin.patch(
        f"/v1/attributes/{made['id']}", json={"retired_at": MOMENT}, headers=matching(made["version"])
    )
    found: Json = retired.json()
    return found


def matching(version: int) -> dict[str, str]:
    """If-Match with a version."""
    return {"if-match": f'"{version}-0123456789abcdef"'}


# -- what is written in its own way ------------------------------------------------------------------------------------


async def archive(world: World) -> Send:
    made = await world.account()
    return Send(f"/v1/accounts/{made['id']}/archive", None, made["version"])


async def _archived(world: World) -> Json:
    made = await world.account()
    answer = await world.admin.post(f"/v1/accounts/{made['id']}/archive", headers=matching(made["version"]))
    found: Json = answer.json()
    return found


async def restore(world: World) -> Send:
    made = await _archived(world)
    return Send(f"/v1/accounts/{made['id']}/restore", None, made["version"])


async def move(world: World) -> Send:
    made = await world.account()
    return Send(f"/v1/accounts/{made['id']}/stage", {"stage": "trial"})


async def _order(world: World) -> list[str]:
    found = (await world.admin.get("/v1/stages?limit=1000&sort=position&fields=slug")).json()["data"]
    return [one["slug"] for one in reversed(found)]


async def arrange(world: World) -> Send:
    return Send("/v1/stages/order", {"stages": await _order(world)})


async def _usage(world: World) -> Json:
    """A row of usage, its feature made before."""
    feature = await world.made("features")
    return {"account_id": (await world.account())["id"], "feature": feature["slug"], "day": DAY, "value": 2.5}


async def usage(world: World) -> Send:
    return Send("/v1/usage", {"rows": [await _usage(world)]})


async def usage_below(world: World) -> Send:
    row = await _usage(world)
    return Send(f"/v1/accounts/{row.pop('account_id')}/usage", {"rows": [row]})


async def usage_deleted(world: World) -> Send:
    row = await _usage(world)
    await world.post("/v1/usage", {"rows": [row]})
    return Send(f"/v1/accounts/{row['account_id']}/usage?feature={row['feature']}&day={DAY}")


async def usage_bulk(world: World) -> Send:
    return Send("/v1/usage/bulk", {"records": [await _usage(world)]})


async def hand_over(world: World) -> Send:
    made = await world.made("users")
    await world.post("/v1/accounts", {"name": "Handed", "csm_id": made["id"]})
    return Send(f"/v1/users/{made['id']}/hand-over", {"to": "b@example.com"})


LIST: Json = {"entity": "accounts", "name": "L", "criteria": {"text": "ALL"}}


async def create_list(world: World) -> Send:
    return Send("/v1/lists", LIST)


async def change_list(world: World) -> Send:
    made = await world.post("/v1/lists", LIST)
    return Send(f"/v1/lists/{made['id']}", {"name": "M"}, 1)


async def delete_list(world: World) -> Send:
    return Send(f"/v1/lists/{(await world.post('/v1/lists', LIST))['id']}", None, 1)


async def copy_list(world: World) -> Send:
    return Send(f"/v1/lists/{(await world.post('/v1/lists', LIST))['id']}/copy", {})


async def set_default(world: World) -> Send:
    return Send("/v1/me/defaults/accounts", {"list_id": (await world.post("/v1/lists", LIST))["id"]})


async def transfer_list(world: World) -> Send:
    return Send(f"/v1/lists/{(await world.post('/v1/lists', LIST))['id']}/transfer", {"to_id": world.other})


async def mark_list(world: World) -> Send:
    return Send(f"/v1/lists/{(await world.post('/v1/lists', LIST))['id']}/favourite")


async def unmark_list(world: World) -> Send:
    path = (await mark_list(world)).path
    assert (await world.admin.put(path)).status_code == 200
    return Send(path)


async def watch_list(world: World) -> Send:
    """Of a workspace no more are watched than are kept."""
    made = await world.post("/v1/lists", LIST)
    for one in (await world.admin.get("/v1/lists?limit=1000")).json()["data"]:
        if one["watched_since"] is not None:
            await world.admin.delete(f"/v1/lists/{one['id']}/watch")
    return Send(f"/v1/lists/{made['id']}/watch")


async def unwatch_list(world: World) -> Send:
    path = (await watch_list(world)).path
    assert (await world.admin.put(path)).status_code == 200
    return Send(path)


async def set_workspace_default(world: World) -> Send:
    made = await world.post("/v1/lists", {**LIST, "visibility": "public"})
    return Send("/v1/workspace/defaults/accounts", {"list_id": made["id"]})


SEGMENTATION: Json = {
    "name": "R", "kind": "rules", "segments": [{"slug": "high", "name": "H", "criteria": "arr >= 50000"}],
}  # fmt: skip


async def _new_segmentation(world: World) -> str:
    """An address where there is none; in a workspace that has nearly as many as there may be, the oldest make room."""
    listed = (await world.admin.get("/v1/segmentations")).json()["data"]
    made = sorted((one for one in listed if one["slug"].startswith("n-")), key=lambda one: one["created_at"])
    for one in made[: max(0, len(listed) - 40)]:
        gone = await world.admin.delete(f"/v1/segmentations/{one['slug']}", headers=matching(one["version"]))
        assert gone.status_code == 204, gone.text
    return f"/v1/segmentations/{unique()}"


async def put_segmentation(world: World) -> Send:
    return Send(await _new_segmentation(world), SEGMENTATION)


async def delete_segmentation(world: World) -> Send:
    path = await _new_segmentation(world)
    assert (await world.admin.put(path, json=SEGMENTATION)).status_code in (200, 201)
    return Send(path, None, 1)


async def put_draft(world: World) -> Send:
    return Send(f"/v1/segmentations/{unique()}/draft", SEGMENTATION)


async def _drafted(world: World) -> str:
    """The address of a segmentation that there is a draft of alone."""
    path = f"/v1/segmentations/{unique()}"
    assert (await world.admin.put(f"{path}/draft", json=SEGMENTATION)).status_code == 201
    return path


async def discard_draft(world: World) -> Send:
    return Send(f"{await _drafted(world)}/draft", None, 1)


async def publish_draft(world: World) -> Send:
    return Send(f"{await _drafted(world)}/publish", {})


async def roll_back(world: World) -> Send:
    return Send(f"{await _changed_segmentation(world)}/rollback", {"version": 1}, 2)


async def refreeze(world: World) -> Send:
    """Of one that had no account to be cut by when it was defined."""
    path, name = await _new_segmentation(world), unique()
    cuts = {"by": "median", "among": f'name = "{name}"'}
    segments = [{"slug": "above", "name": "A"}, {"slug": "below", "name": "B"}]
    body = {"name": "H", "kind": "bands", "spec": {"field": "arr", "cuts": cuts}, "segments": segments}
    assert (await world.admin.put(path, json=body)).status_code == 201
    await world.post("/v1/accounts", {"name": name, "arr": 5})
    return Send(f"{path}/refreeze", {}, 1)


async def _changed_segmentation(world: World) -> str:
    """The address of one whose first version says something else."""
    path = (await delete_segmentation(world)).path
    changed = await world.admin.put(path, json={**SEGMENTATION, "name": "Changed"}, headers=matching(1))
    assert changed.status_code == 200
    return path


async def _changed_scenario(world: World) -> Json:
    """A scenario whose first version says something else."""
    made = await world.made("scenarios")
    changed = await world.admin.patch(
        f"/v1/scenarios/{made['slug']}", json={"name": unique()}, headers=matching(made["version"])
    )
    found: Json = changed.json()
    return found


async def roll_back_scenario(world: World) -> Send:
    made = await _changed_scenario(world)
    return Send(f"/v1/scenarios/{made['slug']}/rollback", {"version": 1}, made["version"])


PIN: Json = {"segment": "high", "reason": "A pilot."}


async def pin(world: World) -> Send:
    return Send(f"/v1/accounts/{(await world.account())['id']}/segments/tier/pin", PIN)


STEP: Json = {"plan": "playbook", "step": "Send the guide for the first steps"}


async def step(world: World) -> Send:
    return Send(f"/v1/accounts/{(await world.account())['id']}/segments/tier/steps", STEP)


async def unpin(world: World) -> Send:
    path = (await pin(world)).path
    assert (await world.admin.put(path, json=PIN)).status_code == 200
    return Send(path)


CALL: Json = {"category": "likely", "note": "They said so."}


async def call_renewal(world: World) -> Send:
    account = await world.post("/v1/accounts", {"name": "A", "arr": 10, "renewal_date": "2099-01-01"})
    return Send(f"/v1/accounts/{account['id']}/renewal-call", CALL)


async def withdraw_renewal_call(world: World) -> Send:
    path = (await call_renewal(world)).path
    assert (await world.admin.put(path, json=CALL)).status_code == 201
    return Send(path, None, 1)


async def forecast(world: World) -> Send:
    return Send("/v1/forecasts", {"group_by": ["month"]})


async def import_file(world: World) -> Send:
    content = f"external_id,name\n{unique()},Imported\n".encode()
    return Send("/v1/imports?kind=accounts", content=content, headers={"content-type": "text/csv"})


async def keep_mapping(world: World) -> Send:
    columns = {"external_id": {"from": "id"}, "name": {"from": "name"}}
    return Send(f"/v1/imports/mappings/{unique()}", {"kind": "accounts", "columns": columns})


async def _workspace(world: World) -> tuple[int, int]:
    """The version, and another week's start than the standing one."""
    standing = (await world.admin.get("/v1/workspace")).json()
    return standing["version"], standing["week_start"] % 7 + 1


async def change_workspace(world: World) -> Send:
    version, week_start = await _workspace(world)
    return Send("/v1/workspace", {"week_start": week_start}, version)


async def put_calendar(world: World) -> Send:
    """Another one than stands there."""
    version, week_start = await _workspace(world)
    made = {"pattern": "4-4-5", "first_day": f"2026-02-0{week_start}", "first_year": 2026, "years": 2 + version % 40}
    return Send("/v1/workspace/calendar", {"generate": made}, version)


async def put_scores(world: World) -> Send:
    """Others than stand there."""
    version = (await world.admin.get("/v1/scores")).json()["version"]
    return Send("/v1/scores", {"engagement": {"events": {"weight": version}}}, version)


async def delete_calendar(world: World) -> Send:
    put = await put_calendar(world)
    headers = {"If-Match": (await world.admin.get("/v1/workspace")).headers["etag"]}
    standing = (await world.admin.put(put.path, json=put.json, headers=headers)).json()
    return Send("/v1/workspace/calendar", version=standing["version"])


KEY: Json = {"name": "k", "role": "service", "scopes": ["read"]}


async def create_key(world: World) -> Send:
    return Send("/v1/api-keys", KEY)


async def rotate_key(world: World) -> Send:
    return Send(f"/v1/api-keys/{(await world.post('/v1/api-keys', KEY))['id']}/rotate", {})


async def revoke_key(world: World) -> Send:
    return Send(f"/v1/api-keys/{(await world.post('/v1/api-keys', KEY))['id']}")


ENTITIES = ("accounts", *RELATED, *KEYED, "users", "attributes")
REST: Mapping[tuple[str, str], Rest] = {
    **{place: row for entity in ENTITIES for place, row in _rest(entity).items()},
    **dict(map(_below, RELATED)),
    **dict(map(_bulk, BULK)),
    ("POST", "/v1/accounts/{id}/archive"): archive,
    ("POST", "/v1/accounts/{id}/restore"): restore,
    ("POST", "/v1/accounts/{id}/stage"): move,
    ("PUT", "/v1/stages/order"): arrange,
    ("POST", "/v1/usage"): usage,
    ("POST", "/v1/accounts/{id}/usage"): usage_below,
    ("DELETE", "/v1/accounts/{id}/usage"): usage_deleted,
    ("POST", "/v1/usage/bulk"): usage_bulk,
    ("POST", "/v1/users/{id}/hand-over"): hand_over,
    ("POST", "/v1/lists"): create_list,
    ("PATCH", "/v1/lists/{id}"): change_list,
    ("DELETE", "/v1/lists/{id}"): delete_list,
    ("POST", "/v1/lists/{id}/copy"): copy_list,
    ("POST", "/v1/lists/{id}/transfer"): transfer_list,
    ("PUT", "/v1/lists/{id}/favourite"): mark_list,
    ("DELETE", "/v1/lists/{id}/favourite"): unmark_list,
    ("PUT", "/v1/lists/{id}/watch"): watch_list,
    ("DELETE", "/v1/lists/{id}/watch"): unwatch_list,
    ("PUT", "/v1/me/defaults/{entity}"): set_default,
    ("PUT", "/v1/workspace/defaults/{entity}"): set_workspace_default,
    ("PUT", "/v1/segmentations/{slug}"): put_segmentation,
    ("DELETE", "/v1/segmentations/{slug}"): delete_segmentation,
    ("PUT", "/v1/segmentations/{slug}/draft"): put_draft,
    ("DELETE", "/v1/segmentations/{slug}/draft"): discard_draft,
    ("POST", "/v1/segmentations/{slug}/publish"): publish_draft,
    ("POST", "/v1/segmentations/{slug}/rollback"): roll_back,
    ("POST", "/v1/segmentations/{slug}/refreeze"): refreeze,
    ("POST", "/v1/scenarios/{slug}/rollback"): roll_back_scenario,
    ("PUT", "/v1/accounts/{id}/segments/{segmentation}/pin"): pin,
    ("PUT", "/v1/accounts/{id}/segments/{segmentation}/steps"): step,
    ("DELETE", "/v1/accounts/{id}/segments/{segmentation}/pin"): unpin,
    ("PUT", "/v1/accounts/{id}/renewal-call"): call_renewal,
    ("DELETE", "/v1/accounts/{id}/renewal-call"): withdraw_renewal_call,
    ("POST", "/v1/forecasts"): forecast,
    ("POST", "/v1/imports"): import_file,
    ("PUT", "/v1/imports/mappings/{name}"): keep_mapping,
    ("PATCH", "/v1/workspace"): change_workspace,
    ("PUT", "/v1/workspace/calendar"): put_calendar,
    ("PUT", "/v1/scores"): put_scores,
    ("DELETE", "/v1/workspace/calendar"): delete_calendar,
    ("POST", "/v1/api-keys"): create_key,
    ("POST", "/v1/api-keys/{id}/rotate"): rotate_key,
    ("DELETE", "/v1/api-keys/{id}"): revoke_key,
}
"""By method and address, as routes declare them."""

# -- mutations ---------------------------------------------------------------------------------------------------------


def camel(body: Json) -> Json:
    """A body as an input."""
    return {_camel(name): value for name, value in body.items()}


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


SINGULAR = {
    **{entity: entity.removesuffix("s").capitalize() for entity in ENTITIES},
    "opportunities": "Opportunity", "industries": "Industry", "churns": "Churn",
}  # fmt: skip


def _mutations(entity: str) -> dict[str, Mutation]:
    singular, key = SINGULAR[entity], "slug" if entity in KEYED else "externalId"

    async def create(world: World) -> Json:
        return {"input": camel(await world.body(entity))}

    async def update(world: World) -> Json:
        made = await world.made(entity)
        return {"id": made["id"], "expectedVersion": made["version"], "input": camel(_change(entity))}

    async def upsert(world: World) -> Json:
        body = await world.body(entity)
        name = body.pop("slug") if key == "slug" else unique()
        return {key: name, "input": camel(body)}

    async def delete(world: World) -> Json:
        made = await _to_delete(world, entity)
        return {"id": made["id"], "expectedVersion": made["version"]}

    return {
        f"create{singular}": create,
        f"update{singular}": update,
        f"upsert{singular}": upsert,
        f"delete{singular}": delete,
    }


async def g_archive(world: World) -> Json:
    made = await world.account()
    return {"id": made["id"], "expectedVersion": made["version"]}


async def g_restore(world: World) -> Json:
    made = await _archived(world)
    return {"id": made["id"], "expectedVersion": made["version"]}


async def g_move(world: World) -> Json:
    return {"id": (await world.account())["id"], "input": {"stage": "trial"}}


async def g_arrange(world: World) -> Json:
    return {"input": {"stages": await _order(world)}}


async def g_bulk(world: World) -> Json:
    return {"entity": "contacts", "records": [await _record(world, "contacts")]}


async def g_put_usage(world: World) -> Json:
    return {"input": {"rows": [camel(await _usage(world))]}}


async def g_delete_usage(world: World) -> Json:
    row = await _usage(world)
    await world.post("/v1/usage", {"rows": [row]})
    return {"input": {"accountId": row["account_id"], "feature": row["feature"], "day": DAY}}


async def g_hand_over(world: World) -> Json:
    sent = await hand_over(world)
    return {"id": sent.path.split("/")[3], "input": sent.json}


async def g_create_list(world: World) -> Json:
    return {"input": LIST}


async def g_update_list(world: World) -> Json:
    made = await world.post("/v1/lists", LIST)
    return {"id": made["id"], "expectedVersion": 1, "input": {"name": "M"}}


async def g_delete_list(world: World) -> Json:
    return {"id": (await world.post("/v1/lists", LIST))["id"], "expectedVersion": 1}


async def g_copy_list(world: World) -> Json:
    return {"id": (await world.post("/v1/lists", LIST))["id"]}


async def g_default(world: World) -> Json:
    return {"entity": "accounts", "listId": (await world.post("/v1/lists", LIST))["id"]}


def g_of_list(sent: Rest, **more: Any) -> Mutation:
    """The mutation of a list that REST has under an address of its own."""

    async def arguments(world: World) -> Json:
        return {"id": (await sent(world)).path.split("/")[3], **more}

    return arguments


async def g_transfer_list(world: World) -> Json:
    return {"id": (await transfer_list(world)).path.split("/")[3], "input": {"toId": world.other}}


async def g_workspace_default(world: World) -> Json:
    return {"entity": "accounts", "listId": ((await set_workspace_default(world)).json or {})["list_id"]}


async def g_put_segmentation(world: World) -> Json:
    segment = {**SEGMENTATION["segments"][0], "criteria": {"text": "arr >= 50000"}}
    return {"slug": unique(), "input": {**SEGMENTATION, "segments": [segment]}}


async def g_delete_segmentation(world: World) -> Json:
    return {"slug": (await delete_segmentation(world)).path.split("/")[3], "expectedVersion": 1}


async def g_put_draft(world: World) -> Json:
    return await g_put_segmentation(world)


async def g_discard_draft(world: World) -> Json:
    return {"slug": (await _drafted(world)).split("/")[3], "expectedVersion": 1}


async def g_publish_draft(world: World) -> Json:
    return {"slug": (await _drafted(world)).split("/")[3]}


async def g_roll_back(world: World) -> Json:
    slug = (await _changed_segmentation(world)).split("/")[3]
    return {"slug": slug, "input": {"version": 1}, "expectedVersion": 2}


async def g_refreeze(world: World) -> Json:
    return {"slug": (await refreeze(world)).path.split("/")[3], "expectedVersion": 1}


async def g_roll_back_scenario(world: World) -> Json:
    made = await _changed_scenario(world)
    return {"id": made["id"], "input": {"version": 1}, "expectedVersion": made["version"]}


async def g_pin(world: World) -> Json:
    return {"id": (await world.account())["id"], "segmentation": "tier", "input": PIN}


async def g_step(world: World) -> Json:
    return {"id": (await world.account())["id"], "segmentation": "tier", "input": STEP}


async def g_unpin(world: World) -> Json:
    return {"id": (await unpin(world)).path.split("/")[3], "segmentation": "tier"}


async def g_call_renewal(world: World) -> Json:
    return {"id": (await call_renewal(world)).path.split("/")[3], "input": CALL}


async def g_withdraw_renewal_call(world: World) -> Json:
    return {"id": (await withdraw_renewal_call(world)).path.split("/")[3], "expectedVersion": 1}


async def g_forecast(world: World) -> Json:
    return {"input": {"groupBy": ["month"]}}


async def g_put_mapping(world: World) -> Json:
    sent = await keep_mapping(world)
    return {"name": sent.path.rpartition("/")[2], "input": sent.json}


async def g_create_key(world: World) -> Json:
    return {"input": KEY}


async def g_key(world: World) -> Json:
    return {"id": (await world.post("/v1/api-keys", KEY))["id"]}


async def g_workspace(world: World) -> Json:
    version, week_start = await _workspace(world)
    return {"expectedVersion": version, "input": {"weekStart": week_start}}


async def g_put_scores(world: World) -> Json:
    sent = await put_scores(world)
    return {"expectedVersion": sent.version, "input": sent.json}


async def g_put_calendar(world: World) -> Json:
    version, week_start = await _workspace(world)
    made = {
        "pattern": "weeks_4_4_5",
        "firstDay": f"2026-02-0{week_start}",
        "firstYear": 2026,
        "years": 2 + version % 40,
    }
    return {"expectedVersion": version, "input": {"generate": made}}


async def g_delete_calendar(world: World) -> Json:
    return {"expectedVersion": (await delete_calendar(world)).version}


MUTATIONS: Mapping[str, Mutation] = {
    **{name: row for entity in ENTITIES for name, row in _mutations(entity).items()},
    "archiveAccount": g_archive,
    "restoreAccount": g_restore,
    "moveStage": g_move,
    "arrangeStages": g_arrange,
    "bulkUpsert": g_bulk,
    "putUsage": g_put_usage,
    "deleteUsage": g_delete_usage,
    "handOver": g_hand_over,
    "createList": g_create_list,
    "updateList": g_update_list,
    "deleteList": g_delete_list,
    "copyList": g_copy_list,
    "setDefaultList": g_default,
    "transferList": g_transfer_list,
    "markList": g_of_list(mark_list, favourite=True),
    "watchList": g_of_list(watch_list),
    "unwatchList": g_of_list(unwatch_list),
    "setWorkspaceDefaultList": g_workspace_default,
    "putImportMapping": g_put_mapping,
    "putSegmentation": g_put_segmentation,
    "deleteSegmentation": g_delete_segmentation,
    "putSegmentationDraft": g_put_draft,
    "discardSegmentationDraft": g_discard_draft,
    "publishSegmentation": g_publish_draft,
    "rollbackSegmentation": g_roll_back,
    "refreezeSegmentation": g_refreeze,
    "rollbackScenario": g_roll_back_scenario,
    "pinAccount": g_pin,
    "markStep": g_step,
    "unpinAccount": g_unpin,
    "callRenewal": g_call_renewal,
    "withdrawRenewalCall": g_withdraw_renewal_call,
    "createForecast": g_forecast,
    "createApiKey": g_create_key,
    "rotateApiKey": g_key,
    "revokeApiKey": g_key,
    "updateWorkspace": g_workspace,
    "putWorkspaceCalendar": g_put_calendar,
    "putScores": g_put_scores,
    "deleteWorkspaceCalendar": g_delete_calendar,
}
"""By name."""
