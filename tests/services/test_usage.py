"""Usage by hand: values of keys, replaced, summed within one call, taken away; the same as imported."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Conflict, Forbidden, Invalid, NotFound
from app.persistence.database import Database, Transaction
from app.services import records, usage
from app.services.calls import ENCODER, Written, new_id
from tests.services.files import bring, ndjson
from tests.services.organisations import Organisation, document, organisation
from tests.services.test_records import account, fact, make, pointers

DAY = "2026-11-20"


async def furnished(db: Database, *features: str) -> tuple[Organisation, UUID]:
    """An organisation with features, and an account a-1 of its csm's with the contact p-1."""
    org = await organisation(db)
    for slug in features or ("reports", "exports"):
        await records.create(db, org.call(), "features", {"name": slug, "slug": slug})
    here = await account(org, external_id="a-1", csm="csm")
    await make(org, "contacts", {"account": "a-1", "external_id": "p-1", "name": "Ada", "email": "ada@a.example"})
    return org, here


async def put(org: Organisation, *rows: Mapping[str, Any], role: str = "admin") -> Written:
    return await usage.put(org.db, org.call(role), {"rows": [{"account": "a-1", "day": DAY, **row} for row in rows]})


async def stored(org: Organisation) -> list[Any]:
    """Day, feature, contact's name and value of every row of the workspace, names of accounts before."""
    return await org.rows(
        "SELECT a.external_id, d.day::text, f.slug, c.external_id, x.amount FROM usage_days d"
        " CROSS JOIN LATERAL unnest(d.features, d.contacts, d.amounts) x(feature, contact, amount)"
        " JOIN accounts a ON a.workspace_id = $1 AND a.id = d.account_id"
        " JOIN features f ON f.workspace_id = $1 AND f.no = x.feature"
        " LEFT JOIN contacts c ON c.workspace_id = $1 AND c.id = x.contact"
        " WHERE d.workspace_id = $1 ORDER BY 1, 2, 3, 4, 5"
    )


async def test_values_are_replaced_and_equal_keys_of_one_call_summed(db: Database) -> None:
    org, here = await furnished(db)
    first = await put(
        org, {"feature": "reports", "value": 0.1}, {"feature": "reports", "value": 0.2},
        {"feature": "reports", "value": 5, "contact": "ada@a.example"}, {"feature": "exports", "value": 2},
    )  # fmt: skip
    shown = document(first.body)["rows"]
    assert [(row["feature"], float(row["value"])) for row in shown] == [
        ("reports", 0.3),
        ("reports", 5),
        ("exports", 2),
    ]
    assert {row["account_id"] for row in shown} == {str(here)}
    assert [effect.before for effect in first.effects] == [None] * 3
    again = await put(org, {"feature": "exports", "value": 9}, {"feature": "reports", "value": 0.3})
    assert [(e.before and e.before["value"], e.after and e.after["value"]) for e in again.effects] == [(2, 9)]
    assert await stored(org) == [
        ("a-1", DAY, "exports", None, 9), ("a-1", DAY, "reports", "p-1", 5), ("a-1", DAY, "reports", None, 0.3),
    ]  # fmt: skip
    assert await fact(org, "consumption_score", here) > 0
    windows = "SELECT last_7, last_90 FROM usage_windows WHERE workspace_id = $1 ORDER BY feature"
    assert await org.rows(windows) == [(5.3, 5.3), (9, 9)]


