"""Criteria against the catalogue: what they come to mean, and what means nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.domain.catalogue import ACCOUNTS, CONTACTS, ENTITIES, Entity
from app.domain.criteria.check import Checked, Setting, check, shown
from app.domain.criteria.meant import (
    All,
    And,
    Between,
    Bounds,
    ChangeOf,
    Column,
    Compare,
    CustomOf,
    FoldOf,
    Match,
    Not,
    OneOf,
    Or,
    Refers,
    Related,
    SegmentOf,
    Tagged,
)
from app.domain.criteria.text import parse
from app.domain.criteria.tree import load
from app.domain.errors import Invalid
from tests.laws.trees import PERSON, SETTING, TODAY, WORKSPACE, id_of

ARR, NAME, EMPLOYEES = (Column(ACCOUNTS.fields[n]) for n in ("arr", "name", "employees"))
RENEWAL, CSM = Column(ACCOUNTS.fields["renewal_date"]), Column(ACCOUNTS.fields["csm"])
SEEN = Column(ACCOUNTS.fields["last_active_at"])
TIER = SegmentOf(UUID(int=71), "tier")
USAGE, INVOICES = ACCOUNTS.relations["usage"], ACCOUNTS.relations["invoices"]
TO_ACCOUNT = CONTACTS.relations["account"]
VALUE = ENTITIES["usage"].fields["value"]


def checked(source: str, entity: Entity = ACCOUNTS, setting: Setting = SETTING) -> Checked:
    return check(parse(source), entity, setting)


def days(lo: str, hi: str) -> Bounds:
    return Bounds(date.fromisoformat(lo), date.fromisoformat(hi))


@pytest.mark.parametrize(
    ("source", "meaning"),
    [
        ("ALL", All()),
        ("arr > 1000.50", Compare(ARR, "gt", 100_050)),
        ("health >= 40", Compare(Column(ACCOUNTS.fields["health"]), "ge", 40.0)),
        ("employees > 2.5", Compare(EMPLOYEES, "gt", 2)),
        ("employees >= 2.5", Compare(EMPLOYEES, "ge", 3)),
        ("employees < 2.5", Compare(EMPLOYEES, "lt", 3)),
        ("employees <= -2.5", Compare(EMPLOYEES, "le", -3)),
        ("employees IN 1.5..2.5", Between(EMPLOYEES, 2, 2, False)),
        ("employees IN 1.5..<2.5", Between(EMPLOYEES, 2, 3, True)),
        ("arr IN *..5", Between(ARR, None, 500, False)),
        ("arr IN 5..<*", Between(ARR, 500, None, False)),
        ("arr IN 5..field(mrr)", And((Between(ARR, 500, None, False), Compare(ARR, "le", Column(ACCOUNTS.fields["mrr"]))))),
        ('name IN ("a", "b", "a")', OneOf(NAME, ("a", "b"))),
        ('name NOT IN ("a", field(domain))',
         Not(Or((OneOf(NAME, ("a",)), Compare(NAME, "eq", Column(ACCOUNTS.fields["domain"])))))),
        ("renewal_date < 2026-02-28", Compare(RENEWAL, "lt", date(2026, 2, 28))),
        ("last_active_at < 2026-01-31T10:00:00.5+02:00",
         Compare(SEEN, "lt", datetime(2026, 1, 31, 8, 0, 0, 500_000, UTC))),
        ("last_active_at = 2026-01-31",
         Between(SEEN, datetime(2026, 1, 30, 23, tzinfo=UTC), datetime(2026, 1, 31, 23, tzinfo=UTC), True)),
        ("last_active_at > 2026-01-31", Between(SEEN, datetime(2026, 1, 31, 23, tzinfo=UTC), None, False)),
        ("last_active_at IN 2026-01-31..2026-01-31",
         Between(SEEN, datetime(2026, 1, 30, 23, tzinfo=UTC), datetime(2026, 1, 31, 23, tzinfo=UTC), True)),
        ("renewal_date IN next(90d)", Between(RENEWAL, TODAY, date(2027, 2, 20), True)),
        ("renewal_date >= ago(1mo)", Compare(RENEWAL, "ge", date(2026, 10, 22))),
        ("last_active_at < ago(24h)", Compare(SEEN, "lt", datetime(2026, 11, 21, 9, 30, tzinfo=UTC))),
        ('segment.tier = "high"', Compare(TIER, "eq", "high")),
        ('in_segment("tier", "high")', Compare(TIER, "eq", "high")),
        ("custom.score > 1", Compare(CustomOf(WORKSPACE.attributes["accounts", "score"]), "gt", 1.0)),
        ('name : "Ä%"', Match(NAME, "contains", "Ä%")),
        ("name = $word AND arr > $amount", And((Compare(NAME, "eq", "Acme"), Compare(ARR, "gt", 100_050)))),
        ('has_all(products, ("crm"))', Tagged(Column(ACCOUNTS.fields["products"]), True, ("crm",))),
        ("csm = @me", Refers(CSM, (), (PERSON.id,))),
        ("csm != @my_team", Not(Refers(CSM, (), PERSON.team))),
        (f'csm_id IN (@me, "a@b.c", "{id_of("users", 3)}")',
         Refers(CSM, ("a@b.c", str(id_of("users", 3))), (PERSON.id, id_of("users", 3)))),
        ('none(invoices WHERE status = "failed", this(month))',
         Related("none", INVOICES, Compare(Column(ENTITIES["invoices"].fields["status"]), "eq", "failed"),
                 days("2026-11-01", "2026-12-01"))),
        ("avg(invoices.amount) > 0.125",
         Compare(FoldOf("avg", INVOICES, ENTITIES["invoices"].fields["amount"], None, None), "gt", 12.5)),
        ("change(sum(usage.value), last(30d), previous(month)) < -0.2",
         Compare(ChangeOf(FoldOf("sum", USAGE, VALUE, None, days("2026-10-24", "2026-11-23")),
                          FoldOf("sum", USAGE, VALUE, None, days("2026-10-01", "2026-11-01")), True), "lt", -0.2)),
    ],
)  # fmt: skip
def test_meaning(source: str, meaning: Any) -> None:
    assert checked(source).meaning == meaning


def test_contacts_reach_their_account() -> None:
    meaning = checked('account.arr > 1 AND account.segment.tier = "low" AND account.csm = @me', CONTACTS).meaning
    assert meaning == And(
        (
            Compare(replace(ARR, through=TO_ACCOUNT), "gt", 100),
            Compare(replace(TIER, through=TO_ACCOUNT), "eq", "low"),
            Refers(replace(CSM, through=TO_ACCOUNT), (), (PERSON.id,)),
        )
    )


@pytest.mark.parametrize(
    ("source", "message", "suggestion"),
    [
        ("nmae = \"x\"", "accounts have no such field", "name"),
        ('tier = "high"', "no such field", "segment.tier"),
        ("segment.teir IS EMPTY", "no such segmentation", "segment.tier"),
        ("custom.scores > 1", "no such attribute", "custom.score"),
        ("invoices.amount > 5", "invoices are many", None),
        ("csm.name = \"x\"", "compared by id, external id or e-mail", "csm"),
        ('segment.tier = "hihg"', "one of high, medium, low", "high"),
        ('in_segment("tier", "hihg")', "no such segment", "high"),
        ('status = "custommer"', "one of prospect", "customer"),
        ('any(invoices WHERE status = "paied")', "one of draft", "paid"),
        ("any(invoice)", "no such related rows", "invoices"),
        ("any(csm)", "no such related rows", None),
        ("sum(usage.valeu) > 1", "no such field", "value"),
        ("sum(invoices.status) > 1", "cannot be taken", None),
        ("max(invoices.status) > 1", "cannot be taken", None),
        ("arr > \"x\"", "an amount of money", None),
        ("arr > 1.005", "at most 2 decimals", None),
        ("arr > 100000000000000000", "64 bits", None),
        ("employees = 2.5", "a whole number", None),
        ("employees IN (1, 2.5)", "a whole number", None),
        ("health = true", "a number", None),
        ("is_reference = 1", "true or false", None),
        ("is_reference > true", "can be asked", None),
        ("status > \"paid\"", "can be asked: =, !=", None),
        ("arr IN last(30d)", "can be asked", None),
        ("arr : \"5\"", "can be asked", None),
        ("products = \"crm\"", "has_any", None),
        ("has_any(name, (\"a\"))", "can be asked", None),
        ("custom IS EMPTY", "cannot be asked whole", None),
        ("name = \"\"", "IS EMPTY", None),
        ('name : ""', "at least one character", None),
        ("name : 5", "text in quotes", None),
        ("renewal_date = 2026-02-30", "no such day", None),
        ("renewal_date = 2026-01-31T10:00:00Z", "a date as in", None),
        ("last_active_at = 2026-01-31T10:00:00", "an instant as in", None),
        ("last_active_at = 2026-01-31T25:00:00Z", "no such instant", None),
        ("last_active_at = 9999-12-31", "years 1 to 9999", None),
        ("last_active_at = 0001-01-01T00:00:00+10:00", "no such instant", None),
        ("renewal_date IN last(12h)", "no hours", None),
        ("renewal_date < ago(12h)", "no hours", None),
        ("renewal_date < ago(9000y)", "years 1 to 9999", None),
        ("last_active_at IN next(9999999w)", "years 1 to 9999", None),
        ("arr > ago(3d)", "not a time", None),
        ("arr = @me", "not a person", None),
        ("parent = @me", "not a person", None),
        ("arr > field(health)", "cannot be compared", None),
        ("arr > field(mr)", "no such field", "mrr"),
        ("csm = field(parent)", "an id, external id or e-mail", None),
        ("csm = 5", "text in quotes", None),
        ("id = \"x\"", "an id (UUID)", None),
        ("name = $wrod", "no such parameter", "word"),
        ("arr > $word", "an amount of money", None),
        ("arr IN *..*", "at least one bound", None),
        ("change(arr, last(3d), last(3d)) > 1", "takes a function over related rows", None),
        ("change(sum(usage.value, last(3d)), last(3d), last(3d)) > 1", "The windows stand in change", None),
        ("change(max(usage.day), last(3d), last(3d)) > 1", "takes numbers", None),
    ],
)  # fmt: skip
def test_what_means_nothing(source: str, message: str, suggestion: str | None) -> None:
    with pytest.raises(Invalid) as caught:
        checked(source)
    [fault] = caught.value.faults
    assert message in fault.message
    assert fault.suggestion == suggestion
    assert fault.line == 1


def test_segments_are_of_accounts() -> None:
    with pytest.raises(Invalid, match=r"Segments are of accounts") as caught:
        checked('segment.tier = "high"', CONTACTS)
    assert caught.value.faults[0].suggestion == "account.segment.tier"
    with pytest.raises(Invalid, match=r"Segments are of accounts") as caught:
        checked('segment.teir = "high"', CONTACTS)
    assert caught.value.faults[0].suggestion == "account.segment.tier"
    with pytest.raises(Invalid, match=r"Expected the segmentation behind it"):
        checked('segment = "high"')
    with pytest.raises(Invalid, match=r"account\.segment"):
        checked('in_segment("tier", "high")', CONTACTS)


def test_every_fault_side_by_side_is_told() -> None:
    with pytest.raises(Invalid) as caught:
        checked('nmae = "x" AND (arr > "y" OR\nany(invoice)) AND arr > 1')
    assert [(f.line, f.column) for f in caught.value.faults] == [(1, 1), (1, 23), (2, 5)]


def test_faults_of_json_have_a_pointer() -> None:
    written = {"op": "not", "arg": {"op": "in", "of": "status", "values": ["customer", "x"]}}
    with pytest.raises(Invalid) as caught:
        check(load(written, "/criteria"), ACCOUNTS, SETTING)
    assert caught.value.faults[0].pointer == "/criteria/arg/values/1"
    assert caught.value.faults[0].line is None


def test_people_are_needed_and_may_be_kept_out() -> None:
    with pytest.raises(Invalid, match="need a person"):
        checked("csm = @me", setting=replace(SETTING, person=None))
    with pytest.raises(Invalid, match="cannot depend on who asks"):
        checked("csm IN (@my_team)", setting=replace(SETTING, people=False))


@pytest.mark.parametrize(
    ("source", "relative"),
    [
        ("arr > 1", False),
        ("renewal_date < 2026-01-31", False),
        ("last_active_at < 2026-01-31T10:00:00Z", False),
        ("last_active_at < 2026-01-31", True),
        ("renewal_date < ago(3d)", True),
        ("arr > 1 OR any(usage, last(3d))", True),
        ("NOT csm = @me", True),
        ('csm = "x"', False),
    ],
)
def test_relative(source: str, relative: bool) -> None:
    assert checked(source).relative is relative


def test_windows_are_echoed_once_in_order() -> None:
    found = checked("renewal_date in next(90D) AND any(usage, last(month)) AND contract_end IN next(90d)")
    assert [(e.window, e.lo, e.hi, e.zone) for e in found.windows] == [
        ("next(90d)", TODAY, date(2027, 2, 20), "Europe/Berlin"),
        ("previous(month)", date(2026, 10, 1), date(2026, 11, 1), "Europe/Berlin"),
    ]


@pytest.mark.parametrize(("digits", "minor"), [(0, 5), (3, 5000)])
def test_money_by_the_currency(digits: int, minor: int) -> None:
    setting = replace(SETTING, workspace=replace(WORKSPACE, minor_digits=digits))
    assert checked("arr = 5", setting=setting).meaning == Compare(ARR, "eq", minor)


@pytest.mark.parametrize("given", [1000.5, Decimal("1000.50"), Decimal("1000.5")])
def test_parameters_are_read_as_written(given: float | Decimal) -> None:
    assert checked("arr = $p", setting=replace(SETTING, params={"p": given})).meaning == Compare(ARR, "eq", 100_050)
    with pytest.raises(Invalid, match="finite"):
        checked("arr = $p", setting=replace(SETTING, params={"p": float("inf")}))
    for day in (date(2026, 1, 31), "2026-01-31"):
        meaning = checked("renewal_date = $p", setting=replace(SETTING, params={"p": day})).meaning
        assert meaning == Compare(RENEWAL, "eq", date(2026, 1, 31))


def test_shown() -> None:
    assert shown("arr", ACCOUNTS, WORKSPACE) == ARR
    assert shown("csm_id", ACCOUNTS, WORKSPACE) == CSM
    assert shown("account.segment.tier", CONTACTS, WORKSPACE) == replace(TIER, through=TO_ACCOUNT)
    with pytest.raises(Invalid) as caught:
        shown("nmae", ACCOUNTS, WORKSPACE, parameter="sort")
    assert (caught.value.faults[0].parameter, caught.value.faults[0].suggestion) == ("sort", "name")
