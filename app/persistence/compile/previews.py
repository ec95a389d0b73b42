"""A preview as one statement: the first records, how many there are, and how many of them only by emptiness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.catalogue import ENTITIES
from app.domain.criteria.meant import Meaning
from app.domain.questions import Question
from app.domain.workspaces import Workspace
from app.persistence.compile.conditions import condition_on
from app.persistence.compile.pages import in_scope, page
from app.persistence.compile.rows import start, stored
from app.persistence.compile.scope import Scope

ROW = "a"


@dataclass(frozen=True, slots=True)
class Preview:
    """Gives one row: a JSON array of records, whether kept windows are right, how many match, then one count for each
    of the further conditions."""

    text: str
    args: tuple[object, ...]


def preview(question: Question, further: Sequence[Meaning], workspace: Workspace, *, kept: bool = True) -> Preview:
    """The statement of a question that counts nothing, and of conditions on the records that it matches."""
    shown = page(question, workspace, kept=kept)
    scope = Scope(workspace, kept=kept)
    scope.args = list(shown.args)
    entity = ENTITIES[question.entity]
    rows = start(entity, ROW)
    asked = condition_on(question.criteria, rows, scope)
    conditions = [*in_scope(entity, question.archived, rows, scope), *([asked] if asked != "true" else [])]
    counts = ["count(*)"]
    for meaning in further:
        told = condition_on(meaning, rows, scope)
        counts.append("0::int8" if told == "false" else f"count(*) FILTER (WHERE {told})")
    named = [f"{count} AS c{n}" for n, count in enumerate(counts)]
    fresh = f"s.{FRESH}" if shown.leans else "true"
    outputs = [f"s.{DATA}", fresh, *(f"n.c{n}" for n in range(len(counts)))]
    columns = [DATA, "found", *(f"k{n}" for n in range(1, shown.keys + 1)), *([FRESH] if shown.leans else [])]
    text = (
        f"SELECT {', '.join(outputs)} FROM ({shown.text}) s({', '.join(columns)}) "
        f"CROSS JOIN (SELECT {', '.join(named)} {stored(rows, scope, conditions)}) n"
    )
    return Preview(text, tuple(scope.args))


DATA, FRESH = "data", "fresh"
