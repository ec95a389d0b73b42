"""What criteria read that cannot be known as of a past day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import text
from app.domain.criteria.check import Setting, check
from app.domain.segmentation.dated import columns, undated
from app.domain.workspaces import clock
from tests.laws.trees import WORKSPACE

DAY = date(2026, 3, 1)
MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("criteria", "lost"),
    [
        ("arr >= 100 AND sentiment < 3 AND industry = \"retail\"", ()),
        ("became_customer_at IN last(90d) OR count(usage, last(30d)) > 3", ()),
        ("(health < 50 AND arr > 3) OR health > 90", ("health",)),
        ("renewal_date IN next(90d)", ("renewal_date",)),
        ("count(tickets) > 5", ("tickets in windows that do not end by then",)),
        ("count(usage, this(year)) > 5", ("usage in windows that do not end by then",)),
        ("any(tickets WHERE status = \"open\", last(90d))", ("tickets.status",)),
        ("any(contracts, last(90d))", ("contracts",)),
        ("csm = \"ann@example.com\"", ("references",)),
        ("custom.score > 1", ("own attributes",)),
    ],
)  # fmt: skip
def test_criteria_read_the_past_or_it_is_named(criteria: str, lost: tuple[str, ...]) -> None:
    setting = Setting(WORKSPACE, clock(WORKSPACE, MOMENT), people=False)
    assert undated(check(text.parse(criteria), ACCOUNTS, setting).meaning, MOMENT, DAY) == lost


def test_columns_are_those_of_the_account_itself() -> None:
    setting = Setting(WORKSPACE, clock(WORKSPACE, MOMENT), people=False)
    meant = check(text.parse("arr > 1 AND any(surveys WHERE score > 3, last(30d))"), ACCOUNTS, setting).meaning
    assert columns(meant) == {"arr"}
