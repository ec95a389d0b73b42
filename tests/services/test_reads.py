"""Reads: what is answered is what is stored, for whoever may see it, at the moment that was asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.domain.catalogue import ENTITIES, Field
from app.domain.criteria.check import Setting
from app.domain.errors import Forbidden, Invalid, NotFound, StrataError, Unreadable
from app.domain.questions import COUNT_CAP, Selection
from app.domain.roles import Principal
from app.domain.selections import everything
from app.persistence.database import Database
from app.services import reads
from app.services.reads import Answer, Ask
from tests.laws.population import Population, Record, populate, store
from tests.laws.trees import AS_OF, PERSON, TODAY, WORKSPACE, email, external_id, id_of

OWN = replace(WORKSPACE, id=UUID(int=21), epoch="reads")
FOREIGN = replace(WORKSPACE, id=UUID(int=22), epoch="reads")
PRINCIPAL = Principal(UUID(int=1), OWN, "csm", PERSON)
SERVICE = Principal(UUID(int=2), OWN, "service", None, frozenset(["read"]))
STRANGER = Principal(UUID(int=3), replace(FOREIGN, id=UUID(int=23)), "admin", PERSON)
SECRET = b"s" * 32


@pytest.fixture(scope="module")
async def population(db: Database) -> Population:
    made = populate(OWN, seed=5, accounts=12)
    async with db.transaction() as tx:
        await store(tx, made)
        await store(tx, populate(FOREIGN, seed=6, accounts=12))
    return made


async def ask(db: Database, entity: str = "accounts", principal: Principal = PRINCIPAL, **told: Any) -> Answer:
    return await reads.collection(db, principal, Ask(entity, **told), AS_OF, secret=SECRET)


async def ids(db: Database, entity: str = "accounts", **told: Any) -> set[UUID]:
    return {UUID(one["id"]) for one in json.loads((await ask(db, entity, **told)).data)}


def shown(field: Field, value: Any) -> Any:
    """A value as JSON has it."""
    if value is None or field.kind in ("text", "enum", "slug", "bool", "integer"):
        return value
    match field.kind:
        case "number":
            return Decimal(repr(value))
        case "money":
            return Decimal(value) / 100
        case "tags":
            return list(value)
        case "ref":
            return str(value["id"])
        case "instant":
            return value.isoformat()
        case "json":
            return {k: v.isoformat() if isinstance(v, date) else v for k, v in value.items()}
        case _:
            return str(value)


def told(record: Record, entity: str) -> dict[str, Any]:
    return {field.column: shown(field, known(record, entity, field)) for field in ENTITIES[entity].fields.values()}


def known(record: Record, entity: str, field: Field) -> Any:
    """A value of the record; of own attributes every one that there is, empty ones too."""
    if field.name != "custom":
        return record[field.name]
    return {
        slug: spelled(field, record["custom"].get(slug))
        for (owner, slug), field in OWN.attributes.items()
        if owner == entity
    }


def spelled(field: Field, value: Any) -> Any:
    """An own attribute's value as it is answered."""
    if field.kind == "money" and value is not None:
        return Decimal(value).scaleb(-2)
    if field.kind == "instant" and value is not None:
        return value.isoformat().replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value


# -- what is answered --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entity", [name for name in ENTITIES if name != "usage"])
async def test_every_column_is_answered_as_it_is_stored(db: Database, population: Population, entity: str) -> None:
    answer = await ask(db, entity, limit=1000)
    found = {one["id"]: one for one in json.loads(answer.data, parse_float=Decimal)}
    wanted = {str(one["id"]): told(one, entity) for one in population.records[entity]}
    assert found == wanted
    assert list(next(iter(found.values()))) == [field.column for field in ENTITIES[entity].fields.values()]


async def test_money_is_exact_in_every_currency(db: Database, population: Population) -> None:
    minor = {str(one["id"]): one["arr"] for one in population.records["accounts"]}
    for digits in (0, 1, 2, 3):
        principal = replace(PRINCIPAL, workspace=replace(OWN, minor_digits=digits, epoch=f"money {digits}"))
        answer = await ask(db, principal=principal, fields="id,arr", limit=1000)
        for one in json.loads(answer.data, parse_float=Decimal, parse_int=Decimal):
            assert one["arr"] == Decimal(minor[one["id"]]).scaleb(-digits)


