"""Outcomes of renewals told by the contracts: the statement is the plain rule, row by row; cases as people know them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest

from app.domain.forecasting.outcomes import LATE, Outcome, Result, Term, outcomes
from app.persistence.database import Database
from app.persistence.renewals import RENEWALS
from app.services.calls import new_id
from tests.services import terms as made
from tests.services.organisations import organisation

ROWS = f"WITH {RENEWALS} SELECT r.id, r.kept, r.result, r.decided_on, r.by_hand, r.followed_on FROM renewals r"
END = date(2025, 6, 30)
LATER = END + timedelta(days=365)


def term(start: date, end: date | None, arr: int = 100, product: str = "core", account: str = "a") -> Term:
    return Term(str(new_id()), account, product, arr, start, end, start)


def world(rng: Random, account: str) -> list[Term]:
    """Terms of an account that follow, overlap, pause, split, merge, change product, or are set by hand."""
    found, day = [], date(2023, 1, 1) + timedelta(days=rng.randrange(300))
    for _ in range(rng.randrange(1, 6)):
        end = day + timedelta(days=rng.choice((29, 89, 364, 364, 1094)))
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            one = term(day, rng.choice((end, end, end, None)), rng.choice((0, 1, 99, 100, 101, 106, 250)), "", account)
            known = rng.choice((day, day - timedelta(days=rng.randrange(60)), day + timedelta(days=3)))
            hand: Result | None = rng.choice((None, None, None, "renewed", "expanded", "contracted", "churned"))
            decided = rng.choice((None, end - timedelta(days=9))) if hand else None
            product = rng.choice(("core", "core", "plus", ""))
            found.append(replace(one, product=product, known_on=min(known, day), outcome=hand, decided_on=decided))
        day = end + timedelta(days=rng.choice((1, 1, -89, -90, -91, -30, -31, 0, 30, 31, 60, 61, 200)))
    return found


async def test_the_statement_is_the_rule_row_by_row(db: Database) -> None:
    org, rng = await organisation(db), Random(5)
    terms = [one for n in range(400) for one in world(rng, f"account {n}")]
    ids = await made.accounts(org, sorted({one.account for one in terms}))
    await made.contracts(org, terms, ids)
    found = {str(row[0]): Outcome(*row[1:]) for row in await org.rows(ROWS)}
    expected = outcomes(terms)
    assert found == expected
    # Every result comes up, told by the contracts and by hand, or the rows prove little.
    assert {(one.result, one.by_hand) for one in expected.values()} == {
        (result, by_hand) for result in ("renewed", "expanded", "contracted", "churned") for by_hand in (True, False)
    }


async def test_another_workspace_has_none_of_them(db: Database) -> None:
    org = await organisation(db)
    assert await org.rows(ROWS) == []


@pytest.mark.parametrize(
    ("after", "result", "kept"),
    [
        ([], "churned", 0),
        ([term(END + timedelta(days=1), LATER, 104)], "renewed", 104),
        ([term(END + timedelta(days=60), LATER)], "renewed", 100),  # late
        ([term(END + timedelta(days=61), LATER)], "churned", 0),  # reactivated
        ([term(END - timedelta(days=90), LATER)], "renewed", 100),  # early
        ([term(END - timedelta(days=91), LATER)], "churned", 0),  # a second contract beside it
        ([term(END + timedelta(days=1), END + timedelta(days=1095), 130)], "expanded", 130),  # multi-year
        ([term(END + timedelta(days=1), None, 80)], "contracted", 80),
        ([term(END + timedelta(days=1), LATER, 60), term(END + timedelta(days=1), LATER, 40)], "renewed", 100),  # split
        ([term(END + timedelta(days=30), LATER, product="plus")], "renewed", 100),  # another product
        ([term(END + timedelta(days=31), LATER, product="plus")], "churned", 0),
        ([term(END - timedelta(days=10), END - timedelta(days=1))], "churned", 0),  # over before it ended
    ],
)
def test_what_carries_a_renewal_on(after: list[Term], result: str, kept: int) -> None:
    ending = term(END - timedelta(days=364), END)
    told = outcomes([ending, *after])[ending.id]
    assert (told.result, told.kept, told.decided_on) == (result, kept, END + timedelta(days=LATE))
    assert told.followed_on == (after[0].known_on if kept else None)


def test_two_that_are_merged_are_both_renewed() -> None:
    core, plus = (term(END - timedelta(days=364), END, arr, product) for arr, product in ((100, "core"), (50, "plus")))
    told = outcomes([core, plus, term(END + timedelta(days=1), LATER, 150)])
    assert [told[one.id].kept for one in (core, plus)] == [100, 50]
    assert {told[one.id].result for one in (core, plus)} == {"renewed"}


def test_one_of_two_that_goes_on_leaves_the_other_churned() -> None:
    core, plus = (term(END - timedelta(days=364), END, 100, product) for product in ("core", "plus"))
    told = outcomes([core, plus, term(END + timedelta(days=1), LATER, 100)])
    assert [(told[one.id].result, told[one.id].followed_on is None) for one in (core, plus)] == [
        ("renewed", False),
        ("churned", True),
    ]


def test_monthly_terms_carry_on_the_one_before() -> None:
    first = date(2025, 1, 1)
    months = [term(first + timedelta(days=30 * n), first + timedelta(days=30 * n + 29)) for n in range(6)]
    told = outcomes(months)
    assert [told[one.id].result for one in months] == ["renewed"] * 5 + ["churned"]


def test_what_is_set_by_hand_stands() -> None:
    ending, after = term(END - timedelta(days=364), END), term(END + timedelta(days=1), LATER, 90)
    by_hand = replace(ending, outcome="churned", decided_on=END - timedelta(days=20))
    assert outcomes([by_hand, after])[ending.id] == Outcome(
        0, "churned", END - timedelta(days=20), True, after.known_on
    )
    assert outcomes([replace(by_hand, outcome="contracted", decided_on=None), after])[ending.id].kept == 90
