"""What a book of renewals comes to: expected amounts to the cent, quantiles, and the chance to reach a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.forecasting.allocation import to_the_cent
from app.domain.forecasting.book import Floats
from app.domain.forecasting.chances import Chances
from app.domain.forecasting.columns import Due, Texts
from app.domain.forecasting.distribution import Distribution
from app.domain.forecasting.rates import Ints

Key = tuple[str, ...]
MILLION = 1_000_000


@dataclass(frozen=True)
class Money:
    """What renewals bring, in minor units; `target_probability` where a target is given."""

    expected_minor: int
    p05_minor: int
    p50_minor: int
    p95_minor: int
    target_probability: float | None


@dataclass(frozen=True)
class Total:
    """A book's forecast in minor units: `due_renewals` of `due_accounts`, which may have several. `expected_renewals` is how many
    of them come on average, by logo rates, in millionths that are shared out as money is: groups add up to it.

    `expected_minor` and the quantiles are of what is kept of what is due, contraction included; `net` has expansion too.
    """

    due_renewals: int
    due_accounts: int
    due_arr_minor: int
    expected_renewals: float
    expected_minor: int
    p05_minor: int
    p50_minor: int
    p95_minor: int
    target_minor: int | None
    target_probability: float | None
    net: Money


@dataclass(frozen=True)
class GroupTotal:
    """The part of a forecast whose accounts share `key`, one text per grouping asked for."""

    key: Key
    total: Total


@dataclass(frozen=True)
class Totals:
    """Sums over rows of one forecast: `kept` and `net` (n,) in minor units add up to the cent, whatever the rows, and so do
    the `renewals` expected, (n,), in millionths. `whose` numbers their accounts."""

    chances: Chances
    renewals: Ints
    whose: Ints
    arr_minor: Ints
    kept: Ints
    net: Ints
    gross: Floats

    def of(self, rows: Ints, target_minor: int | None = None) -> Total:
        """Of the renewals in `rows`."""
        due = int(self.arr_minor[rows].sum())
        kept = _money(self.chances.spread(rows, self.gross), int(self.kept[rows].sum()), due, target_minor)
        net = kept
        if self.gross is not self.chances.paid:
            net = _money(self.chances.spread(rows, self.chances.paid), int(self.net[rows].sum()), None, target_minor)
        return Total(
            due_renewals=len(rows),
            due_accounts=len(np.unique(self.whose[rows])),
            due_arr_minor=due,
            expected_renewals=int(self.renewals[rows].sum()) / MILLION,
            expected_minor=kept.expected_minor,
            p05_minor=kept.p05_minor,
            p50_minor=kept.p50_minor,
            p95_minor=kept.p95_minor,
            target_minor=target_minor,
            target_probability=kept.target_probability,
            net=net,
        )


def totals(chances: Chances, due: Due) -> Totals:
    """Expected amounts per renewal, to the cent: what is kept, and with what is bought more."""
    paid = chances.paid
    gross = paid if bool((paid <= 1).all()) else np.minimum(paid, 1.0)
    kept = to_the_cent(due.arr_minor, chances.share(gross), due.renewal_id)
    counted = to_the_cent(np.full(len(kept), MILLION, dtype=np.int64), chances.logo, due.renewal_id)
    whose = np.unique(due.owner, return_inverse=True)[1].astype(np.int64)
    if gross is paid:
        return Totals(chances, counted, whose, due.arr_minor, kept, kept, gross)
    more = chances.share(paid - gross)
    times = max(int(np.ceil(more.max(initial=0.0))), 1)
    net = kept + to_the_cent(due.arr_minor * times, more / times, due.renewal_id)
    return Totals(chances, counted, whose, due.arr_minor, kept, net, gross)


def alone(found: Totals, level: float) -> Ints:
    """Of each renewal by itself what it keeps at most, (n,), in `level` of a hundred such: nought where it is lost that often."""
    chances = found.chances
    shares = np.sort(found.gross, axis=1)
    lost = 1 - chances.money
    # Where it renews each share is as likely as the others.
    within = np.divide(level - lost, chances.money, out=np.zeros(len(lost)), where=chances.money > 0)
    place = np.clip(np.ceil(within * shares.shape[1] - 1e-9).astype(np.int64) - 1, 0, shares.shape[1] - 1)
    amounts = np.where(within > 0, found.arr_minor * shares[chances.kind, place], 0.0)
    return np.asarray(np.rint(amounts), dtype=np.int64)


def groups(found: Totals, keys: Sequence[Texts], targets: Mapping[Key, int]) -> tuple[GroupTotal, ...]:
    """By the values of all keys, in their order; `targets` in minor units of some of them."""
    if not keys or not len(found.arr_minor):
        return ()
    place = np.zeros(len(found.arr_minor), dtype=np.int64)
    for key in keys:
        names, index = np.unique(key, return_inverse=True)
        # Renumbered at every step: the product of many keys' sizes would not fit into 64 bits.
        place = np.unique(place * len(names) + index, return_inverse=True)[1].astype(np.int64)
    order = np.argsort(place, kind="stable")
    rows = np.split(order, np.flatnonzero(np.diff(place[order])) + 1)
    named = [(tuple(str(key[row[0]]) for key in keys), row) for row in rows]
    return tuple(GroupTotal(key, found.of(row, targets.get(key))) for key, row in named)


def _money(spread: Distribution, expected: int, most: int | None, target_minor: int | None) -> Money:
    p05, p50, p95 = (max(round(spread.quantile(q)), 0) for q in (0.05, 0.5, 0.95))
    if most is not None:
        p05, p50, p95 = min(p05, most), min(p50, most), min(p95, most)
    chance = None if target_minor is None else spread.reaches(float(target_minor))
    return Money(expected, p05, p50, p95, chance)
