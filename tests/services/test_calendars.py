"""A workspace's fiscal calendar: set, read and taken away; criteria, lists, segments and the audit follow it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from app.domain.catalogue import ENTITIES
from app.domain.criteria.check import Setting, check
from app.domain.criteria.text import parse
from app.domain.errors import Conflict, Forbidden, Invalid, VersionRequired, VersionStale
from app.domain.workspaces import clock
from app.persistence.database import Database
from app.services import (
    accounts,
    calendars,
    criteria,
    list_rows,
    listings,
    lists,
    reads,
    segmentations,
    stages,
    workspaces,
)
from app.services.asks import Ask
from tests.services.organisations import NOW, Organisation, document, organisation

RETAIL = {"generate": {"pattern": "4-4-5", "first_day": "2026-02-01", "first_year": 2026, "years": 2}}
"""Its fourth quarter of 2026 begins on 1 November, with the period that NOW lies in; the next one on 29 November."""


async def set_(org: Organisation, body: dict[str, Any] = RETAIL, version: int = 1) -> Organisation:
    """The organisation with the calendar, for everybody."""
    await calendars.put(org.db, org.call(), body, version)
    made = await workspaces.load(org.db, org.workspace.id)
    return org.with_workspace(calendar=made.calendar, version=made.version, epoch=made.epoch)


async def found(org: Organisation, said: str, **told: Any) -> list[str]:
    answer = await reads.collection(
        org.db, org.people["viewer"], Ask("accounts", filter=said, sort="name", **told), NOW, secret=b"x" * 32
    )
    return [one["name"] for one in msgspec.json.decode(answer.data)]


async def test_it_is_set_read_and_taken_away(db: Database) -> None:
    org = await organisation(db)
    nothing: dict[str, Any] = {"periods": [], "from": None, "to": None, "version": 1}
    assert document(calendars.get(org.people["viewer"])) == nothing
    written = await calendars.put(db, org.call(), RETAIL, 1)
    shown = document(written.body)
    assert (shown["from"], shown["to"], shown["version"], len(shown["periods"])) == ("2026-02-01", "2028-01-29", 2, 24)
    first = {"year": 2026, "quarter": 1, "period": 1, "start_date": "2026-02-01", "end_date": "2026-02-28"}
    assert shown["periods"][0] == first
    made = await workspaces.load(db, org.workspace.id)
    org = org.with_workspace(calendar=made.calendar, version=2)
    assert calendars.get(org.people["viewer"]) == written.body
    assert document(workspaces.get(org.people["viewer"]))["fiscal_calendar"] == {
        "from": "2026-02-01",
        "to": "2028-01-29",
    }
    again = await calendars.put(db, org.call(), {"periods": shown["periods"]}, 2)
    assert (again.version, again.effects) == (2, ())
    gone = await calendars.delete(db, org.call(), 2)
    assert document(gone.body) == {**nothing, "version": 3}
    assert (await workspaces.load(db, org.workspace.id)).calendar is None


async def test_another_workspace_keeps_its_own(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    await calendars.put(db, other.call(), RETAIL, 1)
    await calendars.put(db, org.call(), {"generate": {**RETAIL["generate"], "pattern": "13x4"}}, 1)
    await calendars.delete(db, org.call(), 2)
    kept = (await workspaces.load(db, other.workspace.id)).calendar
    assert kept is not None
    assert len(kept.periods) == 24
    assert await org.rows("SELECT count(*) FROM fiscal_periods WHERE workspace_id = $1") == [(0,)]


async def test_it_is_an_admins_and_needs_the_workspaces_version(db: Database) -> None:
    org = await organisation(db)
    for role in ("manager", "csm", "viewer"):
        with pytest.raises(Forbidden):
            await calendars.put(db, org.call(role), RETAIL, 1)
        with pytest.raises(Forbidden):
            await calendars.delete(db, org.call(role), 1)
    with pytest.raises(VersionRequired):
        await calendars.put(db, org.call(), RETAIL, None)
    with pytest.raises(VersionStale):
        await calendars.delete(db, org.call(), 2)
    with pytest.raises(Invalid):
        await calendars.put(db, org.call(), {"periods": []}, 1)
    assert (await workspaces.load(db, org.workspace.id)).version == 1


async def test_the_audit_has_the_periods_that_came_and_went(db: Database) -> None:
    org = await organisation(db)
    await calendars.put(db, org.call(), RETAIL, 1)
    longer = {"generate": {**RETAIL["generate"], "long_years": [2027]}}
    (effect,) = (await calendars.put(db, org.call(), longer, 2)).effects
    assert effect.before is not None
    assert effect.after is not None
    (was,), (is_,) = effect.before["fiscal_periods"], effect.after["fiscal_periods"]
    assert (was["end_date"], is_["end_date"]) == (date(2028, 1, 29), date(2028, 2, 5))
    sql = "SELECT operation, entity FROM audit WHERE workspace_id = $1 AND entity = 'workspace' ORDER BY at, id"
    assert await org.rows(sql) == [("workspace.write", "workspace")] * 2


async def test_windows_are_its_periods(db: Database) -> None:
    org = await organisation(db)
    for name, day in (
        ("Before", "2026-10-31"),
        ("First", "2026-11-01"),
        ("Last", "2026-11-28"),
        ("After", "2026-11-29"),
    ):
        await accounts.create(db, org.call(), {"name": name, "renewal_date": day})
    assert await found(org, "renewal_date IN this(fiscal_quarter)") == ["After", "Before", "First", "Last"]
    org = await set_(org)
    assert await found(org, "renewal_date IN this(fiscal_month)") == ["First", "Last"]
    assert await found(org, "renewal_date IN this(fiscal_quarter)") == ["After", "First", "Last"]
    assert await found(org, "renewal_date IN previous(fiscal_quarter)") == ["Before"]
    assert await found(org, "renewal_date IN next(fiscal_month)") == ["After"]
    assert await found(org, "renewal_date IN this(month)") == ["After", "First", "Last"]
    assert await found(org, "renewal_date IN this(fiscal_month)", as_of="2026-10-31") == ["Before"]
    assert await found(org, "NOT renewal_date IN this(fiscal_month)", as_of="2026-10-31") == ["After", "First", "Last"]


async def test_an_answer_echoes_what_the_rows_say(db: Database) -> None:
    org = await set_(await organisation(db))
    body = {"entity": "accounts", "filter": "renewal_date IN this(fiscal_year) AND created_at IN this(fiscal_month)"}
    told = await criteria.preview(db, org.people["viewer"], {**body, "tz": "Asia/Tokyo"}, NOW)
    assert [(one.window, str(one.lo), str(one.hi)) for one in told["windows"]] == [
        ("this(fiscal_year)", "2026-02-01", "2027-01-31"),
        ("this(fiscal_month)", "2026-10-31 15:00:00+00:00", "2026-11-28 15:00:00+00:00"),
    ]
    assert "this fiscal month" in told["english"]


BEYOND = "Expected periods of the fiscal calendar, which reaches from 2026-02-01 to 2028-01-29."


@pytest.mark.parametrize(
    ("window", "as_of"),
    [("previous(fiscal_year)", None), ("this(fiscal_month)", "2026-01-31"), ("next(fiscal_month)", "2028-01-20"),
     ("this(fiscal_year)", "2028-01-30"), ("next(fiscal_quarter)", "2028-06-01")],
)  # fmt: skip
async def test_beyond_its_rows_is_an_error_and_never_an_empty_answer(
    db: Database, window: str, as_of: str | None
) -> None:
    org = await set_(await organisation(db))
    for said in (f"renewal_date IN {window}", f"none(interactions, {window})", f"NOT renewal_date IN {window}"):
        with pytest.raises(Invalid) as refused:
            await found(org, said, as_of=as_of)
        assert [fault.message for fault in refused.value.faults] == [BEYOND]
    body = {"entity": "accounts", "filter": f"arr > 5 AND renewal_date IN {window}", "as_of": as_of}
    told = await criteria.check(db, org.people["viewer"], body, NOW)
    assert [(one["message"], one["line"], one["column"]) for one in told["problems"]] == [(BEYOND, 1, 29)]


async def test_a_list_that_the_calendar_does_not_reach_is_broken(db: Database) -> None:
    org = await organisation(db)
    said = {"entity": "accounts", "name": "Last year", "criteria": "renewal_date IN previous(fiscal_year)"}
    made = await lists.create(db, org.call(), said)
    assert document(made.body)["criteria"]["text"] == "renewal_date IN previous(fiscal_year)"
    org = await set_(org, {**RETAIL, "with_dependents": True})
    shown = listings.document(await lists.get(db, org.people["admin"], made.id, NOW))
    assert (shown["state"], shown["reason"]) == ("broken", BEYOND)
    with pytest.raises(Conflict, match="2028-01-29"):
        await list_rows.ask(db, org.people["admin"], made.id, NOW)
    with pytest.raises(Invalid, match="2028-01-29"):
        await lists.create(db, org.call(), {**said, "name": "Another"})
    await calendars.delete(db, org.call(), 2)
    org = org.with_workspace(calendar=None, epoch="")
    assert listings.document(await lists.get(db, org.people["admin"], made.id, NOW))["state"] == "ok"


async def test_what_would_mean_nothing_with_it_stands_against_it(db: Database) -> None:
    org = await organisation(db)
    year = "renewal_date IN previous(fiscal_year)"
    rule = {"slug": "old", "name": "Old", "criteria": year}
    await segmentations.put(db, org.call(), "due", {"name": "Due", "kind": "rules", "segments": [rule]}, None)
    said = {"entity": "accounts", "name": "Last year", "criteria": year}
    await lists.create(db, org.call(), said)
    await lists.create(db, org.call(), {**said, "name": "This year", "criteria": "renewal_date IN this(fiscal_year)"})
    await lists.create(db, org.call("csm"), {**said, "name": "Secret", "visibility": "private"})
    await stages.change(db, org.call(), "slug", "adoption", {"entry": year}, 1)
    version = (await workspaces.load(db, org.workspace.id)).version
    with pytest.raises(Conflict) as refused:
        await calendars.put(db, org.call(), RETAIL, version)
    told = [fault.message for fault in refused.value.faults]
    assert [one.partition(": ")[2] for one in told] == [
        "2 saved lists (Last year, Secret).", "1 segmentation (due).", "1 entry criteria of stages (adoption).",
    ]  # fmt: skip
    assert "from 2026-02-01 to 2028-01-29, which with_dependents (withDependents) allows" in refused.value.detail
    assert (await workspaces.load(db, org.workspace.id)).calendar is None
    wrong: object
    for wrong in ("yes", 0, "", []):
        with pytest.raises(Invalid) as caught:
            await calendars.put(db, org.call(), {**RETAIL, "with_dependents": wrong}, version)
        assert [fault.pointer for fault in caught.value.faults] == ["/with_dependents"]
    await calendars.put(db, org.call(), {**RETAIL, "with_dependents": True}, version)
    assert (await segmentations.get(db, org.people["viewer"], "due", NOW))["state"] == "broken"
    longer = {"generate": {**RETAIL["generate"], "years": 3}}
    assert (await calendars.put(db, org.call(), longer, version + 1)).version == version + 2, (
        "these meant nothing before"
    )


async def test_segments_follow_it(db: Database) -> None:
    org = await organisation(db)
    for name, day in (("October", "2026-10-31"), ("November", "2026-11-20")):
        await accounts.create(db, org.call(), {"name": name, "renewal_date": day})
    rule = {"slug": "now", "name": "Now", "criteria": "renewal_date IN this(fiscal_quarter)"}
    body = {"name": "Due", "kind": "rules", "segments": [rule]}
    await segmentations.put(db, org.call(), "due", body, None)
    sql = "SELECT a.name FROM members m JOIN accounts a ON a.workspace_id = $1 AND a.id = m.account_id WHERE m.workspace_id = $1 AND m.segment = 'now' ORDER BY 1"
    assert await org.rows(sql) == [("November",), ("October",)]
    version = (await workspaces.load(db, org.workspace.id)).version
    await calendars.put(db, org.call(), RETAIL, version)
    assert await org.rows(sql) == [("November",)]
    await calendars.delete(db, org.call(), version + 1)
    assert await org.rows(sql) == [("November",), ("October",)]


async def test_another_calendar_is_another_epoch(db: Database) -> None:
    org = await organisation(db)
    first = await workspaces.load(db, org.workspace.id)
    made = (await set_(org)).workspace
    assert made.epoch != first.epoch
    node = parse("renewal_date IN this(fiscal_month)")
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    (one, other) = (
        check(node, ENTITIES["accounts"], Setting(of, clock(of, moment))).windows[0] for of in (first, made)
    )
    assert (str(one.lo), str(one.hi)) == ("2026-11-01", "2026-12-01")
    assert (str(other.lo), str(other.hi)) == ("2026-11-01", "2026-11-29")
