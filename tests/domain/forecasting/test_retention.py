"""Retention: every figure over its own denominator."""

from app.domain.forecasting.retention import COHORTS, NAMES, Sums, figures


def test_each_figure_has_its_own_denominator() -> None:
    """Kept, contracted, expanded, lost: 100 at the start each; due 100 twice, of which 60 and 150 went on."""
    sums = Sums(
        accounts=4, began=400, stayed=260, ended=310, lost=1, accounts_due=2, renewals=3, due=200, gross=160, net=210
    )
    found = {one.name: one for one in figures(sums)}
    assert tuple(found) == NAMES
    assert {name: one.value for name, one in found.items()} == {
        "grr": 0.65, "nrr": 0.775, "logo_churn": 0.25, "gross_renewal_rate": 0.8, "net_renewal_rate": 1.05,
    }  # fmt: skip
    assert {(one.accounts, one.renewals, one.arr) for one in found.values()} == {(4, None, 400), (2, 3, 200)}
    assert COHORTS["grr"] == COHORTS["logo_churn"] != COHORTS["net_renewal_rate"]


def test_nothing_at_the_start_is_no_figure() -> None:
    assert {one.value for one in figures(Sums(left_out_accounts=3, left_out=5))} == {None}