async def test_rows_nest(db: Database, population: Population) -> None:
    fields = (
        "id,name,segment.tier,custom.region-2,csm.name,parent.segment,primary_contact.name,primary_contact.custom.topic"
    )
    answer = await ask(db, fields=fields, include="interactions(2),usage(3)", limit=1000)
    found = {one["id"]: one for one in json.loads(answer.data)}
    for record in population.records["accounts"]:
        one, csm, contact, parent = found[str(record["id"])], record["csm"], record["primary_contact"], record["parent"]
        assert one["segment"] == {"tier": record["segment"].get("tier")}
        assert one["custom"] == {"region-2": record["custom"].get("region-2")}
        assert one["csm"] == (csm and {"name": csm["name"]})
        assert one["primary_contact"] == (
            contact and {"name": contact["name"], "custom": {"topic": contact["custom"].get("topic")}}
        )
        assert one["parent"] == (
            parent and {"segment": {slug: parent["segment"].get(slug) for slug in OWN.segmentations}}
        )
        latest = sorted(record["interactions"], key=lambda i: (i["occurred_at"], i["id"]), reverse=True)[:2]
        assert [i["id"] for i in one["interactions"]] == [str(i["id"]) for i in latest]
        days = sorted((u["day"].isoformat() for u in record["usage"]), reverse=True)[:3]
        assert [u["day"] for u in one["usage"]] == days


async def test_one_record_by_what_names_it(db: Database, population: Population) -> None:
    record = population.records["accounts"][0]
    one = await reads.one(db, PRINCIPAL, "accounts", "id", str(record["id"]))
    assert json.loads(one.body, parse_float=Decimal) == told(record, "accounts")
    assert one.version == record["version"]
    by_name = await reads.one(
        db, PRINCIPAL, "accounts", "external_id", external_id("accounts", 0), fields="name,csm.name", include="parent"
    )
    assert list(json.loads(by_name.body)) == ["name", "csm", "parent"]
    assert await reads.one(db, PRINCIPAL, "accounts", "id", str(record["id"])) == one
    selected = await reads.one_selected(
        db, PRINCIPAL, "accounts", "id", str(record["id"]), everything(ENTITIES["accounts"])
    )
    assert selected == one


@pytest.mark.parametrize("value", ["", "x", "\0", str(UUID(int=99)), "0" * 36, "\ud800"])
async def test_what_is_not_there_is_not_found(db: Database, population: Population, value: str) -> None:
    for by in ("id", "external_id"):
        with pytest.raises(NotFound):
            await reads.one(db, PRINCIPAL, "accounts", by, value)
    with pytest.raises(NotFound):
        await reads.any_one(db, PRINCIPAL, value, {"accounts": Selection(())})


async def test_any_record_is_found_by_its_id(db: Database, population: Population) -> None:
    shows = {name: everything(entity) for name, entity in ENTITIES.items() if name != "usage"}
    for name in shows:
        record = population.records[name][1]
        entity, body = await reads.any_one(db, PRINCIPAL, str(record["id"]), shows)
        assert (entity, json.loads(body, parse_float=Decimal)) == (name, told(record, name))


# -- scope -------------------------------------------------------------------------------------------------------------


async def test_another_workspace_sees_nothing(db: Database, population: Population) -> None:
    assert json.loads((await ask(db, principal=STRANGER)).data) == []
    with pytest.raises(NotFound):
        await reads.one(db, STRANGER, "accounts", "id", str(id_of("accounts", 0)))
    with pytest.raises(NotFound):
        await ask(db, "contacts", principal=STRANGER, account=id_of("accounts", 0))


async def test_archived_accounts_and_what_is_theirs_are_out_of_scope(db: Database, population: Population) -> None:
    gone = population.records["accounts"][2]
    theirs = {one["id"] for one in gone["contacts"]}
    everyone = {one["id"] for one in population.records["contacts"]}
    async with db.transaction() as tx:
        await tx.execute(
            "UPDATE accounts SET archived_at = $3 WHERE workspace_id = $1 AND id = $2", OWN.id, gone["id"], AS_OF
        )
    try:
        assert gone["id"] not in await ids(db, limit=1000)
        assert await ids(db, archived="only") == {gone["id"]}
        assert gone["id"] in await ids(db, archived="with", limit=1000)
        assert await ids(db, "contacts", limit=1000) == everyone - theirs
        assert await ids(db, "contacts", limit=1000, archived="only") == theirs
        assert await ids(db, "contacts", limit=1000, archived="with") == everyone
        assert await ids(db, "contacts", account=gone["id"]) == theirs
        assert json.loads((await reads.one(db, PRINCIPAL, "accounts", "id", str(gone["id"]))).body)["archived_at"]
    finally:
        async with db.transaction() as tx:
            await tx.execute("UPDATE accounts SET archived_at = NULL WHERE workspace_id = $1", OWN.id)


