"""Bulk upserts: what lands is what the same records leave that are sent one by one."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.api.rest import bulk as door
from app.domain import bulk as rules
from app.domain.bulk import Mode
from app.domain.catalogue import ENTITIES
from app.domain.errors import Forbidden, Invalid, KeyReused, StrataError, Unreadable
from app.persistence import facts
from app.persistence.database import Database
from app.services import accounts, attributes, bulk, records, scores, segmentations, usage, workspaces
from app.services.calls import Call
from app.services.importing import json_records
from tests.services.organisations import NOW, Organisation, document, organisation

Record = Mapping[str, Any]


async def send(
    org: Organisation, kind: str, told: Sequence[object] | bytes, mode: Mode = "all", call: Call | None = None
) -> dict[str, Any]:
    """What a call answers, whose counts are those of its results."""
    raw = told if isinstance(told, bytes) else msgspec.json.encode({"records": told})
    found, _ = door.asked(raw)
    written = await bulk.upsert(org.db, call or org.call(), kind, found, mode)
    shown: dict[str, Any] = document(written.body)
    assert [one["index"] for one in shown["results"]] == list(range(found.count))
    assert {name: sum(one["outcome"] == name for one in shown["results"]) for name in rules.OUTCOMES} == {
        name: shown[name] for name in rules.OUTCOMES
    }
    return shown


def outcomes(shown: Mapping[str, Any]) -> list[str]:
    return [one["outcome"] for one in shown["results"]]


def wrong(shown: Mapping[str, Any]) -> dict[int, list[str]]:
    """Pointers of what was rejected, by record."""
    return {one["index"]: [e["pointer"] for e in one["errors"]] for one in shown["results"] if one["errors"]}


async def test_records_are_made_changed_and_left_alone(db: Database) -> None:
    org = await organisation(db)
    first = await send(
        org, "accounts", [{"external_id": "a", "name": "A", "arr": 10.25}, {"external_id": "b", "name": "B", "domain": "b.com"}]
    )  # fmt: skip
    assert (outcomes(first), [one["version"] for one in first["results"]]) == (["created", "created"], [1, 1])
    told = [{"external_id": "b", "domain": None}, {"external_id": "a", "arr": 10.25}, {"external_id": "c", "name": "C"}]
    again = await send(org, "accounts", told)
    assert (outcomes(again), [one["version"] for one in again["results"]]) == (
        ["updated", "unchanged", "created"],
        [2, 1, 1],
    )
    assert again["results"][1]["id"] == first["results"][0]["id"]
    before = await org.rows(
        "SELECT external_id, name, domain, arr, version, xmin FROM accounts WHERE workspace_id = $1 ORDER BY 1"
    )
    assert [row[:5] for row in before] == [("a", "A", None, 1025, 1), ("b", "B", None, 0, 2), ("c", "C", None, 0, 1)]
    assert outcomes(await send(org, "accounts", told)) == ["unchanged"] * 3
    assert before == await org.rows(
        "SELECT external_id, name, domain, arr, version, xmin FROM accounts WHERE workspace_id = $1 ORDER BY 1"
    )


async def test_health_by_a_model_is_not_set_as_by_single_writes(db: Database) -> None:
    org = await organisation(db)
    await send(org, "accounts", [{"external_id": "a", "name": "A", "health": 50, "case_studies": 2}])
    measures = [{"of": "case_studies", "worst": 0, "best": 10}]
    await scores.put(db, org.call(), {"health": {"source": "model", "measures": measures}}, 1)
    org = org.with_workspace(scores=(await workspaces.load(db, org.workspace.id)).scores)
    told = [{"external_id": "a", "health": 30}, {"external_id": "b", "name": "B", "health": 30}, {"external_id": "c", "name": "C", "health": None}]  # fmt: skip
    shown = await send(org, "accounts", told, "rows")
    assert (wrong(shown), outcomes(shown)[2]) == ({0: ["/records/0/health"], 1: ["/records/1/health"]}, "created")
    assert {one["message"] for n in (0, 1) for one in shown["results"][n]["errors"]} == {accounts.MODELLED}
    assert outcomes(await send(org, "accounts", [{"external_id": "a", "health": 20}])) == ["unchanged"]


async def test_one_bad_record_refuses_all_or_itself(db: Database) -> None:
    org = await organisation(db)
    told = [{"external_id": "a", "name": "A"}, {"external_id": "b", "name": "B", "arr": 1.001}, {"external_id": "c"}]
    with pytest.raises(Invalid) as caught:
        await send(org, "accounts", told)
    assert [fault.pointer for fault in caught.value.faults] == ["/records/1/arr", "/records/2/name"]
    assert await org.rows("SELECT id FROM accounts WHERE workspace_id = $1") == []
    shown = await send(org, "accounts", told, "rows")
    assert outcomes(shown) == ["created", "rejected", "rejected"]
    assert wrong(shown) == {1: ["/records/1/arr"], 2: ["/records/2/name"]}
    assert await org.rows("SELECT external_id FROM accounts WHERE workspace_id = $1") == [("a",)]


async def test_a_hundred_faults_are_told_and_the_rest_is_counted(db: Database) -> None:
    org = await organisation(db)
    with pytest.raises(Invalid) as caught:
        await send(org, "accounts", [{"external_id": f"a{n}", "name": 1} for n in range(130)])
    assert [fault.pointer for fault in caught.value.faults] == [f"/records/{n}/name" for n in range(100)]
    assert "130 of 130 records" in caught.value.detail
    assert "30 more faults" in caught.value.detail


async def test_how_many_records(db: Database) -> None:
    org = await organisation(db)
    told = [{"external_id": f"a{n}", "name": "A"} for n in range(rules.RECORDS + 1)]
    for refused in (told, []):
        with pytest.raises(Invalid):
            await send(org, "accounts", refused)
    assert (await send(org, "accounts", told[:-1]))["created"] == rules.RECORDS
    assert (await send(org, "accounts", told[1:]))["created"] == 1


async def test_each_record_once(db: Database) -> None:
    org = await organisation(db)
    told = [
        {"external_id": "a", "name": "A"},
        {"external_id": "b", "name": "B"},
        {"external_id": "a", "name": "A", "health": 5},
    ]
    with pytest.raises(Invalid) as caught:
        await send(org, "accounts", told)
    assert [fault.pointer for fault in caught.value.faults] == ["/records/2"]
    assert outcomes(await send(org, "accounts", told, "rows")) == ["created", "created", "rejected"]
    # One that is refused stands in nobody's way.
    told[1:2] = [{"external_id": "c", "name": ""}, {"external_id": "c", "name": "C"}]
    assert outcomes(await send(org, "accounts", told, "rows")) == ["unchanged", "rejected", "created", "rejected"]


async def test_the_same_key_has_one_effect(db: Database) -> None:
    org = await organisation(db)
    found, _ = door.asked(msgspec.json.encode({"records": [{"external_id": "a", "name": "A"}]}))
    call = org.call("manager", "once", b"body")
    first, second = [await bulk.upsert(db, call, "accounts", found, "all") for _ in range(2)]
    assert (first.body, first.id) == (second.body, second.id)
    with pytest.raises(KeyReused):
        await bulk.upsert(db, org.call("manager", "once", b"other"), "accounts", found, "all")
    assert await org.rows("SELECT version FROM accounts WHERE workspace_id = $1") == [(1,)]


async def test_who_may(db: Database) -> None:
    org = await organisation(db)
    for role in ("csm", "viewer"):
        with pytest.raises(Forbidden):
            await send(org, "accounts", [{"external_id": "a", "name": "A"}], call=org.call(role))
    for scope in ("read", "import"):
        with pytest.raises(Forbidden):
            await send(org, "accounts", [{"external_id": "a"}], call=Call(org.as_("service", scope), NOW))
    await send(org, "accounts", [{"external_id": "a", "name": "A"}], call=Call(org.as_("service", "write"), NOW))
    with pytest.raises(Forbidden):
        await send(org, "users", [{"email": "x@example.com"}], call=org.call("manager"))
    with pytest.raises(Invalid):
        await send(org, "scenarios", [{"slug": "x"}])


async def test_an_admin_remains(db: Database) -> None:
    org = await organisation(db)
    told = [
        {"external_id": "new", "name": "N", "email": "n@example.com", "role": "viewer"},
        {"external_id": "admin", "role": "csm"},
    ]
    with pytest.raises(StrataError):
        await send(org, "users", told)
    assert await org.rows("SELECT role FROM users WHERE workspace_id = $1 AND external_id IN ('admin', 'new')") == [
        ("admin",)
    ]
    assert outcomes(await send(org, "users", told[:1])) == ["created"]


async def test_the_audit_keeps_one_entry(db: Database) -> None:
    org = await organisation(db)
    told = [{"external_id": "a", "name": "A"}, {"external_id": "b", "name": "B"}]
    ids = [one["id"] for one in (await send(org, "accounts", told))["results"]]
    await send(org, "accounts", told)
    kept = await org.rows(
        "SELECT operation, entity, entity_id, after FROM audit WHERE workspace_id = $1 AND entity = 'accounts'"
    )
    assert [(row[0], row[1], row[2], msgspec.json.decode(row[3])) for row in kept] == [
        ("records.bulk", "accounts", None, {"created": 2, "updated": 0, "unchanged": 0, "rejected": 0, "ids": ids})
    ]


async def audited(org: Organisation, entity: str) -> list[Any]:
    """What the audit has of records of a kind that were changed: which, before, after."""
    rows = await org.rows(
        "SELECT entity_id, before, after FROM audit WHERE workspace_id = $1 AND entity = $2 AND before <> '{}' ORDER BY at, id",
        entity,
    )
    return [(row[0] and str(row[0]), msgspec.json.decode(row[1]), msgspec.json.decode(row[2])) for row in rows]


async def test_the_audit_keeps_who_is_primary_no_more(db: Database) -> None:
    org = await organisation(db)
    await send(org, "accounts", [{"external_id": "a", "name": "A"}])
    told = [{"external_id": name, "account": "a", "name": name, "is_primary": name == "x"} for name in "xy"]
    first = (await send(org, "contacts", told))["results"][0]["id"]
    await send(org, "contacts", [{"external_id": "y", "is_primary": True}])
    assert await audited(org, "contacts") == [
        (None, {"is_primary": True}, {"is_primary": False, "count": 1, "ids": [first]}),
    ]


async def test_the_audit_keeps_which_stages_moved(db: Database) -> None:
    org = await organisation(db)
    await send(org, "stages", [{"slug": "new", "name": "New", "position": 0}])
    ids = dict(await org.rows("SELECT slug, id::text FROM stages WHERE workspace_id = $1"))
    assert await audited(org, "stages") == [
        (ids["new"], {"position": 0}, {"position": 1}),
        *((ids[slug], {"position": n}, {"position": n + 1}) for n, slug in enumerate(workspaces.STAGES, 1)),
    ]


HOSTILE: dict[str, tuple[bytes, list[str] | type[Exception]]] = {
    "a number as text": (b'{"records":[{"external_id":"a","name":"A","health":"5"}]}', ["/records/0/health"]),
    "a text as a number": (b'{"records":[{"external_id":1,"name":"A"}]}', ["/records/0/external_id"]),
    "5.5 people": (b'{"records":[{"external_id":"a","name":"A","employees":5.5}]}', ["/records/0/employees"]),
    "true as a word": (b'{"records":[{"external_id":"a","name":"A","is_reference":"true"}]}', ["/records/0/is_reference"]),
    "an unknown member": (b'{"records":[{"external_id":"a","name":"A"},{"external_id":"b","nmae":"B"}]}', ["/records/1/nmae", "/records/1/name"]),
    "what Strata keeps": (b'{"records":[{"external_id":"a","name":"A","mrr":1}]}', ["/records/0/mrr"]),
    "no object": (b'{"records":[{"external_id":"a","name":"A"},1,null,[]]}', ["/records/1", "/records/2", "/records/3"]),
    "no identifier": (b'{"records":[{"name":"A"},{"external_id":null,"name":"B"},{"external_id":"","name":"C"}]}', [f"/records/{n}/external_id" for n in range(3)]),
    "a cent's hundredth": (b'{"records":[{"external_id":"a","name":"A","arr":0.1000000000000000055}]}', ["/records/0/arr"]),
    "a reference told twice": (b'{"records":[{"external_id":"a","name":"A","csm":"x","csm_id":null}]}', ["/records/0/csm_id"]),
    "an id that is none": (b'{"records":[{"external_id":"a","name":"A","csm_id":"csm"}]}', ["/records/0/csm_id"]),
    "an empty date": (b'{"records":[{"external_id":"a","name":"A","renewal_date":""}]}', ["/records/0/renewal_date"]),
    "beyond what is kept": (b'{"records":[{"external_id":"a","name":"A","health":1e-41}]}', Unreadable),
    "an empty call": (b'{"records":[]}', ["/records"]),
    "no array": (b'{"records":{"external_id":"a"}}', ["/records"]),
    "no records": (b'{"mode":"all"}', ["/records"]),
    "another member": (b'{"records":[{"external_id":"a","name":"A"}],"kind":"accounts"}', ["/kind"]),
    "an array": (b'[{"external_id":"a"}]', [""]),
    "a member twice": (b'{"records":[{"external_id":"a","name":"A","name":"B"}]}', Unreadable),
    "a member twice, spaced": (b'{"records":[{"external_id":"a","name" :"A","name":"B"}]}', Unreadable),
    "records twice": (b'{"records":[{"external_id":"a","name":"A"}],"records":[]}', Unreadable),
    "NUL": (b'{"records":[{"external_id":"a","name":"\\u0000"}]}', Unreadable),
    "half a surrogate pair": (b'{"records":[{"external_id":"a","name":"\\ud800"}]}', Unreadable),
    "latin-1": ('{"records":[{"external_id":"a","name":"Müller"}]}'.encode("latin-1"), Unreadable),
    "NaN": (b'{"records":[{"external_id":"a","name":"A","health":NaN}]}', Unreadable),
    "2^63": (b'{"records":[{"external_id":"a","name":"A","employees":9223372036854775808}]}', Unreadable),
    "beyond a double": (b'{"records":[{"external_id":"a","name":"A","health":1e999}]}', Unreadable),
    "cut off": (b'{"records":[{"external_id":"a","name":"A"}', Unreadable),
    "deep": (b'{"records":[' + b'{"a":' * 80 + b"1" + b"}" * 80 + b"]}", Unreadable),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
async def test_hostile_bodies(db: Database, case: str) -> None:
    body, expected = HOSTILE[case]
    org = await organisation(db)
    if not isinstance(expected, list):
        with pytest.raises(expected):
            await send(org, "accounts", body)
    else:
        with pytest.raises(Invalid) as caught:
            await send(org, "accounts", body)
        assert [fault.pointer for fault in caught.value.faults] == expected
    assert await org.rows("SELECT id FROM accounts WHERE workspace_id = $1") == []


async def test_text_and_numbers_arrive_as_they_are(db: Database) -> None:
    org = await organisation(db)
    names = [
        'say "hi"',
        "back\\slash",
        "tab\there",
        "line\nfeed",
        " spaces ",
        "null",
        "\\N",
        "\\.",
        "ü€😀",
        "a,b",
        "x\u2028",
        '":',
    ]
    told = [{"external_id": f"a{n:02}", "name": name} for n, name in enumerate(names)]
    await send(org, "accounts", told)
    # The same, read one by one because of a long number.
    await send(
        org,
        "accounts",
        [{**one, "external_id": f"b{n:02}", "usage_limit": 123456789012345678} for n, one in enumerate(told)],
    )
    for letter in "ab":
        rows = await org.rows(
            "SELECT name FROM accounts WHERE workspace_id = $1 AND external_id LIKE $2 ORDER BY external_id",
            f"{letter}%",
        )
        assert [row[0] for row in rows] == names
    await send(
        org,
        "accounts",
        b'{"records":[{"external_id":"m","name":"M","arr":12345678901234567.25,"cost_to_serve":1.5e13}]}',
    )
    assert await org.rows("SELECT arr, cost_to_serve FROM accounts WHERE workspace_id = $1 AND external_id = 'm'") == [
        (1234567890123456725, 1500000000000000)
    ]


async def test_references_are_told_in_any_way(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    made = await send(
        org, "accounts", [{"external_id": "a", "name": "A"}, {"external_id": "b", "name": "B", "parent": "a"}]
    )
    await send(other, "accounts", [{"external_id": "theirs", "name": "T"}])
    (account, _), csm = [one["id"] for one in made["results"]], org.user("csm")
    told = [
        {"external_id": "c", "name": "C", "csm": "csm@example.com", "parent": str(account)},
        {"external_id": "d", "name": "D", "csm": "csm", "parent_id": str(account)},
        {"external_id": "e", "name": "E", "csm": str(csm), "parent": "c"},
        {"external_id": "f", "name": "F", "csm_id": str(csm), "parent": None},
        {"external_id": "g", "name": "G", "parent": "theirs"},
        {"external_id": "h", "name": "H", "csm": "nobody"},
    ]
    shown = await send(org, "accounts", told, "rows")
    assert (outcomes(shown)[:4], wrong(shown)) == (["created"] * 4, {4: ["/records/4/parent"], 5: ["/records/5/csm"]})
    rows = await org.rows(
        "SELECT a.external_id, p.external_id, a.csm_id FROM accounts a LEFT JOIN accounts p ON p.workspace_id = $1 AND p.id = a.parent_id "
        "WHERE a.workspace_id = $1 ORDER BY 1"
    )
    assert rows[2:] == [("c", "a", csm), ("d", "a", csm), ("e", "c", csm), ("f", None, csm)]
    await org.run("UPDATE users SET is_active = false WHERE workspace_id = $1 AND id = $2", csm)
    shown = await send(
        org, "accounts", [{"external_id": "c", "csm": "csm", "health": 1}, {"external_id": "a", "csm": "csm"}], "rows"
    )
    assert (outcomes(shown), wrong(shown)) == (["updated", "rejected"], {1: ["/records/1/csm"]})


async def test_own_attributes(db: Database) -> None:
    org = await organisation(db)
    for slug, kind in (("region", "text"), ("score", "number"), ("labels", "tags")):
        await attributes.create(
            db, org.call(), {"entity": "accounts", "slug": slug, "name": slug.title(), "type": kind}
        )
    org = org.with_workspace(attributes=(await workspaces.load(db, org.workspace.id)).attributes)
    told = [
        {"external_id": "a", "name": "A", "custom": {"region": "EMEA", "score": 1.5, "labels": ["x", "y"]}},
        {"external_id": "b", "name": "B", "custom": {"nothing": 1}},
        {"external_id": "c", "name": "C"},
    ]
    shown = await send(org, "accounts", told, "rows")
    assert (outcomes(shown), wrong(shown)) == (["created", "rejected", "created"], {1: ["/records/1/custom/nothing"]})
    shown = await send(
        org,
        "accounts",
        [{"external_id": "a", "custom": {"region": None}}, {"external_id": "c", "custom": None}],
        "rows",
    )
    assert (outcomes(shown), wrong(shown)) == (["updated", "rejected"], {1: ["/records/1/custom"]})
    ((kept,),) = await org.rows("SELECT custom FROM accounts WHERE workspace_id = $1 AND external_id = 'a'")
    slugs = {field.key: slug for (_, slug), field in org.workspace.attributes.items()}
    assert {slugs[key]: value for key, value in msgspec.json.decode(kept).items()} == {
        "score": 1.5,
        "labels": ["x", "y"],
    }


async def test_new_accounts_come_with_their_facts_and_segments(db: Database) -> None:
    org = await organisation(db)
    body = {
        "name": "R",
        "kind": "rules",
        "segments": [{"slug": "high", "name": "High", "criteria": 'arr >= 1000 AND status = "customer"'}],
    }
    await segmentations.put(db, org.call(), "value", body, None)
    told = [
        {"external_id": f"a{n}", "name": "A", "arr": n * 100, "health": n % 101, "seats_licensed": n, "seats_active": n // 2,
         "usage_limit": n, "churned_at": "2026-01-01" if n % 7 == 0 else None, "became_customer_at": "2025-05-05" if n % 3 else None}
        for n in range(130)
    ]  # fmt: skip
    await send(org, "accounts", told)
    async with db.transaction() as tx:
        await facts.lock(tx, org.workspace.id, None)
        assert await facts.refresh(tx, org.workspace.id, None) == 0
    rows = await org.rows(
        "SELECT a.arr >= 100000 AND a.status = 'customer', m.segment = 'high' FROM accounts a JOIN segmentations s ON s.workspace_id = $1 AND s.slug = 'value' "
        "JOIN members m ON m.workspace_id = $1 AND m.segmentation_id = s.id AND m.account_id = a.id WHERE a.workspace_id = $1"
    )
    assert len(rows) == 130
    assert {expected for expected, _ in rows} == {True, False}
    assert all(expected == found for expected, found in rows)


# -- one by one --------------------------------------------------------------------------------------------------------

LEFT_OUT = {"workspace_id", "id", "no", "actor_id"}
TABLES = ("accounts", "contacts", "contracts", "opportunities", "surveys", "tickets", "sentiments", "churns", "products", "usage_windows", "members")  # fmt: skip


class Dice:
    """Records of every kind, many of them wrong, the same for the same seed."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def any(self, *values: Any) -> Any:
        return self.random.choice(values)

    def record(self, kind: str, key: str) -> dict[str, Any]:
        """Some members of a record of this kind, under a key."""
        drawn = getattr(self, kind)()
        kept = {name: value for name, value in drawn.items() if self.random.random() < 0.85}
        return {ENTITIES[kind].key: key, **kept}

    def account(self) -> str:
        return str(self.any("a1", "a2", "a3", "a3", "nobody"))

    def day(self) -> str:
        return str((NOW + timedelta(days=self.random.randint(-90, 60))).date())

    def accounts(self) -> dict[str, Any]:
        return {
            "name": self.any("One", "Two", "", " \t", "x" * 501), "arr": self.any(0, 5, 1200.5, 0.001, -5, None), "health": self.any(1, 55.5, 100, 101, None),
            "parent": self.any("a1", "a2", None, "nobody"), "csm": self.any("csm", "other@example.com", None), "stage": self.any("trial", None, "x"),
            "country": self.any("DE", "de", None), "seats_licensed": self.any(5, -1, None), "is_reference": self.any(True, False, "true"),
            "renewal_date": self.any(self.day(), "2026-02-30", None), "churn_reason": self.any("price", None),
        }  # fmt: skip

    def contacts(self) -> dict[str, Any]:
        return {"account": self.account(), "name": self.any("Ann", "Bob", None), "email": self.any("a@x.de", "b@x.de", "b", None),
                "is_primary": self.any(True, False), "role": self.any("champion", "boss", None)}  # fmt: skip

    def contracts(self) -> dict[str, Any]:
        return {"account": self.account(), "arr": self.any(100, 99.99, -10, None), "start_date": self.day(), "end_date": self.any(self.day(), None),
                "product": self.any("pro", "none", None), "outcome": self.any("renewed", None), "decided_at": self.any(self.day(), None),
                "auto_renew": True}  # fmt: skip

    def opportunities(self) -> dict[str, Any]:
        return {"account": self.account(), "name": "More", "stage": self.any("open", "won"), "amount": self.any(10, 20.5, -1, None),
                "product": "pro", "opened_at": self.day(), "closed_at": self.any(self.day(), None), "owner": self.any("csm", None)}  # fmt: skip

    def surveys(self) -> dict[str, Any]:
        return {"account": self.account(), "contact": self.any("p1", "p2", "a@x.de", None), "kind": self.any("nps", "csat", "ces"),
                "score": self.any(0, 3, 6, 9), "answered_at": f"{self.day()}T10:00:00Z"}  # fmt: skip

    def tickets(self) -> dict[str, Any]:
        return {"account": self.account(), "status": self.any("open", "closed"), "priority": "high", "escalated": self.any(True, False),
                "opened_at": f"{self.day()}T10:00:00+02:00", "closed_at": self.any(f"{self.day()}T09:00:00Z", None)}  # fmt: skip

    def sentiments(self) -> dict[str, Any]:
        return {"account": self.account(), "author": self.any("csm", "manager@example.com", None), "score": self.any(1, 5, 6),
                "recorded_at": f"{self.day()}T10:00:00.5Z", "note": self.any("Hm", None)}  # fmt: skip

    def churns(self) -> dict[str, Any]:
        return {
            "account": self.account(),
            "churned_at": self.day(),
            "reason": self.any("price", None),
            "refund": self.any(1.5, None),
        }

    def products(self) -> dict[str, Any]:
        return {"name": self.any("Pro", None), "list_price": self.any(10, 10.5, -1, None)}


