"""One effect however often a call is sent, in one transaction with its answer."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import RFC_4122, UUID

import pytest

from app.domain.errors import Invalid, KeyReused, KeyStillRunning, NotFound, Unavailable
from app.persistence.database import Database, Transaction
from app.services import accounts, days
from app.services.calls import Written, first_id, new_id, once
from tests.services.organisations import NOW, Organisation, organisation


async def names(org: Organisation) -> list[str]:
    return [name for (name,) in await org.rows("SELECT name FROM accounts WHERE workspace_id = $1 ORDER BY name")]


def test_ids_that_others_begin_with_differ_where_they_are_read() -> None:
    made = [first_id() for _ in range(1000)]
    assert len({one.hex[:22] for one in made}) == len(made)
    assert {(one.version, one.variant) for one in made} == {(7, RFC_4122)}


def test_ids_sort_by_their_making() -> None:
    made = [new_id() for _ in range(1000)]
    assert {type(one) for one in made} == {UUID}
    assert {one.version for one in made} == {7}
    assert made == sorted(made)


async def test_fifty_equal_requests_at_once_have_one_effect(db: Database) -> None:
    org = await organisation(db)
    call = org.call(key="k-1", payload=b'{"name":"Acme"}')
    answers = await asyncio.gather(
        *(accounts.create(db, call, {"name": "Acme"}) for _ in range(50)), return_exceptions=True
    )
    written = [answer for answer in answers if isinstance(answer, Written)]
    assert written
    assert set(written) == {written[0]}
    assert all(isinstance(answer, Written | KeyStillRunning | Unavailable) for answer in answers)
    assert await names(org) == ["Acme"]
    assert await accounts.create(db, call, {"name": "Acme"}) == written[0]


async def test_a_key_is_bound_to_payload_operation_and_credential(db: Database) -> None:
    org = await organisation(db)
    first = await accounts.create(db, org.call(key="k", payload=b"1"), {"name": "A"})
    with pytest.raises(KeyReused):
        await accounts.create(db, org.call(key="k", payload=b"2"), {"name": "B"})
    with pytest.raises(KeyReused):
        await accounts.archive(db, org.call(key="k", payload=b"1"), first.id, 1)
    second = await accounts.create(db, org.call("manager", key="k", payload=b"2"), {"name": "C"})
    assert second.id != first.id
    assert await names(org) == ["A", "C"]


async def test_the_first_answer_is_given_again_byte_for_byte(db: Database) -> None:
    org = await organisation(db)
    call = org.call(key="k")
    first = await accounts.create(db, call, {"name": "A"})
    await accounts.change(db, org.call(), first.id, {"name": "B"}, first.version)
    assert await accounts.create(db, call, {"name": "A"}) == first
    changing = org.call(key="c")
    changed = await accounts.change(db, changing, first.id, {"name": "C"}, 2)
    assert await accounts.change(db, changing, first.id, {"name": "C"}, 2) == changed
    assert await names(org) == ["C"]


async def test_what_fails_leaves_neither_effect_nor_key(db: Database) -> None:
    org = await organisation(db)
    with pytest.raises(Invalid):
        await accounts.create(db, org.call(key="k", payload=b"1"), {"name": "A", "industry": "none"})
    assert await names(org) == []
    await accounts.create(db, org.call(key="k", payload=b"2"), {"name": "A"})
    assert await names(org) == ["A"]


async def test_a_request_that_still_runs_is_told_so(db: Database) -> None:
    org = await organisation(db)
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow(tx: Transaction) -> Written:
        began.set()
        await go_on.wait()
        return Written(new_id(), 1, b"{}", created=True)

    call = org.call(key="k")
    running = asyncio.create_task(once(db, call, "slow", slow))
    await began.wait()
    with pytest.raises(KeyStillRunning):
        await once(db, call, "slow", slow)
    go_on.set()
    assert await once(db, call, "slow", slow) == await running


async def test_keys_are_kept_for_a_day(db: Database) -> None:
    org = await organisation(db)
    first = await accounts.create(db, org.call(key="k"), {"name": "A"})
    almost, day = NOW + timedelta(hours=23, minutes=59), NOW + timedelta(hours=24)
    assert await accounts.create(db, org.call(key="k", now=almost), {"name": "A"}) == first
    second = await accounts.create(db, org.call(key="k", payload=b"other", now=day), {"name": "B"})
    assert second.id != first.id
    kept = "SELECT count(*) FROM idempotency_keys WHERE workspace_id = $1"
    await days.roll(db, org.workspace.id, day)
    assert await db.fetchval(kept, org.workspace.id) == 1
    await days.roll(db, org.workspace.id, day + timedelta(hours=24))
    assert await db.fetchval(kept, org.workspace.id) == 0


@pytest.mark.parametrize("key", ["", "x" * 256, "a\x00b", "ä", "a\nb"])
async def test_a_key_is_short_and_printable(db: Database, key: str) -> None:
    org = await organisation(db)
    with pytest.raises(Invalid) as caught:
        await accounts.create(db, org.call(key=key), {"name": "A"})
    assert [fault.parameter for fault in caught.value.faults] == ["Idempotency-Key"]


async def test_an_answer_comes_after_commit(db: Database) -> None:
    """COMMIT is held up by a deferred constraint that sleeps: no answer may come sooner."""
    org = await organisation(db)
    async with db.transaction() as tx:
        await tx.execute(
            """CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END$$;
            CREATE CONSTRAINT TRIGGER hold AFTER INSERT OR UPDATE ON accounts DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION hold()"""
        )
    loop = asyncio.get_running_loop()
    try:
        for key in (None, "k"):
            began = loop.time()
            await accounts.create(db, org.call(key=key), {"name": "A"})
            assert loop.time() - began >= 0.5
    finally:
        async with db.transaction() as tx:
            await tx.execute("DROP TRIGGER hold ON accounts; DROP FUNCTION hold")


async def test_a_key_of_another_workspace_is_another_key(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    first = await accounts.create(db, org.call(key="k"), {"name": "A"})
    second = await accounts.create(db, other.call(key="k", payload=b"2"), {"name": "B"})
    assert first.id != second.id
    with pytest.raises(NotFound):
        await accounts.change(db, other.call(), first.id, {"name": "X"}, 1)
