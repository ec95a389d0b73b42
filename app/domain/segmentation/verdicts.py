"""What validation comes to, in words with reasons: holds, weak, not shown; refused where there is too little to tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from app.domain.segmentation.analysis import CRAMER, EPSILON, FALSE, word
from app.domain.segmentation.validation import Outcome, Skill
from app.domain.statistics import beside

Verdict = Literal["holds", "weak", "not shown", "refused"]
VERDICTS: tuple[Verdict, ...] = ("holds", "weak", "not shown", "refused")
LEAST = 30
"""Accounts of a segment below which nothing is said of it."""
STEADY = 0.75
"""The adjusted Rand index from which cuts hold when the accounts are drawn anew."""
INFORMATION = 0.02
"""The information value from which a split tells anything."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verdict stands on. `size` and `q` are of the outcome's own test; `steady` is None where nothing is cut;
    `growth` is the rank correlation of growth potential with money kept, where the segmentation stands on it. `coupled`: it stands on ARR, and so on
    what money kept is divided by."""

    outcome: Outcome
    small: Mapping[str, int]
    segments: int
    size: float | None
    q: float | None
    information: float | None
    skill: Skill | None
    steady: float | None
    growth: tuple[float, float, float] | None = None
    grows: bool = False
    coupled: bool = False


def verdict(of: Evidence) -> tuple[Verdict, tuple[str, ...]]:
    """Holds, weak or not shown, and why; refused where a segment has too few accounts to say anything."""
    if of.small:
        named = ", ".join(f"{name} ({n})" for name, n in of.small.items())
        return "refused", (f"Fewer than {LEAST} accounts in {named}: what came of so few says little.",)
    if of.segments < 2:
        return "refused", (f"Fewer than two segments have {LEAST} accounts: there is nothing to compare.",)
    if of.size is None or of.q is None:
        return "not shown", ("The outcome came for none of the accounts, or for all of them.",)
    against, beside = _against(of), _beside(of)
    if against:
        return "not shown", (*against, *beside)
    return ("weak", beside) if beside else ("holds", _for(of))


def _against(of: Evidence) -> tuple[str, ...]:
    """What a segmentation does not survive."""
    found = []
    if of.q is not None and of.q > FALSE:
        found.append(
            f"The segments differ no more than chance would have it: q {beside(of.q, FALSE, 2)} is above {FALSE}."
        )
    if of.skill is not None and of.skill.skill <= 0:
        did, skill = "worse" if of.skill.skill < 0 else "no better", beside(of.skill.skill, 0.0, 3)
        found.append(f"Rates learnt before the day did {did} after it than one rate for all: skill {skill}.")
    return tuple(found)


def _beside(of: Evidence) -> tuple[str, ...]:
    """What keeps it from holding."""
    found = []
    edges = EPSILON if of.outcome == "nrr" and not of.coupled else CRAMER
    if of.size is not None and word(of.size, edges) == "none":
        found.append(f"The difference is below what is called small, {edges[0]}: {beside(of.size, edges[0], 3)}.")
    if of.outcome != "nrr" and of.information is not None and of.information < INFORMATION:
        told = beside(of.information, INFORMATION, 3)
        found.append(f"Its information value {told} tells next to nothing: it is below {INFORMATION}.")
    if of.skill is None:
        found.append("Skill out of time is not known: where accounts stood before the day cannot be told.")
    elif 0 < of.skill.skill <= of.skill.standard_error:
        found.append(
            f"Skill out of time {of.skill.skill:.3f} is within its standard error {of.skill.standard_error:.3f}."
        )
    if of.skill is not None and of.skill.lift is not None and of.skill.lift <= 1:
        found.append(f"The top tenth has no more than all: lift {of.skill.lift:.2f}.")
    if of.steady is not None and of.steady < STEADY:
        found.append(f"Cuts over accounts drawn anew agree by {beside(of.steady, STEADY, 2)}, below {STEADY}.")
    if of.coupled and of.outcome == "nrr":
        found.append(
            "The segments stand on ARR, which money kept is divided by: part of the difference is in the arithmetic."
        )
    if of.grows and (of.growth is None or of.growth[1] <= 0):
        told = (
            "is not known"
            if of.growth is None
            else f"is {of.growth[0]:.2f} ({beside(of.growth[1], 0.0, 2)} to {of.growth[2]:.2f})"
        )
        found.append(f"Growth potential has not proved itself: its rank correlation with the money kept {told}.")
    return tuple(found)


def _for(of: Evidence) -> tuple[str, ...]:
    assert of.skill is not None, "else there is something beside"
    return (
        f"The segments differ by {of.size:.3f}, q {of.q:.2g}.",
        f"Skill out of time {of.skill.skill:.3f}, standard error {of.skill.standard_error:.3f}.",
    )
