"""Months to come: p(x) E[g|x], corrected by the last three, with its error; few data say so."""

import numpy as np
import pytest

from app.domain.forecasting.outlook import Outlook, Past, Renewals, corrected, outlook
from app.domain.forecasting.rates import Ints

MONTHS = np.arange("2022-01", "2026-01", dtype="datetime64[M]")
NOTHING = np.zeros(0, dtype=np.int64)


def planted(seed: int, tilt: float = 0.0) -> tuple[Renewals, Past]:
    """Sixty renewals a month of two segments that renew at .95 and .7, in a mix that moves; the rest of the book stays but for
    a tilt between renewals that grows and falls over the months."""
    rng = np.random.default_rng(seed)
    rows, past = [], []
    for n, month in enumerate(MONTHS):
        good = rng.random(60) < (0.9 if n % 2 else 0.4)
        due = rng.integers(50_000, 150_000, 60)
        kept = rng.random(60) < np.where(good, 0.95, 0.7)
        paid = np.where(kept, (due * rng.choice([0.8, 1.0, 1.1], 60)).astype(np.int64), 0)
        day = month.astype("datetime64[D]") + 14
        rows += [(int(d), int(p), day, day, "a" if g else "b") for d, p, g in zip(due, paid, good, strict=True)]
        book = 20_000_000
        drifted = int(book * tilt * np.sin(n / 9))
        past.append(
            (book, book - int((due - np.minimum(paid, due)).sum()) - drifted, book - int((due - paid).sum()) - drifted)
        )
    due_, paid_, days, known, names = zip(*rows, strict=True)
    segments = np.array(names, dtype=np.str_)
    start, stayed, ended = (np.array(column, dtype=np.int64) for column in zip(*past, strict=True))
    renewals = Renewals(np.array(due_), np.array(paid_), np.array(days), np.array(known), segments, segments)
    return renewals, Past(MONTHS[:-1].astype("datetime64[D]"), start[:-1], stayed[:-1], ended[:-1])


def of(renewals: Renewals, past: Past, book: int = 20_000_000, months: int = 3) -> tuple[Outlook, ...]:
    ahead = np.arange(MONTHS[-1], MONTHS[-1] + months).astype("datetime64[D]")
    return outlook(renewals, past, book, ahead)


@pytest.mark.parametrize("tilt", [0.0, 0.01])
def test_a_month_ahead_it_beats_the_last_three_months(tilt: float) -> None:
    """The mix of what is due decides, which the mean of past months cannot know."""
    for found in of(*planted(1, tilt)):
        tested = found.tested
        assert tested.months == len(MONTHS) - 1 - 3
        assert tested.error is not None
        assert tested.last_three is not None
        print(f"{found.kind} tilt {tilt}: {tested.error:.2f} points, last three months {tested.last_three:.2f}")
        assert tested.error < 0.8 * tested.last_three


def test_the_band_holds_what_comes() -> None:
    held = []
    for seed in range(5):
        renewals, past = planted(seed)
        last = renewals.day.astype("datetime64[M]") == MONTHS[-1]
        due, paid = renewals.due_minor[last], renewals.paid_minor[last]
        for found, kept in zip(of(renewals, past), (np.minimum(paid, due), paid), strict=True):
            came, first = 1 - float((due - kept).sum()) / 20_000_000, found.months[0]
            assert first.low is not None
            assert first.high is not None
            held.append(first.low <= came <= first.high)
    assert np.mean(held) >= 0.8


def test_what_closes_later_is_not_known_on_the_day() -> None:
    """All renewals of the month to come are lost, which is known only after it: nothing of the answer moves."""
    renewals, past = planted(2)
    last = renewals.day.astype("datetime64[M]") == MONTHS[-1]
    lost = Renewals(
        renewals.due_minor,
        np.where(last, 0, renewals.paid_minor),
        renewals.day,
        renewals.known,
        renewals.parent,
        renewals.child,
    )
    assert of(lost, past) == of(renewals, past)
    early = Renewals(
        lost.due_minor,
        lost.paid_minor,
        lost.day,
        np.where(last, MONTHS[-1].astype("datetime64[D]") - 9, lost.known),
        lost.parent,
        lost.child,
    )
    due = int(renewals.due_minor[last].sum())
    assert of(early, past)[0].months[0].plain == pytest.approx(1 - due / 20_000_000)


def test_a_forecast_leans_on_the_last_three_months() -> None:
    known = np.array([0.5, 0.9, 0.9, 0.9])
    assert corrected(0.9, known, np.array([0.1, 0.8, 0.8, 0.8])) == pytest.approx(0.8)
    assert corrected(0.9, np.zeros(0), np.zeros(0)) == 0.9
    assert corrected(0.9, np.zeros(3), np.zeros(3)) == 0.9


def column(values: list[int]) -> Ints:
    return np.array(values, dtype=np.int64)


@pytest.mark.parametrize("amounts", [[], [0], [1], [10**13], [10**13, 1, 0]])
@pytest.mark.parametrize("share", [0, 1, 7])
def test_few_data_say_so(amounts: list[int], share: int) -> None:
    due = column(amounts)
    day = np.full(len(due), np.datetime64("2025-11-30"))
    segments = np.full(len(due), "s")
    past = Past(MONTHS[-3:-1].astype("datetime64[D]"), column([0, 5]), column([0, 5]), column([0, 9]))
    for book in (0, 10**14):
        for found in outlook(
            Renewals(due, due * share, day, day, segments, segments), past, book, MONTHS[-1:].astype("datetime64[D]")
        ):
            assert (found.tested.error, found.tested.last_three) == (None, None)
            (month,) = found.months
            assert (month.low, month.high) == (None, None)
            assert (month.value is None) == (book == 0)
            assert month.value is None or 0 <= month.value < 10