async def one_by_one(org: Organisation, kind: str, told: Sequence[Record]) -> list[str]:
    """The same records through single writes, and what became of each."""
    key = ENTITIES[kind].key
    found = []
    for record in told:
        rows = await org.rows(f"SELECT version FROM {kind} WHERE workspace_id = $1 AND {key} = $2", record[key])
        version = rows[0][0] if rows else None
        try:
            if kind == "accounts":
                written = await accounts.upsert(org.db, org.call(), record[key], record, version)
            else:
                written = await records.upsert(org.db, org.call(), kind, record[key], record, version)
        except StrataError:
            found.append("rejected")
            continue
        found.append("created" if written.created else "unchanged" if written.version == version else "updated")
    return found


async def stored(org: Organisation) -> dict[str, list[str]]:
    """Every row of every table, what it refers to by names that both organisations have."""
    names: dict[Any, Any] = {}
    for table in ("accounts", "contacts", "users"):
        names |= dict(await org.rows(f"SELECT id, external_id FROM {table} WHERE workspace_id = $1"))
    names |= dict(await org.rows("SELECT id, slug FROM segmentations WHERE workspace_id = $1"))
    found: dict[str, list[str]] = {}
    for table in TABLES:
        rows = await org.db.fetch(f"SELECT * FROM {table} WHERE workspace_id = $1", org.workspace.id)
        found[table] = sorted(
            repr(
                {
                    name: names.get(value, value) if isinstance(value, UUID) else value
                    for name, value in row.items()
                    if name not in LEFT_OUT
                }
            )
            for row in rows
        )
    found["stage_moves"] = sorted(map(repr, await org.rows(
        "SELECT a.external_id, m.stage, m.moved_at FROM stage_moves m JOIN accounts a ON a.workspace_id = $1 AND a.id = m.account_id WHERE m.workspace_id = $1"
    )))  # fmt: skip
    return found


