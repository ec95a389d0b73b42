"""Accounts moved between stages: one fact however it is said, history without gaps, and time in stage."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Forbidden, Invalid, NotFound, VersionStale
from app.persistence.database import Database
from app.services import accounts, moves, stages
from app.services.calls import Effect, Written
from tests.services.organisations import NOW, Organisation, document, organisation

USUAL = ["trial", "onboarding", "adoption", "established", "advocate"]
DAY = timedelta(days=1)


async def make(org: Organisation, name: str = "Acme", *, at: datetime = NOW, **body: Any) -> Written:
    return await accounts.create(org.db, org.call(now=at), {"name": name, **body})


async def move(
    org: Organisation, account_id: UUID, stage: str | None, role: str = "admin", *, at: datetime = NOW, **body: Any
) -> Written:
    return await moves.move(org.db, org.call(role, now=at), account_id, {"stage": stage, **body}, None)


async def past(org: Organisation, account_id: UUID, now: datetime = NOW) -> list[dict[str, Any]]:
    """All of an account's history, the latest first, read in pages of two."""
    found: list[dict[str, Any]] = []
    after = None
    while True:
        page, keys, more = await moves.history(org.db, org.people["viewer"], account_id, now, after, 2)
        found += page
        if not more:
            return found
        after = keys[-1]


async def test_a_move_is_told_by_account_and_history(db: Database) -> None:
    org = await organisation(db)
    acme = await make(org, stage="trial", at=NOW - 10 * DAY)
    written = await move(org, acme.id, "onboarding", note="Signed on Friday.")
    shown = document(written.body)
    assert (shown["stage"], shown["stage_since"], written.version) == ("onboarding", "2026-11-22", 2)
    assert written.effects == (Effect("accounts", acme.id, {"stage": "trial"}, {"stage": "onboarding"}),)
    admin = {"actor_id": org.user("admin"), "actor_name": "Admin", "cause": "hand"}
    assert await past(org, acme.id, NOW + 36 * timedelta(hours=1)) == [
        {"stage": "onboarding", "from_at": "2026-11-22T12:00:00Z", "to_at": None, "days": 1.5, "note": "Signed on Friday."} | admin,
        {"stage": "trial", "from_at": "2026-11-12T12:00:00Z", "to_at": "2026-11-22T12:00:00Z", "days": 10.0, "note": None} | admin,
    ]  # fmt: skip


async def test_a_change_of_the_account_is_the_same_fact(db: Database) -> None:
    org = await organisation(db)
    acme, other = await make(org, stage="trial"), await make(org, stage="trial")
    await move(org, acme.id, "adoption", at=NOW + DAY)
    await accounts.change(db, org.call(now=NOW + DAY), other.id, {"stage": "adoption"}, 1)
    assert await past(org, acme.id) == await past(org, other.id)
    stand = await org.rows("SELECT DISTINCT stage, stage_since, version FROM accounts WHERE workspace_id = $1")
    assert len(stand) == 1


async def test_moves_of_one_moment_keep_apart(db: Database) -> None:
    org = await organisation(db)
    made = [await make(org, f"A{n}") for n in range(40)]
    await asyncio.gather(*(move(org, one.id, "trial") for one in made))
    assert [len(await past(org, one.id)) for one in made] == [1] * len(made)


async def test_out_of_all_stages_and_back(db: Database) -> None:
    org = await organisation(db)
    acme = await make(org, stage="trial")
    shown = document((await move(org, acme.id, None, at=NOW + DAY)).body)
    assert (shown["stage"], shown["stage_since"]) == (None, None)
    await move(org, acme.id, "trial", at=NOW + 2 * DAY)
    assert [one["stage"] for one in await past(org, acme.id)] == ["trial", None, "trial"]


async def test_where_it_stands_already_it_stays(db: Database) -> None:
    org = await organisation(db)
    acme = await make(org, stage="trial")
    written = await move(org, acme.id, "trial", note="Still.")
    assert (written.version, written.effects, len(await past(org, acme.id))) == (1, (), 1)


@pytest.mark.parametrize(
    ("body", "pointer", "suggestion"),
    [
        ({}, "/stage", None),
        ({"stage": "Trial"}, "/stage", None),
        ({"stage": "trail"}, "/stage", "trial"),
        ({"stage": 5}, "/stage", None),
        ({"stage": "trial", "note": 5}, "/note", None),
        ({"stage": "trial", "why": "so"}, "/why", None),
    ],
)
async def test_what_is_no_move(db: Database, body: dict[str, Any], pointer: str, suggestion: str | None) -> None:
    org = await organisation(db)
    acme = await make(org)
    with pytest.raises(Invalid) as caught:
        await moves.move(db, org.call(), acme.id, body, None)
    assert [(fault.pointer, fault.suggestion) for fault in caught.value.faults] == [(pointer, suggestion)]
    assert await past(org, acme.id) == []


async def test_a_version_is_compared_where_one_is_told(db: Database) -> None:
    org = await organisation(db)
    acme = await make(org)
    with pytest.raises(VersionStale):
        await moves.move(db, org.call(), acme.id, {"stage": "trial"}, 7)
    written = await moves.move(db, org.call(), acme.id, {"stage": "trial"}, 1)
    assert written.version == 2


async def test_a_csm_moves_their_own_accounts(db: Database) -> None:
    org = await organisation(db)
    own, others = await make(org, csm="csm"), await make(org, csm="other")
    await move(org, own.id, "trial", "csm")
    for role, account in (("csm", others), ("viewer", own)):
        with pytest.raises(Forbidden):
            await move(org, account.id, "adoption", role)


