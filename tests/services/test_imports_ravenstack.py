"""Five real tables, their dirt included, through the mappings of examples/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from app.persistence.database import Database
from app.services import imports
from tests.servers import ROOT
from tests.services.files import counted, warnings
from tests.services.organisations import NOW, Organisation, organisation

FILES = (
    ("accounts", "accounts", 500), ("contracts", "subscriptions", 5_000), ("usage", "feature_usage", 25_000),
    ("tickets", "support_tickets", 2_000), ("churns", "churn_events", 600),
)  # fmt: skip


async def _bring(org: Organisation, folder: Path, kind: str, name: str) -> dict[str, Any]:
    mapping = (ROOT / "examples" / "ravenstack" / f"{name}.json").read_bytes()
    path = folder / "ravenstack" / f"ravenstack_{name}.csv"
    result = await imports.run_import(org.db, org.workspace.slug, kind, path, mapping, NOW, lambda step, part: None)
    shown: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(result))
    return shown


async def test_all_five_tables_land_and_their_dirt_is_told(db: Database, shared_data: Path) -> None:
    org = await organisation(db)
    reported, unmapped, warned = {}, {}, {}
    for kind, name, rows in FILES:
        shown = await _bring(org, shared_data, kind, name)
        assert (shown["state"], counted(shown)) == ("done", (rows, 0, 0, 0)), shown
        reported[kind] = [one for one in warnings(shown) if one[0] not in ("unmapped", "made")]
        warned[kind] = shown["warned"]
        unmapped[kind] = [
            named["name"] for one in shown["summary"] if one["code"] == "unmapped" for named in one["names"]
        ]
    assert unmapped == {
        "accounts": ["referral_source", "is_trial", "churn_flag"], "contracts": ["mrr_amount", "is_trial", "upgrade_flag", "downgrade_flag"],
        "usage": ["usage_duration_secs", "error_count", "is_beta_feature"], "tickets": [],
        "churns": ["preceding_upgrade_flag", "preceding_downgrade_flag"],
    }  # fmt: skip
    assert {kind: [(code, count) for code, count, _ in told] for kind, told in reported.items()} == {
        "accounts": [], "contracts": [], "usage": [("before_contract", 19_142), ("repeated", 21)],
        "tickets": [("before_customer", 1_077)], "churns": [("in_force", 538), ("further_churn", 248)],
    }  # fmt: skip
    assert await org.rows(
        "SELECT sum(arr)::bigint, count(*), count(DISTINCT industry) FROM accounts WHERE workspace_id = $1"
    ) == [(12_191_529_600, 500, 5)]
    assert await org.rows("SELECT status, count(*) FROM contracts WHERE workspace_id = $1 GROUP BY 1 ORDER BY 1") == [
        ("active", 4514), ("ended", 486),
    ]  # fmt: skip
    assert await org.rows("SELECT sum(a) FROM usage_days d, unnest(d.amounts) a WHERE d.workspace_id = $1") == [
        (float(sum(int(line.split(",")[4]) for line in _lines(shared_data, "feature_usage"))),)
    ]
    assert await org.rows("SELECT sum(refund)::bigint FROM churns WHERE workspace_id = $1") == [
        (sum(round(float(line.split(",")[4] or 0) * 100) for line in _lines(shared_data, "churn_events")),)
    ]
    for kind, name, rows in FILES:
        shown = await _bring(org, shared_data, kind, name)
        assert (counted(shown), shown["warned"]) == ((0, 0, rows, 0), warned[kind])


def _lines(folder: Path, name: str) -> list[str]:
    return (folder / "ravenstack" / f"ravenstack_{name}.csv").read_text().splitlines()[1:]
