"""Exports: every record of a question as one stream, read from one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from app.domain.criteria.check import Echo
from app.domain.criteria.suggest import nearest
from app.domain.exports import FORMS, Form, file_name
from app.domain.questions import Question
from app.domain.roles import Principal, permit
from app.domain.selections import Place
from app.persistence import exports
from app.persistence.compile.exports import Export, export
from app.persistence.database import Database, Sink
from app.services import lists, named, plans, reads
from app.services.asks import Ask


@dataclass(frozen=True, slots=True)
class Stream:
    """An export that has not begun. `write` sends all of it where it is told, and raises Crowded, Busy, Unavailable, and
    what the sink raises; being cancelled it ends the statement."""

    form: Form
    file_name: str
    as_of: datetime
    windows: tuple[Echo, ...]
    write: Callable[[Sink], Coroutine[Any, Any, None]]


async def question(
    db: Database, principal: Principal, ask: Ask, form: str | None, now: datetime, *, bom: bool = False, name: str = ""
) -> Stream:
    """Every record that an ask means, in its order; NDJSON where no form is told. What the ask says of a page is not read.

    `bom` begins CSV with a byte order mark. `name` is what the file is called; the entity where it is empty.
    Raises Unreadable for criteria that are none, Invalid for what means nothing here.
    """
    permit(principal, "records.read")
    told = _form(form, ask)
    if bom and told != "csv":
        raise Place("bom", ask.body).fault("Only CSV begins with a byte order mark.")
    workspace = principal.workspace
    person = principal.person if ask.for_user is None else await reads.on_behalf(db, principal, ask)
    plan = plans.planned(ask, workspace)
    as_of = plans.moment(ask, plan, workspace, now)
    setting = plans.setting(ask, plan, workspace, person, as_of)
    asked = plans.kept(plan, workspace, None)
    if asked is None:
        asked = await named.reading(db, setting, principal.user_id, now, partial(plans.asked, ask, plan, None))
    compiled = partial(_compiled, asked.question, principal, told)
    if told != "ndjson" and not compiled(True).values:
        raise Place("fields", ask.body).fault("Expected at least one field that is a column.")
    write = partial(exports.write, db, workspace, told, compiled, bom=bom)
    return Stream(told, file_name(name or ask.entity, setting.clock.today, told), as_of, asked.windows, write)


async def of_list(
    db: Database, principal: Principal, list_id: UUID, ask: Ask, form: str | None, now: datetime, *, bom: bool = False
) -> Stream:
    """What is asked of a list, under its name. Raises NotFound, Invalid."""
    found = await lists.get(db, principal, list_id, now)
    return await question(db, principal, ask, form, now, bom=bom, name=found.list.name)


def _form(told: str | None, ask: Ask) -> Form:
    if told is None:
        return "ndjson"
    for form in FORMS:
        if form == told:
            return form
    raise Place("format", ask.body).fault(f"Expected one of {', '.join(FORMS)}.", nearest(told, FORMS))


def _compiled(asked: Question, principal: Principal, form: Form, kept: bool) -> Export:
    return export(asked, principal.workspace, form, kept=kept)