KINDS = ("products", "accounts", "contacts", "contracts", "opportunities", "surveys", "tickets", "sentiments", "churns")


@pytest.mark.parametrize("seed", range(4))
async def test_it_equals_single_writes(db: Database, seed: int) -> None:
    whole, single = await organisation(db), await organisation(db)
    for org in (whole, single):
        await send(org, "products", [{"slug": "pro", "name": "Pro", "list_price": 99.5}])
        await send(org, "accounts", [{"external_id": f"a{n}", "name": "A", "arr": 5} for n in range(1, 4)])
        await send(
            org,
            "contacts",
            [{"external_id": f"p{n}", "account": f"a{n}", "name": "P", "email": "a@x.de"} for n in (1, 2)],
        )
    dice = Dice(seed)
    for round_ in range(4):
        for kind in KINDS:
            keys = dice.random.sample([f"{kind[0]}{n}" if kind == "accounts" else f"x{n}" for n in range(1, 15)], 10)
            told = [dice.record(kind, key) for key in keys]
            if kind == "sentiments":  # whom a sentiment is of unless it says so: the caller, in a single write
                told = [one if one.get("author") else {**one, "author": "admin"} for one in told]
            if kind == "contacts":  # one by one, two primary contacts of one account would be changed to and fro
                told = [one if n == 0 else {k: v for k, v in one.items() if k != "is_primary"} | ({} if n % 2 else {"is_primary": False}) for n, one in enumerate(told)]  # fmt: skip
            if round_ % 2:  # what can be read is read all at once
                told = [one for one in told if not json_records.faults(ENTITIES[kind], 0, one, whole.workspace, NOW)]
            if not told:
                continue
            expected = await one_by_one(single, kind, told)
            assert outcomes(await send(whole, kind, told, "rows")) == expected, (round_, kind, told)
            assert await stored(whole) == await stored(single), (round_, kind)


