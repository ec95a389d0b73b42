"""Terms, contracts and churn: the cases that are easily got wrong."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app.domain.facts import churned, contract_status, contracted, health_band, status, term_days, term_value, windows

DAY = date(2026, 3, 29)
ACCOUNT: dict[str, Any] = {
    "arr_by_hand": 500, "renewal_date_by_hand": date(2026, 6, 1), "seats_licensed_by_hand": 4, "churned_at_by_hand": None,
    "churn_reason_by_hand": None, "became_customer_at": None,
}  # fmt: skip


def contract(start: date, end: date | None, **more: Any) -> dict[str, Any]:
    return {
        "start_date": start,
        "end_date": end,
        "arr": 1200,
        "tcv": None,
        "seats": None,
        "product": None,
        "auto_renew": True,
    } | more


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (date(2024, 1, 1), date(2024, 12, 31), 360),
        (date(2023, 1, 1), date(2025, 12, 31), 1080),
        (date(2024, 2, 15), date(2024, 3, 14), 30),
        (date(2024, 1, 31), date(2024, 2, 29), 31),
        (date(2024, 5, 5), date(2024, 5, 5), 1),
        (date(2024, 5, 5), None, 360),
    ],
)
def test_a_term_is_counted_in_calendar_months(start: date, end: date | None, days: int) -> None:
    assert term_days(start, end) == days


def test_a_term_is_worth_what_was_told_or_its_years_of_arr() -> None:
    assert term_value(contract(date(2024, 1, 1), date(2025, 12, 31))) == 2400
    assert term_value(contract(date(2024, 1, 1), None)) == 1200
    assert term_value(contract(date(2024, 1, 1), date(2025, 12, 31), tcv=7)) == 7
    assert term_value(contract(date(2024, 1, 1), date(2024, 1, 5), arr=36)) == 1


def test_both_ends_of_a_contract_belong_to_it() -> None:
    assert contract_status(contract(DAY, DAY), DAY) == "active"
    assert contract_status(contract(date(2026, 3, 30), None), DAY) == "future"
    assert contract_status(contract(date(2025, 1, 1), date(2026, 3, 28)), DAY) == "ended"


def test_an_account_with_any_contract_follows_its_contracts() -> None:
    over = contract(date(2024, 1, 1), date(2024, 12, 31))
    assert contracted(ACCOUNT, [], DAY)["arr"] == 500
    assert contracted(ACCOUNT, [over], DAY)["arr"] == 0
    assert contracted(ACCOUNT, [over], DAY)["renewal_date"] is None
    both = contracted(ACCOUNT, [over, contract(DAY, date(2026, 9, 1), seats=3), contract(DAY, date(2026, 7, 1))], DAY)
    assert (both["arr"], both["renewal_date"], both["contract_end"], both["seats_licensed"]) == (
        2400, date(2026, 7, 1), date(2026, 9, 1), 3,
    )  # fmt: skip


CHURN = {"id": 1, "churned_at": date(2026, 1, 10), "reason": "price"}
OVER = contract(date(2024, 1, 1), date(2024, 12, 31))


@pytest.mark.parametrize(
    ("account", "contracts", "churns", "wanted", "is_now"),
    [
        ({}, [], [], (None, None), "customer"),
        ({"arr_by_hand": None}, [], [], (None, None), "prospect"),
        ({}, [OVER], [], (date(2024, 12, 31), None), "churned"),
        ({}, [OVER, contract(date(2026, 5, 1), None)], [], (None, None), "customer"),
        ({}, [contract(date(2026, 5, 1), None)], [], (None, None), "prospect"),
        ({}, [contract(date(2025, 5, 1), None)], [CHURN], (date(2026, 1, 10), "price"), "churned"),
        ({}, [contract(date(2026, 2, 1), None)], [CHURN], (None, None), "customer"),
        ({"became_customer_at": date(2026, 2, 1)}, [], [CHURN], (None, None), "customer"),
        (
            {"churned_at_by_hand": date(2026, 5, 1), "churn_reason_by_hand": "told"},
            [],
            [],
            (date(2026, 5, 1), "told"),
            "customer",
        ),
        ({"churned_at_by_hand": date(2026, 3, 1)}, [], [], (date(2026, 3, 1), None), "churned"),
    ],
)
def test_churn(
    account: dict[str, Any],
    contracts: list[Any],
    churns: list[Any],
    wanted: tuple[date | None, str | None],
    is_now: str,
) -> None:
    lost = churned(ACCOUNT | account, contracts, churns, DAY)
    assert lost == wanted
    assert status(ACCOUNT | account, contracts, lost[0], DAY) == is_now


@pytest.mark.parametrize(
    ("health", "band"), [(None, None), (70, "green"), (69.9, "yellow"), (40, "yellow"), (39.9, "red")]
)
def test_health_bands(health: float | None, band: str | None) -> None:
    assert health_band(health, 40, 70) == band


def test_windows_hold_the_days_that_end_today() -> None:
    def used(*ages: int) -> list[dict[str, Any]]:
        return [{"day": date.fromordinal(DAY.toordinal() - age), "feature": "api", "value": 1.0} for age in ages]

    assert windows(used(0, 6, 7, 29, 30, 59, 60, 89, 90, -1), DAY) == {"api": (2.0, 4.0, 8.0, 2.0)}
    assert windows(used(90, -1), DAY) == {}
