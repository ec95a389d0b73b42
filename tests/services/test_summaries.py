"""Summaries by example: groups, totals, names, order, limits; of lists and of questions; what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Forbidden, Invalid, NotFound, Unreadable
from app.persistence.database import Database
from app.services import accounts, list_rows, lists, summaries
from app.services.asks import Ask
from app.services.calls import new_id
from tests.services.organisations import NOW, Organisation, document, organisation

CONTACT = "INSERT INTO contacts (workspace_id, id, account_id, name, role, created_at, updated_at) VALUES ($1, $2, $3, 'C', $4, $5, $5)"
ROWS = (
    ("a", 10, "csm", "smb", 90, "2026-11-05"), ("b", 20.5, "csm", "smb", 10, "2026-12-31"), ("c", 30, "other", "big", None, "2027-01-01"),
    ("d", 40, None, None, 50, None),
)  # fmt: skip


@pytest.fixture(scope="module")
async def org(db: Database) -> Organisation:
    made = await organisation(db)
    for name, arr, csm, type_, health, renewal in ROWS:
        body = {
            "name": name,
            "arr": Decimal(str(arr)),
            "csm": csm,
            "type": type_,
            "health": health,
            "renewal_date": renewal,
        }
        account = await accounts.create(db, made.call(), {**body, "external_id": name})
        await made.run(CONTACT, new_id(), account.id, "user" if name < "c" else None, NOW)
    return made


async def asked(org: Organisation, entity: str = "accounts", role: str = "csm", **told: Any) -> summaries.Answer:
    by, measures = told.pop("group_by", None), told.pop("measures", None)
    return await summaries.summarise(org.db, org.people[role], Ask(entity, **told), by, measures, NOW)


async def groups(org: Organisation, by: str, measures: str | None = None, **told: Any) -> list[tuple[Any, ...]]:
    """Each group's key and values, in order."""
    answer = await asked(org, group_by=by, measures=measures, **told)
    return [(*group["key"].values(), *group["values"].values()) for group in document(answer.groups.data)]


async def test_groups_and_totals_of_one_question(org: Organisation) -> None:
    answer = await asked(
        org, group_by="type", measures="count,sum(arr),average(arr),min(health),max(health),median(arr)"
    )
    found = {group["key"]["type"]: list(group["values"].values()) for group in document(answer.groups.data)}
    assert found == {
        "smb": [2, Decimal("30.50"), Decimal("15.25"), 10, 90, Decimal("15.25")],
        "big": [1, 30, 30, None, None, 30],
        None: [1, 40, 40, 50, 50, 40],
    }
    assert document(answer.groups.totals) == {
        "count": 4, "sum(arr)": Decimal("100.50"), "average(arr)": Decimal("25.13"), "min(health)": 10, "max(health)": 90,
        "median(arr)": Decimal("25.25"),
    }  # fmt: skip
    assert (answer.groups.count, answer.capped) == (3, False)


async def test_groups_have_an_order_and_the_empty_one_is_last_among_names(org: Organisation) -> None:
    assert await groups(org, "type") == [("smb", 2), ("big", 1), (None, 1)]
    assert await groups(org, "type", sort="name") == [("big", 1), ("smb", 2), (None, 1)]
    assert await groups(org, "type", sort="-name") == [("smb", 2), ("big", 1), (None, 1)]
    assert await groups(org, "type", "count,min(health)", sort="min(health)") == [
        ("smb", 2, 10),
        (None, 1, 50),
        ("big", 1, None),
    ]
    assert await groups(org, "type", "count,sum(arr)", sort="-sum(arr)", limit=1) == [(None, 1, 40)]


async def test_what_is_capped_says_so_and_its_totals_are_of_everything(org: Organisation) -> None:
    answer = await asked(org, group_by="name", limit=3)
    assert (len(document(answer.groups.data)), answer.groups.count, answer.capped) == (3, 4, True)
    assert document(answer.groups.totals) == {"count": 4}


async def test_people_are_shown_by_name_and_sorted_by_it(org: Organisation) -> None:
    answer = await asked(org, group_by="csm", sort="name")
    assert document(answer.groups.data) == [
        {"key": {"csm": str(org.user("csm"))}, "names": {"csm": "Csm"}, "values": {"count": 2}},
        {"key": {"csm": str(org.user("other"))}, "names": {"csm": "Other"}, "values": {"count": 1}},
        {"key": {"csm": None}, "names": {"csm": None}, "values": {"count": 1}},
    ]


async def test_times_are_grouped_by_the_calendar_in_the_zone_asked_for(org: Organisation) -> None:
    assert await groups(org, "month(renewal_date)", sort="name") == [
        ("2026-11", 1),
        ("2026-12", 1),
        ("2027-01", 1),
        (None, 1),
    ]
    assert await groups(org, "quarter(renewal_date)") == [("2026-Q4", 2), ("2027-Q1", 1), (None, 1)]
    assert await groups(org, "year(renewal_date), type") == [("2026", "smb", 2), ("2027", "big", 1), (None, None, 1)]
    await org.run("UPDATE accounts SET last_inbound_at = '2026-12-31T23:30:00Z' WHERE workspace_id = $1 AND name = 'a'")
    assert await groups(org, "year(last_inbound_at)", filter='name = "a"') == [("2026", 1)]
    assert await groups(org, "year(last_inbound_at)", filter='name = "a"', tz="Europe/Berlin") == [("2027", 1)]