async def test_a_value_that_is_taken_away_leaves_the_others(db: Database) -> None:
    org, here = await furnished(db)
    await put(org, {"feature": "reports", "value": 1}, {"feature": "reports", "value": 5, "contact": "p-1"})
    key = {"feature": "reports", "day": DAY}
    gone = await usage.delete(db, org.call(), here, {**key, "contact": "p-1"})
    assert [(e.id, (e.before or {})["value"], e.after) for e in gone.effects] == [(here, 5, None)]
    assert await stored(org) == [("a-1", DAY, "reports", None, 1)]
    for missing in ({**key, "contact": "p-1"}, {**key, "day": "2026-11-19"}, {**key, "feature": "exports"}):
        with pytest.raises(NotFound):
            await usage.delete(db, org.call(), here, missing)
    await usage.delete(db, org.call("csm"), here, key)
    assert await org.rows("SELECT count(*) FROM usage_days WHERE workspace_id = $1") == [(0,)]
    assert (await fact(org, "consumption_score", here), await fact(org, "last_active_at", here)) == (0, None)
    for wrong, pointer in (
        ({}, "/feature"),
        ({"feature": "reports"}, "/day"),
        ({**key, "day": "x"}, "/day"),
        ({**key, "x": 1}, "/x"),
    ):
        with pytest.raises(Invalid) as caught:
            await usage.delete(db, org.call(), here, wrong)
        assert pointer in pointers(caught.value)
    with pytest.raises(NotFound):
        await usage.delete(db, org.call(), new_id(), key)


async def test_by_hand_and_imported_are_the_same(db: Database, tmp_path: Path) -> None:
    (by_hand, _), (by_file, _) = await furnished(db), await furnished(db)
    choice = random.Random(7)
    for _ in range(4):
        rows = [
            {
                "account": "a-1", "feature": choice.choice(("reports", "exports")), "contact": choice.choice((None, "p-1")),
                "day": f"2026-{choice.choice((10, 11))}-0{choice.randint(1, 4)}", "value": choice.choice((0.1, 0.2, 1, 2.5, 0)),
            }
            for _ in range(40)
        ]  # fmt: skip
        await usage.put(db, by_hand.call(), {"rows": rows})
        await bring(by_file, tmp_path, "usage", ndjson(*rows))
        assert await stored(by_hand) == await stored(by_file)
        scores = "SELECT consumption_score, last_active_at, usage_limit_used FROM accounts WHERE workspace_id = $1"
        assert await by_hand.rows(scores) == await by_file.rows(scores)


async def test_many_at_once_lose_nothing(db: Database) -> None:
    org, _ = await furnished(db, *(f"f{n}" for n in range(6)))
    await asyncio.gather(
        *(put(org, {"feature": f"f{n % 6}", "day": f"2025-0{1 + n % 3}-01", "value": n}) for n in range(18))
    )
    kept = await stored(org)
    assert len(kept) == 6
    assert all(int(value) % 6 == int(feature[1:]) for _, _, feature, _, value in kept)


async def test_days_of_any_kept_year_but_none_to_come(db: Database) -> None:
    org, _ = await furnished(db)
    await put(
        org, *({"feature": "reports", "value": 1, "day": day} for day in ("1970-01-01", "1999-12-31", "2026-11-22"))
    )
    assert [row[1] for row in await stored(org)] == ["1970-01-01", "1999-12-31", "2026-11-22"]
    for day in ("1969-12-31", "2026-11-24", "2199-12-31", "9999-12-31", "2026-02-30", "", None, 5):
        with pytest.raises(Invalid) as caught:
            await put(org, {"feature": "reports", "value": 1}, {"feature": "reports", "value": 1, "day": day})
        assert pointers(caught.value) == ["/rows/1/day"]


