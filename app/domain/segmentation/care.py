"""The engagement model of a segment: which touch its accounts get and how often, the steps that begin on entering it, hours.

A touch of a kind is an interaction of that kind that went out or was attended, not one that somebody did not attend;
what a machine sent counts where the touch is low. `any` is a touch of whatever kind: the check-in that keeps an account
from being left until renewal. Phases hold one after the other from the day on which the account became a customer;
after the last one, and for accounts of which that day is not known, the cadence and hours beside them hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from app.domain.segmentation.reading import Faults, is_number
from app.domain.values import PROSE, UNSTORABLE

Touch = Literal["high", "hybrid", "low"]
TOUCHES: tuple[Touch, ...] = ("high", "hybrid", "low")
ANY = "any"
KINDS = ("email", "call", "meeting", "event", "other", ANY)
"""Kinds of interaction that a cadence may ask for; a note is none."""
OWNERS = ("csm", "manager", "sales", "services", "support", "product", "executive", "customer")
"""Who may have a step to do."""
PLANS = ("playbook", "success_plan")
MEMBERS = ("touch", "aim", "cadence", "hours", "phases", *PLANS, "notes")
OF_PHASE = ("name", "until", "cadence", "hours")
OF_STEP = ("name", "owner", "day", "kind")
EVERY = re.compile(r"([1-9]\d{0,3})([dw])", re.ASCII)
MOST_PHASES, MOST_STEPS, LONGEST, MOST_HOURS = 6, 30, 3650, 744
MONTHS, MONTH = 12, Decimal("365.25") / 12
"""Months of a year, and days of a month."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`every`: days between touches, by kind. `hours`: a month and account."""

    every: Mapping[str, int]
    hours: Decimal

    @property
    def touches(self) -> Decimal:
        """A month and account; check-ins only where the other touches leave room for them."""
        told = {kind: MONTH / days for kind, days in self.every.items()}
        check_ins = told.pop(ANY, Decimal(0))
        return max(sum(told.values(), Decimal(0)), check_ins)


@dataclass(frozen=True, slots=True)
class Phase:
    """A pace that holds until so many days after the account became a customer."""

    name: str
    until: int
    pace: Pace


@dataclass(frozen=True, slots=True)
class Step:
    """Due `day` days after the account entered the segment; a touch of `kind` since then fulfils it."""

    plan: str
    name: str
    owner: str
    day: int
    kind: str | None