async def test_contacts_reach_their_account(org: Organisation) -> None:
    assert await groups(org, "account.type,role", entity="contacts") == [
        ("smb", "user", 2),
        ("big", None, 1),
        (None, None, 1),
    ]
    assert await groups(org, "account.csm", "sum(account.arr)", entity="contacts", filter='role = "user"') == [
        (str(org.user("csm")), Decimal("30.50"))
    ]


async def test_nothing_is_a_total_of_nothing(org: Organisation) -> None:
    answer = await asked(
        org, group_by="type", measures="count,sum(arr),average(arr),median(health)", filter="arr > 1000"
    )
    assert document(answer.groups.data) == []
    assert document(answer.groups.totals) == {"count": 0, "sum(arr)": 0, "average(arr)": None, "median(health)": None}
    whole = await asked(org, measures="count", filter="arr > 1000")
    assert (document(whole.groups.data), document(whole.groups.totals), whole.groups.count) == ([], {"count": 0}, 0)


async def test_archived_accounts_are_in_it_where_they_are_asked_for(db: Database) -> None:
    org = await organisation(db)
    made = [await accounts.create(db, org.call(), {"name": name, "arr": 1}) for name in "ab"]
    await accounts.archive(db, org.call(), made[1].id, 1)
    for archived, names in ((None, ["a"]), ("only", ["b"]), ("with", ["a", "b"])):
        assert [row[0] for row in await groups(org, "name", archived=archived, sort="name")] == names


@pytest.mark.parametrize(
    ("told", "parameter", "suggestion"),
    [
        ({"group_by": "tpye"}, "group_by", "type"), ({"group_by": "arr"}, "group_by", None), ({"group_by": "type,csm,name"}, "group_by", None),
        ({"group_by": "type,type"}, "group_by", None), ({"group_by": "months(renewal_date)"}, "group_by", "month"),
        ({"group_by": "month(name)"}, "group_by", None), ({"group_by": "last_inbound_at"}, "group_by", None),
        ({"group_by": "segment.tier"}, "group_by", None), ({"group_by": ""}, "group_by", None),
        ({"measures": "summ(arr)"}, "measures", "sum"), ({"measures": "sum(name)"}, "measures", None), ({"measures": "sum(ar)"}, "measures", "arr"),
        ({"measures": "average(renewal_date)"}, "measures", None), ({"measures": "count(name)"}, "measures", None),
        ({"measures": "count,count"}, "measures", None), ({"measures": "sum"}, "measures", "sum"),
        ({"sort": "sum(arr)"}, "sort", None), ({"sort": "cuont"}, "sort", "count"), ({"sort": "name,count"}, "sort", None),
        ({"limit": "0"}, "limit", None), ({"limit": 1001}, "limit", None), ({"filter": "nmae = 'a'"}, "filter", None),
        ({"tz": "Europe/Berln"}, "tz", "Europe/Berlin"), ({"for_user": "csm"}, "for_user", None), ({"on": "2026-01-01"}, "on", None),
    ],
)  # fmt: skip
async def test_what_means_nothing_is_refused_where_it_was_told(
    org: Organisation, told: dict[str, Any], parameter: str, suggestion: str | None
) -> None:
    for body in (False, True):
        with pytest.raises((Invalid, Unreadable)) as caught:
            await asked(org, **told, body=body)
        (fault,) = caught.value.faults
        assert (fault.pointer, fault.parameter) == ((f"/{parameter}", None) if body else (None, parameter))
        if suggestion is not None:
            assert fault.suggestion == suggestion


async def test_a_service_needs_its_scope_and_names_the_person(org: Organisation) -> None:
    ask = Ask("accounts", filter="csm = @me", for_user="other@example.com")
    found = await summaries.summarise(org.db, org.as_("service", "read"), ask, None, None, NOW)
    assert document(found.groups.totals) == {"count": 1}
    with pytest.raises(Forbidden):
        await summaries.summarise(org.db, org.as_("service", "write"), Ask("accounts"), None, None, NOW)


# -- of lists ----------------------------------------------------------------------------------------------------------


async def make(org: Organisation, **body: Any) -> UUID:
    told = {"entity": "accounts", "name": "L", "criteria": {"text": "ALL"}, "visibility": "public", **body}
    return (await lists.create(org.db, org.call("csm"), told)).id


async def of_list(org: Organisation, role: str, list_id: UUID, **told: Any) -> Any:
    ask = await list_rows.ask(org.db, org.people[role], list_id, NOW, told)
    answer = await summaries.summarise(org.db, org.people[role], ask, None, "count,sum(arr)", NOW)
    return list(document(answer.groups.totals).values())


async def test_a_list_is_summed_up_for_whoever_looks(org: Organisation) -> None:
    mine = await make(org, mine=True)
    for role, totals in (("csm", [2, Decimal("30.50")]), ("other", [1, 30]), ("viewer", [0, 0])):
        assert await of_list(org, role, mine) == totals
    low = await make(org, criteria={"text": "arr >= $low"}, params=[{"name": "low", "type": "number", "default": 25}])
    assert await of_list(org, "viewer", low) == [2, 70]
    assert await of_list(org, "viewer", low, params={"low": "35"}) == [1, 40]
    assert await of_list(org, "viewer", low, filter='type = "big"') == [1, 30]
    assert await of_list(org, "viewer", low, search="D") == [1, 40]
    private = await make(org, visibility="private")
    for role in ("admin", "manager", "other", "viewer"):
        with pytest.raises(NotFound):
            await of_list(org, role, private)