async def test_what_is_related_to_one_account(db: Database, population: Population) -> None:
    for account in population.records["accounts"]:
        for name in ("contacts", "invoices", "tickets"):
            assert await ids(db, name, account=account["id"]) == {one["id"] for one in account[name]}
    assert json.loads((await ask(db, "usage", account=id_of("accounts", 0), limit=1)).data) is not None
    with pytest.raises(NotFound):
        await ask(db, "contacts", account=UUID(int=5))
    with pytest.raises(NotFound):
        await ask(db, "contacts", account=UUID(int=5), edges=True)


async def test_roles(db: Database, population: Population) -> None:
    with pytest.raises(Forbidden):
        await ask(db, principal=replace(SERVICE, scopes=frozenset()))
    assert await ids(db, principal=SERVICE)


# -- counts, pages, moments ----------------------------------------------------------------------------------------------


async def test_counts(db: Database, population: Population) -> None:
    assert (await ask(db, limit=5)).count is None
    assert (await ask(db, limit=5, count="none")).count is None
    for mode in ("capped", "exact"):
        answer = await ask(db, limit=5, count=mode)
        assert answer.count == (12, True)
        assert answer.rows.more
        rest = await ask(db, limit=5, count=mode, cursor=answer.next)
        assert rest.count == (12, True)
        assert (await ask(db, count=mode, filter="arr > 9000000000000")).count == (0, True)
    many = (await ask(db, "interactions", limit=3, count="exact")).count
    assert many == (len(population.records["interactions"]), True)


async def test_a_capped_count_says_that_it_is(db: Database, population: Population) -> None:
    rows = [
        (OWN.id, UUID(int=(1 << 90) + n), id_of("accounts", 0), "note", "inbound", AS_OF, False, AS_OF, AS_OF)
        for n in range(COUNT_CAP)
    ]
    columns = (
        "workspace_id",
        "id",
        "account_id",
        "kind",
        "direction",
        "occurred_at",
        "is_automated",
        "created_at",
        "updated_at",
    )
    async with db.transaction() as tx:
        await tx.copy_records("interactions", rows, columns)
    try:
        assert (await ask(db, "interactions", count="capped", limit=1)).count == (COUNT_CAP, False)
        assert (await ask(db, "interactions", count="exact", limit=1)).count == (
            COUNT_CAP + len(population.records["interactions"]),
            True,
        )
    finally:
        async with db.transaction() as tx:
            await tx.execute(
                "DELETE FROM interactions WHERE workspace_id = $1 AND id = ANY($2)", OWN.id, [row[1] for row in rows]
            )


async def test_a_cursor_fits_its_question_alone(db: Database, population: Population) -> None:
    first: dict[str, Any] = {"filter": "arr > 0", "sort": "-arr", "limit": 2}
    answer = await ask(db, **first)
    assert answer.next
    assert len(json.loads((await ask(db, **first, cursor=answer.next)).data)) == 2
    again: dict[str, Any] = {
        **first,
        "filter": "  arr>0",
        "sort": ["-arr"],
        "limit": "3",
        "fields": "id",
        "count": "exact",
    }
    assert len(json.loads((await ask(db, **again, cursor=answer.next)).data)) == 3
    told = set()
    others: list[dict[str, Any]] = [
        {**first, "filter": "arr > 1"}, {**first, "sort": "arr"}, {**first, "archived": "with"}, {**first, "tz": "Asia/Tokyo"},
        {**first, "entity": "contacts", "filter": None, "sort": None}, {**first, "as_of": "2026-01-01"},
        {**first, "principal": replace(PRINCIPAL, workspace=FOREIGN)}, {**first, "account": id_of("accounts", 1), "entity": "contracts"},
    ]  # fmt: skip
    for other in others:
        with pytest.raises(Unreadable) as raised:
            await ask(db, **other, cursor=answer.next)
        told.add((raised.value.detail, raised.value.faults))
    assert len(told) == 1


