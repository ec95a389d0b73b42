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
    assert corrected(0.9, np.full(2, 0.85), np.ones(2)) == 0.9


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
            if book == 0:
                assert (month.value, month.low, month.high) == (None, None, None)
            else:
                assert month.value is not None
                assert month.low is not None
                assert month.high is not None
                assert 0 <= month.low <= month.value <= month.high < 10
                assert month.high - month.low > 0.01


def test_months_with_nothing_due_are_no_evidence() -> None:
    """Four years in which nothing was due and nothing moved: no skill is shown, and what moved then corrects nothing."""
    nothing = Renewals(NOTHING, NOTHING, *(np.zeros(0, "datetime64[D]"),) * 2, *(np.zeros(0, np.str_),) * 2)
    book = np.full(len(MONTHS) - 1, 1_000)
    past = Past(MONTHS[:-1].astype("datetime64[D]"), book, book, book * 2)
    for found in of(nothing, past, 1_000):
        assert (found.tested.months, found.tested.error) == (0, None)
        assert [month.value for month in found.months] == [1, 1, 1]


def test_a_month_with_nothing_due_is_not_corrected() -> None:
    """What the months with renewals missed says nothing of a month without any."""
    renewals, past = planted(4, 0.02)
    there = renewals.day.astype("datetime64[M]") < MONTHS[-1]
    columns = (renewals.due_minor, renewals.paid_minor, renewals.day, renewals.known, renewals.parent, renewals.child)
    before = Renewals(*(column[there] for column in columns))
    assert [month.value for found in of(before, past) for month in found.months] == [1.0] * 6


def test_the_interval_grows_with_what_is_due_and_with_how_few_there_are() -> None:
    day = (MONTHS[-1].astype("datetime64[D]") + 9).repeat(100)
    none = Past(MONTHS[:1].astype("datetime64[D]"), *(column([0]),) * 3)

    def width(due: list[int]) -> float:
        rows = len(due)
        days, names = day[:rows], np.full(rows, "s")
        first = of(Renewals(column(due), column(due), days, days + 60, names, names), none, 1_000, 1)[0].months[0]
        assert first.low is not None
        assert first.high is not None
        return first.high - first.low

    assert width([]) < width([100]) < width([500])
    assert width([5] * 100) < width([100] * 5) < width([500])
    # A single renewal is kept or lost.
    assert width([500]) > 0.45


def test_further_ahead_is_less_known() -> None:
    renewals, past = planted(3)
    last = renewals.day.astype("datetime64[M]") == MONTHS[-1]
    again = np.flatnonzero(last)
    shift = [np.zeros(len(renewals.day), "timedelta64[D]")] + [
        np.full(len(again), 31 * n, "timedelta64[D]") for n in (1, 2)
    ]
    rows = np.concatenate([np.arange(len(renewals.day)), again, again])
    moved = np.concatenate(shift)
    more = Renewals(
        renewals.due_minor[rows], renewals.paid_minor[rows], renewals.day[rows] + moved, renewals.known[rows] + moved,
        renewals.parent[rows], renewals.child[rows],
    )  # fmt: skip
    for found in of(more, past):
        widths = [(month.high or 0) - (month.low or 0) for month in found.months]
        assert widths == sorted(widths)
        assert 0 < widths[0] < widths[1] < widths[2]
