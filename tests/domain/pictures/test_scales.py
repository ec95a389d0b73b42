"""Scales: where values lie, what is logarithmic, and the room between cuts."""

from __future__ import annotations

from itertools import pairwise

import pytest

from app.domain.pictures.scales import Measure, Scale, fitted, plain


def test_scales() -> None:
    log = Scale(1.0, 1000.0, 0.0, 300.0, log=True)
    assert [log.at(v) for v in (0, 1, 10, 1000, 5000)] == [0.0, 0.0, 100.0, 300.0, 300.0]
    assert log.rounds()[:3] == [[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], [1, 10, 100, 1000], [10, 1000]]
    linear = Scale(0.0, 100.0, 200.0, 0.0, log=False)
    assert [linear.at(v) for v in (0, 25, 100)] == [200.0, 150.0, 0.0]
    assert linear.rounds() == [[*range(0, 101, 10)], [*range(0, 101, 20)], [0, 50, 100], [0, 100]]
    assert Scale(0.0, 3.0, 0.0, 1.0, log=False).rounds(whole=True) == [[0, 1, 2, 3], [0, 2]]
    assert Scale(5.0, 5.0, 0.0, 10.0, log=False).at(5.0) == 5.0


def test_money_over_decades_is_logarithmic_and_scores_are_not() -> None:
    money = [10.0**n for n in range(7)]
    assert fitted(Measure("ARR", True, (1000.0,)), money, 0, 400, 50).log
    assert not fitted(Measure("Health", False, (40.0,)), [float(n) for n in range(101)], 0, 400, 50).log


def test_parts_between_cuts_have_room_and_values_keep_their_order() -> None:
    scale = fitted(Measure("Health", False, (69.0, 70.0)), [0.0, 100.0], 0, 400, 100)
    edges = [0.0, scale.at(69.0), scale.at(70.0), 400.0]
    assert all(after - before >= 99.9 for before, after in pairwise(edges))
    places = [scale.at(float(v)) for v in range(101)]
    assert places == sorted(places)
    assert abs(scale.at(69.5) - (scale.at(69.0) + scale.at(70.0)) / 2) < 1e-6


def test_many_cuts_share_what_there_is() -> None:
    cuts = tuple(float(n) for n in range(1, 21))
    scale = fitted(Measure("N", False, cuts), [0.0, 30.0], 0, 400, 100)
    places = [scale.at(c) for c in cuts]
    assert places == sorted(places)
    assert places[-1] < 400


def test_without_values_cuts_stand_in_the_middle() -> None:
    assert fitted(Measure("ARR", True, (50.0,)), [], 0, 400, 50).at(50.0) == 200.0
    assert fitted(Measure("ARR", True, ()), [], 0, 400, 50).at(0.0) == 0.0


def test_gains_and_losses_over_decades_are_logarithmic_on_both_sides() -> None:
    scale = fitted(Measure("Margin", True, (0.0,)), [-1e6, -1e3, -1e3, -1.0, 1.0, 1e3, 1e3, 1e6], 0, 400, 50)
    assert scale.log
    assert scale.at(0.0) == pytest.approx(200)
    places = [scale.at(value) for value in (-1e6, -1e3, -1e2, 0.0, 1e2, 1e3, 1e6)]
    assert places == sorted(set(places))
    assert places[1] == pytest.approx(400 - places[-2])
    assert all(0.0 in values and values == sorted(set(values)) for values in scale.rounds())


def test_what_is_nothing_has_a_place_of_its_own_on_a_logarithmic_scale() -> None:
    scale = plain(Measure("ARR", True, ()), [0.0, 100.0, 1e3, 1e5], 0, 400)
    assert (scale.at(0.0), scale.edge) == (0.0, 0.0)
    assert scale.at(100.0) > 20
    assert plain(Measure("ARR", True, ()), [100.0, 1e3, 1e5], 0, 400).edge is None
    clipped = plain(Measure("ARR", True, ()), [1e-3, 1e3, 1e5, 1e6], 0, 400)
    assert clipped.edge == clipped.low == 1.0


def test_a_cut_at_nothing_has_room_on_both_sides() -> None:
    scale = fitted(Measure("ARR", True, (0.0,)), [0.0, 5.0, 1e3, 1e9], 0, 400, 50)
    assert scale.log
    assert scale.at(0.0) >= 50
    assert scale.at(5.0) > scale.at(0.0)