async def test_what_is_first_asked_behind_a_cursor_has_a_first_page(db: Database, population: Population) -> None:
    """A process may meet a question in the middle: another one answered its first page, or it was asked for other fields."""
    asked: dict[str, Any] = {"filter": "arr >= 0 OR arr < 0", "sort": "-arr", "limit": 3}
    first = await ask(db, **asked, fields="id,name,domain")
    middle = await ask(db, **asked, fields="id,website", cursor=first.next)
    begun = [one["id"] for one in json.loads((await ask(db, **asked, fields="id,website")).data)]
    assert begun == [one["id"] for one in json.loads(first.data)]
    assert not set(begun) & {one["id"] for one in json.loads(middle.data)}
    other = await ask(db, filter="arr >= 1 OR arr < 1", sort="-arr", limit=3, fields="id,website")
    assert [one["id"] for one in json.loads(other.data)] == begun


async def test_a_cursor_is_of_the_person_where_the_criteria_are(db: Database, population: Population) -> None:
    mine: dict[str, Any] = {"filter": "NOT csm = @me", "limit": 1}
    answer = await ask(db, **mine)
    other = replace(PRINCIPAL, person=replace(PERSON, id=id_of("users", 3)))
    with pytest.raises(Unreadable):
        await ask(db, **mine, principal=other, cursor=answer.next)


async def test_a_continued_page_keeps_its_moment(db: Database, population: Population) -> None:
    asked = Ask("accounts", filter="NOT renewal_date IN next(30d)", limit=2)
    first = await reads.collection(db, PRINCIPAL, asked, AS_OF, secret=SECRET)
    later = await reads.collection(
        db, PRINCIPAL, replace(asked, cursor=first.next), AS_OF + timedelta(days=40), secret=SECRET
    )
    assert later.as_of == first.as_of == AS_OF
    assert later.windows == first.windows != ()
    elsewhere = await reads.collection(db, PRINCIPAL, asked, AS_OF + timedelta(days=40), secret=SECRET)
    assert elsewhere.windows != first.windows


async def test_moments_and_zones(db: Database, population: Population) -> None:
    day = await ask(db, filter="last_interaction_at IN last(1d)", as_of="2026-03-01")
    assert day.as_of == datetime(2026, 3, 1, 22, 59, 59, 999_999, tzinfo=UTC)
    zoned = await ask(db, filter="renewal_date IN this(day)", as_of="2026-03-01T23:30:00Z", tz="Asia/Tokyo")
    (window,) = zoned.windows
    assert (window.lo, window.hi, window.zone) == (date(2026, 3, 2), date(2026, 3, 3), "Asia/Tokyo")
    assert (await ask(db, as_of="2026-03-01T10:00:00+01:00")).as_of == datetime(2026, 3, 1, 9, tzinfo=UTC)


async def test_kept_windows_of_another_day_are_not_believed(db: Database, population: Population) -> None:
    source = "sum(usage.value, last(30d)) > 0"
    wanted = await ids(db, filter=source, limit=1000)
    async with db.transaction() as tx:
        await tx.execute("UPDATE usage_windows SET last_30 = 0 WHERE workspace_id = $1", OWN.id)
    try:
        assert await ids(db, filter=source, limit=1000) == set()
        async with db.transaction() as tx:
            await tx.execute("UPDATE workspaces SET facts_day = $2 WHERE id = $1", OWN.id, TODAY + timedelta(days=1))
        assert await ids(db, filter=source, limit=1000) == wanted != set()
    finally:
        async with db.transaction() as tx:
            await tx.execute("UPDATE workspaces SET facts_day = $2 WHERE id = $1", OWN.id, TODAY)


async def test_plans_that_are_kept_answer_like_new_ones(db: Database, population: Population) -> None:
    for source in (
        None,
        "arr > 0",
        "renewal_date IN next(90d)",
        "csm = @me",
        'name : "a" OR count(interactions, last(7d)) > 0',
    ):
        for hours in (0, 24, 24 * 30):
            now = AS_OF + timedelta(hours=hours)
            kept = await reads.collection(db, PRINCIPAL, Ask("accounts", filter=source, limit=1000), now, secret=SECRET)
            anew = replace(PRINCIPAL, workspace=replace(OWN, epoch=f"{source} {hours}"))
            fresh = await reads.collection(db, anew, Ask("accounts", filter=source, limit=1000), now, secret=SECRET)
            assert (kept.data, kept.windows, kept.as_of) == (fresh.data, fresh.windows, fresh.as_of)


# -- ways to ask -------------------------------------------------------------------------------------------------------