async def test_another_organisations_account_is_not_there(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    theirs = await make(other, stage="trial")
    with pytest.raises(NotFound):
        await move(org, theirs.id, "adoption")
    with pytest.raises(NotFound):
        await past(org, theirs.id)


async def test_a_move_sent_again_is_one(db: Database) -> None:
    org = await organisation(db)
    acme = await make(org, stage="trial")
    body = {"stage": "adoption"}
    first, second = [await moves.move(db, org.call(key="k", payload=b"x"), acme.id, body, None) for _ in range(2)]
    assert (first.body, len(await past(org, acme.id))) == (second.body, 2)


def chained(history: list[dict[str, Any]]) -> None:
    """The law: what an entry left is when the one after it began, and only the latest is not left yet."""
    assert [entry["to_at"] for entry in history] == [None, *(entry["from_at"] for entry in history)][: len(history)]
    for later, earlier in pairwise(history):
        assert later["stage"] != earlier["stage"]
        assert datetime.fromisoformat(earlier["from_at"]) < datetime.fromisoformat(later["from_at"])


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_history_leads_to_where_accounts_stand(db: Database, seed: int) -> None:
    org, rng = await organisation(db), Random(seed)
    ids = [(await make(org, f"A{n}", stage=rng.choice([None, *USUAL]))).id for n in range(4)]
    for n in range(40):
        # Clocks of two processes may be apart: what happens later may say an earlier time.
        at, account_id = NOW + n * DAY - rng.choice([0, 0, 3]) * DAY, rng.choice(ids)
        stage = rng.choice([None, *USUAL])
        if rng.random() < 0.3:
            [(version,)] = await org.rows(
                "SELECT version FROM accounts WHERE workspace_id = $1 AND id = $2", account_id
            )
            await accounts.change(db, org.call(now=at), account_id, {"stage": stage}, version)
        else:
            await move(org, account_id, stage, at=at)
    known = [slug for (slug,) in await org.rows("SELECT slug FROM stages WHERE workspace_id = $1 ORDER BY position")]
    [(version,)] = await org.rows("SELECT version FROM stages WHERE workspace_id = $1 AND slug = $2", known[0])
    await stages.delete(db, org.call(now=NOW), "slug", known[0], version, known[1])
    for account_id in ids:
        history = await past(org, account_id, NOW + 100 * DAY)
        chained(history)
        [(stage,)] = await org.rows("SELECT stage FROM accounts WHERE workspace_id = $1 AND id = $2", account_id)
        assert (history[0]["stage"] if history else None) == stage


async def test_moves_at_once_follow_each_other(db: Database) -> None:
    org = await organisation(db)
    acme = await make(org)
    await asyncio.gather(*(move(org, acme.id, USUAL[n % 5]) for n in range(20)))
    history = await past(org, acme.id)
    chained(history)
    [(stage,)] = await org.rows("SELECT stage FROM accounts WHERE workspace_id = $1 AND id = $2", acme.id)
    assert history[0]["stage"] == stage


async def test_moves_tell_what_they_left_and_since_when(db: Database) -> None:
    org = await organisation(db)
    acme = await make(org, stage="trial")
    await move(org, acme.id, "adoption", at=NOW + DAY)
    await move(org, acme.id, None, at=NOW + 3 * DAY)
    kept = await org.rows("SELECT stage, was, was_since FROM stage_moves WHERE workspace_id = $1 ORDER BY moved_at")
    assert kept == [("trial", None, None), ("adoption", "trial", NOW), (None, "adoption", NOW + DAY)]


async def test_the_summary_counts_now_and_then(db: Database) -> None:
    org = await organisation(db)
    for days in (1, 2, 3, 11):
        await make(org, f"T{days}", stage="trial", at=NOW - days * DAY, arr=100)
    gone = await make(org, "Gone", stage="trial", at=NOW - 5 * DAY, arr=7)
    await accounts.archive(db, org.call(), gone.id, 1)
    await make(org, "None", arr=Decimal("2.5"))
    for name, days, to in (("On", 4, "onboarding"), ("On too", 6, "onboarding"), ("Far", 8, "advocate")):
        moved = await make(org, name, stage="trial", at=NOW - days * DAY)
        await move(org, moved.id, to)
    told = await moves.summary(db, org.people["viewer"], NOW)
    assert [one["slug"] for one in told["data"]] == USUAL
    assert told["data"][0] == {
        "slug": "trial", "name": "Trial", "position": 1, "accounts": 4, "arr": 400, "state": "ok", "detail": None, "days_median": 2.5,
        "days_p90": 8.6, "left": 3, "days_completed": 6.0, "next": "onboarding", "advanced": 2, "conversion": 0.6667,
    }  # fmt: skip
    assert told["data"][2] == {
        "slug": "adoption", "name": "Adoption", "position": 3, "accounts": 0, "arr": 0, "state": "ok", "detail": None, "days_median": None,
        "days_p90": None, "left": 0, "days_completed": None, "next": "established", "advanced": 0, "conversion": None,
    }  # fmt: skip
    assert (told["data"][-1]["accounts"], told["data"][-1]["next"]) == (1, None)
    assert (told["without"], str(told["on"])) == ({"accounts": 1, "arr": Decimal("2.50")}, "2026-11-22")


async def test_the_summary_of_nothing(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    await make(other, stage="trial")
    told = await moves.summary(db, org.people["viewer"], NOW)
    assert [(one["accounts"], one["left"]) for one in told["data"]] == [(0, 0)] * 5
    assert told["without"] == {"accounts": 0, "arr": 0}
