"""What validation came to as a document: every figure with its interval, money in major units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.segmentation.analysis import CRAMER, FALSE, word
from app.domain.segmentation.model import Segmentation
from app.domain.segmentation.validation import BOOTSTRAPS, LogRank, Outcomes, Rival, Skill
from app.domain.segmentation.verdicts import LEAST
from app.domain.statistics import Effect, wilson
from app.domain.workspaces import Workspace
from app.services.segmentation_documents import plain


@dataclass(frozen=True, slots=True)
class Judged:
    """Everything that was computed, in the order in which it is told."""

    effects: Mapping[str, tuple[Effect | LogRank | None, float | None]]
    information: float | None
    skill: Skill | None
    steady: float | None
    rivals: tuple[tuple[Rival, Effect | None, float | None, tuple[float, float, float] | None], ...]
    tried: int
    said: tuple[str, tuple[str, ...]]


def shown(
    judged: Judged,
    of: Segmentation,
    segments: Mapping[str, Outcomes],
    known: Mapping[str, str],
    because: str | None,
    workspace: Workspace,
) -> dict[str, Any]:
    """The members of the answer; `known` are the names of segments, `because` says why there is no skill to tell."""
    listed = dict.fromkeys((*known, *sorted(segments)))
    learnt = judged.skill
    return {
        "verdict": judged.said[0], "reasons": list(judged.said[1]), "accounts": sum(one.n for one in segments.values()),
        "least": LEAST,
        "segments": [
            {"slug": name, "name": known.get(name, plain(name)), **_segment(segments.get(name, Outcomes(0, 0)), workspace)}
            for name in listed
        ],
        "tests": [_test(name, one, q) for name, (one, q) in judged.effects.items()],
        "information_value": _rounded(judged.information),
        "skill": {
            "value": None if learnt is None else _rounded(learnt.skill),
            "standard_error": None if learnt is None else _rounded(learnt.standard_error),
            "lift": None if learnt is None else _rounded(learnt.lift), "because": because,
        },
        "stability": {
            "adjusted_rand": _rounded(judged.steady), "bootstraps": BOOTSTRAPS if judged.steady is not None else 0,
            "because": None if judged.steady is not None else _unsteady(of),
        },
        "fields": [_field(one, effect, q, rho) for one, effect, q, rho in judged.rivals], "tried": judged.tried,
    }  # fmt: skip


def _unsteady(of: Segmentation) -> str:
    """Why it is not told how steady the cuts are."""
    if not any(axis.cuts.shares for axis in of.axes):
        return "Nothing is cut by shares of the accounts."
    return "Its cuts are within books, or of fields of which no past is kept."


def _segment(one: Outcomes, workspace: Workspace) -> dict[str, Any]:
    low, high = wilson(one.hits, one.n)
    return {
        "accounts": one.n, "enough": one.n >= LEAST, "hits": one.hits, "rate": _rounded(one.hits / one.n) if one.n else None,
        "low": _rounded(low) if one.n else None, "high": _rounded(high) if one.n else None, "arr": workspace.major(one.had),
        "arr_after": workspace.major(one.has), "nrr": _rounded(one.has / one.had) if one.had else None,
    }  # fmt: skip


def _test(name: str, one: Effect | LogRank | None, q: float | None) -> dict[str, Any]:
    sized = one if isinstance(one, Effect) else None
    return {
        "name": name, "measure": {"outcome": "cramers_v", "money": "epsilon_squared", "times": "log_rank"}[name],
        "statistic": None if one is None else _rounded(one.statistic), "value": None if sized is None else _rounded(sized.size),
        "low": None if sized is None else _rounded(sized.low), "high": None if sized is None else _rounded(sized.high),
        "p": None if one is None else _small(one.p), "q": None if q is None else _small(q),
    }  # fmt: skip


def _field(
    one: Rival, effect: Effect | None, q: float | None, rho: tuple[float, float, float] | None
) -> dict[str, Any]:
    value, low, high = rho or (None, None, None)
    return {
        "field": one.field, "levels": len(one.levels), "value": None if effect is None else _rounded(effect.size),
        "p": None if effect is None else _small(effect.p), "q": None if q is None else _small(q),
        "word": word(effect.size, CRAMER) if effect is not None and q is not None and q <= FALSE else "none",
        "rho": _rounded(value), "rho_low": _rounded(low), "rho_high": _rounded(high),
    }  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4) + 0.0


def _small(p: float) -> float:
    return float(f"{p:.3g}")