async def test_a_tree_asks_the_same_as_text(db: Database, population: Population) -> None:
    tree = {"op": "cmp", "of": "health", "cmp": "lt", "value": 50}
    wanted = await ids(db, filter="health < 50")
    assert await ids(db, criteria=tree, body=True) == wanted
    assert await ids(db, criteria={"v": 1, "filter": tree}, body=True) == wanted
    first = await ask(db, filter="health < 50", limit=1)
    assert (await ask(db, criteria=tree, limit=1, cursor=first.next, body=True)).data


async def test_a_selection_may_depend_on_the_setting(db: Database, population: Population) -> None:
    moments = []

    def chosen(setting: Setting) -> Selection:
        moments.append(setting.clock.as_of)
        return everything(ENTITIES["accounts"])

    found = await ask(db, selection=chosen, limit=2)
    assert (
        found.data
        == (await ask(db, selection=everything(ENTITIES["accounts"]), limit=2)).data
        == (await ask(db, limit=2)).data
    )
    assert moments == [AS_OF]


async def test_a_service_asks_for_a_person(db: Database, population: Population) -> None:
    async with db.transaction() as tx:
        await tx.execute("UPDATE users SET is_active = id <> $2 WHERE workspace_id = $1", OWN.id, id_of("users", 3))
    wanted = {
        one["id"] for one in population.records["accounts"] if one["csm"] and one["csm"]["id"] == id_of("users", 1)
    }
    for name in (str(id_of("users", 1)), external_id("users", 1), email("users", 1)):
        assert await ids(db, principal=SERVICE, filter="csm = @me", for_user=name, limit=1000) == wanted
    for principal, name in ((SERVICE, "nobody"), (SERVICE, email("users", 3)), (PRINCIPAL, email("users", 1))):
        with pytest.raises(Invalid):
            await ask(db, principal=principal, filter="csm = @me", for_user=name)
    with pytest.raises(Invalid):
        await ask(db, principal=SERVICE, filter="csm = @me")


async def test_parameters_of_a_list(db: Database, population: Population) -> None:
    told = {"least": Decimal("1000.50")}
    assert await ids(db, filter="arr >= $least", params=told) == await ids(db, filter="arr >= 1000.5")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("limit", "0"), ("limit", "1001"), ("limit", -1), ("limit", "x"), ("limit", "1e2"), ("limit", True), ("limit", "٣"),
        ("limit", "9" * 5000), ("count", "all"), ("archived", "yes"), ("as_of", "yesterday"), ("as_of", "2026-02-30"),
        ("as_of", "0001-01-01"), ("as_of", "9999-12-31"), ("as_of", "2026-01-01T00:00:00"), ("tz", "Mars"), ("tz", "../etc/passwd"),
        ("tz", ""), ("on", "soon"), ("fields", "nam"), ("include", "csms"), ("sort", "-arrr"), ("cursor", "x"),
        ("filter", ""), ("filter", "arr >"), ("filter", "arr > x"), ("filter", "nothing = 1"), ("for_user", "x"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused_where_it_was_told(
    db: Database, population: Population, name: str, wrong: Any
) -> None:
    for body in (False, True):
        with pytest.raises(StrataError) as raised:
            await ask(db, body=body, **{name: wrong})
        assert isinstance(raised.value, Unreadable | Invalid)
        for fault in raised.value.faults:
            if name != "cursor":
                assert (fault.parameter, fault.pointer) == ((None, f"/{name}") if body else (name, None))
            assert str(wrong) not in fault.message or len(str(wrong)) < 2


@pytest.mark.parametrize("body", [False, True])
async def test_all_that_is_wrong_is_told_at_once(db: Database, population: Population, body: bool) -> None:
    wrong: dict[str, Any] = {
        "filter": "arr >", "fields": "nme,name,helth", "include": "csms", "sort": "zzz,-arrr", "limit": -1, "count": "all",
        "archived": "yes", "as_of": "soon", "tz": "Mars",
    }  # fmt: skip
    with pytest.raises(Unreadable) as raised:
        await ask(db, body=body, **wrong)
    told = [fault.pointer if body else fault.parameter for fault in raised.value.faults]
    names = ["tz", "limit", "count", "archived", "as_of", "fields", "fields", "include", "sort", "sort", "filter"]
    assert told == [f"/{name}" if body else name for name in names]


async def test_filter_and_criteria_are_not_told_together(db: Database, population: Population) -> None:
    with pytest.raises(Invalid):
        await ask(db, filter="arr > 0", criteria={"op": "all"})