async def test_rows_that_lead_nowhere_are_named_and_none_is_kept(db: Database) -> None:
    org, _ = await furnished(db)
    other, _ = await furnished(db)
    await account(org, external_id="a-2")
    theirs = await make(other, "contacts", {"account": "a-1", "external_id": "p-9", "name": "Eve"})
    good = {"feature": "reports", "value": 1}
    for wrong, pointer in (
        ({"feature": "reprots"}, "/feature"), ({"account": "nobody"}, "/account"), ({"contact": "p-9"}, "/contact"),
        ({"contact_id": str(theirs.id)}, "/contact_id"), ({"account": "a-2", "contact": "p-1"}, "/contact"),
        ({"value": "1"}, "/value"), ({"value": float("nan")}, "/value"), ({"value": None}, "/value"), ({"is_key": True}, "/is_key"),
        ({"id": "x"}, "/id"), ({"feature": None}, "/feature"), ({"contact": 5}, "/contact"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as caught:
            await put(org, good, {**good, **wrong})
        assert pointers(caught.value) == [f"/rows/1{pointer}"], wrong
    bodies: tuple[Any, ...] = (
        {}, {"rows": []}, {"rows": {}}, {"rows": [good] * 1001}, {"rows": [5]}, {"rows": [None]}, {"rows": [good], "x": 1}, [good],
    )  # fmt: skip
    for body in bodies:
        with pytest.raises(Invalid):
            await usage.put(db, org.call(), body)
    assert await stored(org) == []


async def test_whose_account_it_is_decides(db: Database) -> None:
    org, here = await furnished(db)
    theirs = await account(org, external_id="a-2", csm="other")
    row = {"feature": "reports", "value": 1}
    await put(org, row, role="csm")
    for attempt in (
        put(org, {**row, "account": "a-2"}, role="csm"), put(org, row, {**row, "account": "a-2"}, role="csm"),
        put(org, row, role="viewer"), usage.delete(db, org.call("csm"), theirs, {"feature": "reports", "day": DAY}),
    ):  # fmt: skip
        with pytest.raises(Forbidden):
            await attempt
    below = {"rows": [{**row, "day": DAY, "value": 7}]}
    await usage.put(db, org.call(), below, account=here)
    assert await stored(org) == [("a-1", DAY, "reports", None, 7)]
    with pytest.raises(NotFound):
        await usage.put(db, org.call(), below, account=new_id())
    with pytest.raises(Invalid) as caught:
        await usage.put(db, org.call(), {"rows": [{**row, "day": DAY, "account": "a-2"}]}, account=here)
    assert pointers(caught.value) == ["/rows/0/account"]


async def test_a_key_has_one_effect_even_with_a_month_to_make(db: Database) -> None:
    org, _ = await furnished(db)
    body = {"rows": [{"account": "a-1", "feature": "reports", "day": "2003-03-03", "value": 1}]}
    answers = [await usage.put(db, org.call(key="k", payload=ENCODER.encode(body)), body) for _ in range(2)]
    assert answers[0] == answers[1]


async def test_a_feature_with_usage_stays_whoever_comes_first(db: Database) -> None:
    org, _ = await furnished(db)
    for n in range(5):
        slug = f"new{n}"
        await records.create(db, org.call(), "features", {"name": slug, "slug": slug})
        said, gone = await asyncio.gather(
            put(org, {"feature": slug, "value": 1}), records.delete(db, org.call(), "features", "slug", slug, 1),
            return_exceptions=True,
        )  # fmt: skip
        assert (isinstance(said, Written), isinstance(gone, Conflict)) in ((True, True), (False, False))
    dangling = (
        "SELECT count(*) FROM usage_days d, unnest(d.features) x(no) WHERE d.workspace_id = $1"
        " AND NOT EXISTS (SELECT FROM features f WHERE f.workspace_id = $1 AND f.no = x.no)"
    )
    assert await org.rows(dangling) == [(0,)]


async def test_the_number_of_statements_does_not_grow_with_rows(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    org, _ = await furnished(db)
    for n in range(2, 22):
        await account(org, external_id=f"a-{n}")
        await make(
            org, "contacts", {"account": f"a-{n}", "external_id": f"p-{n}", "name": "P", "email": f"p{n}@a.example"}
        )
    await put(org, {"feature": "reports", "value": 1})  # the month is there
    sent: list[str] = []
    for name in ("execute", "fetch", "fetchrow", "fetchval"):
        run = getattr(Transaction, name)

        def counting(self: Transaction, sql: str, *args: Any, run: Any = run, **options: Any) -> Any:
            sent.append(sql)
            return run(self, sql, *args, **options)

        monkeypatch.setattr(Transaction, name, counting)

    async def statements(*accounts: int) -> int:
        sent.clear()
        await put(org, *(
            {"account": f"a-{n}", "contact": told, "feature": feature, "value": n}
            for n in accounts for told in (f"p-{n}", f"p{n}@a.example") for feature in ("reports", "exports")
        ))  # fmt: skip
        return len(sent)

    few = await statements(2, 3)
    assert few > 0
    assert await statements(*range(4, 22)) == few