@dataclass(frozen=True, slots=True)
class Care:
    """What is done for an account of a segment."""

    touch: Touch | None = None
    pace: Pace = Pace({}, Decimal(0))
    phases: tuple[Phase, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def spans(self) -> tuple[tuple[int | None, int | None, str | None, Pace], ...]:
        """From which day to before which day which pace holds, the last one without end; its name where it is a phase."""
        ends = [phase.until for phase in self.phases]
        told = zip([None, *ends], self.phases, strict=False)
        phased = [(start, phase.until, phase.name, phase.pace) for start, phase in told]
        return (*phased, (ends[-1] if ends else None, None, None, self.pace))

    @property
    def opened(self) -> tuple[tuple[Step, int], ...]:
        """Each step, and from which day on a touch fulfils it: one touch does not do for two steps of its kind."""
        found = []
        for step in self.steps:
            before = [
                one.day for one in self.steps if one.plan == step.plan and one.kind == step.kind and one.day < step.day
            ]
            found.append((step, max(before, default=0)))
        return tuple(found)

    def at(self, days: int | None) -> int:
        """Which of the spans holds for one who became a customer so many days ago; None where that is not known."""
        if days is None:
            return len(self.phases)
        return sum(days >= phase.until for phase in self.phases)


def check(faults: Faults, told: object, pointer: str) -> Mapping[str, Any]:
    """The model as it was told; what is wrong with it is kept by its pointer."""
    members = faults.members(told, pointer, MEMBERS, ())
    faults.one_of(members.get("touch"), f"{pointer}/touch", TOUCHES)
    faults.line(members.get("aim"), f"{pointer}/aim")
    _pace(faults, members, pointer)
    last = 0
    for n, phase in enumerate(_listed(faults, members.get("phases"), f"{pointer}/phases", MOST_PHASES, "phases")):
        last = _phase(faults, phase, f"{pointer}/phases/{n}", last)
    for plan in PLANS:
        _plan(faults, members.get(plan), f"{pointer}/{plan}")
    notes = members.get("notes")
    if notes is not None and not (isinstance(notes, str) and len(notes) <= PROSE and not UNSTORABLE.search(notes)):
        faults.add(f"{pointer}/notes", f"Expected a text of at most {PROSE:,} characters.")
    return members


def _listed(faults: Faults, told: object, pointer: str, most: int, what: str) -> Any:
    return () if told is None else faults.array(told, pointer, most, what)


def _pace(faults: Faults, members: Mapping[str, Any], pointer: str) -> None:
    cadence, hours = members.get("cadence"), members.get("hours")
    if cadence is not None:
        for kind, every in faults.members(cadence, f"{pointer}/cadence", KINDS, ()).items():
            if kind in KINDS and days(every) is None:
                faults.add(
                    f"{pointer}/cadence/{kind}", f"Expected days or weeks, as in 30d or 2w, up to {LONGEST} days."
                )
    if hours is None:
        return
    read = faults.members(hours, f"{pointer}/hours", ("month", "year"), ())
    if len(read) != 1:
        faults.add(f"{pointer}/hours", "Expected either month or year.")
    for span, most in (("month", MOST_HOURS), ("year", MOST_HOURS * MONTHS)):
        if span in read and not (is_number(read[span]) and 0 <= read[span] <= most):
            faults.add(f"{pointer}/hours/{span}", f"Expected a number of hours from 0 to {most}.")


def _phase(faults: Faults, told: object, pointer: str, last: int) -> int:
    """The day on which it ends."""
    members = faults.members(told, pointer, OF_PHASE, ("name", "until", "cadence"))
    faults.line(members.get("name"), f"{pointer}/name")
    _pace(faults, members, pointer)
    until = days(members.get("until"))
    if members.get("until") is not None and (until is None or until <= last):
        faults.add(f"{pointer}/until", "Expected days or weeks, as in 90d, later than the phase before.")
    return max(last, until or 0)


def _plan(faults: Faults, told: object, pointer: str) -> None:
    if told is None:
        return
    members = faults.members(told, pointer, ("name", "steps"), ("name", "steps"))
    faults.line(members.get("name"), f"{pointer}/name")
    seen: set[str] = set()
    for n, step in enumerate(_listed(faults, members.get("steps"), f"{pointer}/steps", MOST_STEPS, "steps")):
        at = f"{pointer}/steps/{n}"
        of = faults.members(step, at, OF_STEP, ("name", "owner", "day"))
        name = faults.line(of.get("name"), f"{at}/name")
        if name in seen:
            faults.add(f"{at}/name", "Expected a name that no other step of the plan has.")
        seen.add(name)
        faults.one_of(of.get("owner"), f"{at}/owner", OWNERS)
        faults.one_of(of.get("kind"), f"{at}/kind", KINDS)
        if of.get("day") is not None:
            faults.whole(of["day"], f"{at}/day", 0, LONGEST)


def days(told: object) -> int | None:
    """The days of a duration such as 30d or 2w; None where it is none, or too long."""
    found = EVERY.fullmatch(told) if isinstance(told, str) else None
    if found is None:
        return None
    length = int(found[1]) * (7 if found[2] == "w" else 1)
    return length if length <= LONGEST else None


# -- what was checked, as values ---------------------------------------------------------------------------------------


def care(told: Mapping[str, Any] | None) -> Care:
    """What a checked model says; that of a segment without one asks for nothing."""
    if told is None:
        return Care()
    phases = told.get("phases") or ()
    pace = _paced(told)
    return Care(
        told.get("touch"),
        pace,
        tuple(Phase(one["name"], days(one["until"]) or 0, _paced(one, pace.hours)) for one in phases),
        tuple(
            Step(plan, one["name"], one["owner"], int(one["day"]), one.get("kind"))
            for plan in PLANS
            for one in (told.get(plan) or {}).get("steps", ())
        ),
    )


def _paced(told: Mapping[str, Any], usual: Decimal = Decimal(0)) -> Pace:
    cadence, hours = told.get("cadence") or {}, told.get("hours")
    every = {kind: days(length) or LONGEST for kind, length in cadence.items()}
    if hours is None:
        return Pace(every, usual)
    month = hours["month"] if "month" in hours else Decimal(str(hours["year"])) / MONTHS
    return Pace(every, Decimal(str(month)))