async def test_usage_equals_single_writes(db: Database) -> None:
    whole, single = await organisation(db), await organisation(db)
    for org in (whole, single):
        await send(org, "features", [{"slug": "login", "name": "Login"}, {"slug": "api", "name": "API"}])
        await send(org, "accounts", [{"external_id": "a1", "name": "A"}, {"external_id": "a2", "name": "B"}])
        await send(org, "contacts", [{"external_id": "p1", "account": "a1", "name": "P"}])
    dice = random.Random(5)
    for _ in range(3):
        told = [
            {"account": dice.choice(("a1", "a2", "nobody")), "feature": dice.choice(("login", "api", "chat")), "day": f"2026-1{dice.randrange(3)}-{dice.randrange(1, 5):02}",
             "value": dice.choice((1, 2.5, "x", None)), **({"contact": "p1"} if dice.random() < 0.3 else {})}
            for _ in range(40)
        ]  # fmt: skip
        shown = await send(whole, "usage", told, "rows")
        sound = [one for one, result in zip(told, shown["results"], strict=True) if result["outcome"] != "rejected"]
        assert 0 < len(sound) < len(told)
        await usage.put(db, single.call(), {"rows": sound})
        for one, result in zip(told, shown["results"], strict=True):
            if result["outcome"] == "rejected":
                with pytest.raises(Invalid):
                    await usage.put(db, single.call(), {"rows": [one]})
        assert await packed(whole) == await packed(single)
        assert set(outcomes(await send(whole, "usage", sound))) == {"unchanged"}


async def packed(org: Organisation) -> list[Any]:
    rows = await org.rows(
        "SELECT a.external_id, u.day, x.feature, x.contact IS NULL, x.amount FROM usage_days u JOIN accounts a ON a.workspace_id = $1 AND a.id = u.account_id, "
        "unnest(u.features, u.contacts, u.amounts) x(feature, contact, amount) WHERE u.workspace_id = $1"
    )
    return sorted(rows)


async def test_a_pointer_names_the_member_that_the_record_has(db: Database) -> None:
    """Whatever else it says: an exponent, or what looks like one, has records read one by one."""
    org = await organisation(db)
    for name in ("plain", "x 10e5"):
        for member in ("parent_id", "parent"):
            told = {"external_id": "p", "name": name, member: str(UUID(int=7))}
            assert wrong(await send(org, "accounts", [told], "rows")) == {0: [f"/records/0/{member}"]}
