"""Summaries of what a question holds: groups with their counts and sums, and the totals, from one snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.domain.catalogue import ENTITIES
from app.domain.criteria.check import Echo, RankEcho, Setting
from app.domain.criteria.gaps import stands
from app.domain.roles import Principal, permit
from app.domain.selections import Told
from app.domain.summaries import Summary, summary
from app.domain.workspaces import clock
from app.persistence import summaries
from app.persistence.compile.summaries import Statement
from app.persistence.compile.summaries import summary as compiled
from app.persistence.database import Reader
from app.persistence.summaries import Groups
from app.services import asks, gaps, named, reads, segment_states
from app.services.asks import Ask
from app.services.segment_states import State


@dataclass(frozen=True, slots=True)
class Answer:
    """Groups as JSON, at most `limit` of them, what they are by and what of each is told, and when."""

    of: Summary
    groups: Groups
    limit: int
    as_of: datetime
    windows: tuple[Echo, ...]
    ranks: tuple[RankEcho, ...] = ()
    segmentations: tuple[State, ...] = ()
    """Of those that are named the ones that are not fresh."""
    notes: tuple[str, ...] = ()
    """Of what the criteria ask nothing is known."""

    @property
    def capped(self) -> bool:
        """Whether there are more groups than are shown."""
        return self.groups.count > self.limit


async def summarise(
    db: Reader, principal: Principal, ask: Ask, group_by: Told, measures: Told, now: datetime
) -> Answer:
    """The records that an ask means, in groups; one statement. Of the ask its `sort` orders groups and its `limit` bounds
    them; what it says of a page is not read.

    Raises Unreadable for criteria that are none, Invalid for what means nothing here.
    """
    permit(principal, "records.read")
    workspace, entity = principal.workspace, ENTITIES[ask.entity]
    person = principal.person if ask.for_user is None else await reads.on_behalf(db, principal, ask)
    frame = asks.frame(ask, workspace)
    as_of = frame.as_of or now
    setting = Setting(workspace, clock(workspace, as_of, frame.zone), person, ask.params or {})
    said = asks.said(ask)
    checked = await named.reading(db, setting, principal.user_id, now, lambda within: asks.checked(ask, said, within))
    of = summary(group_by, measures, ask.sort, entity, workspace, body=ask.body)
    criteria = asks.within(ask, checked.meaning)

    def statement(*, kept: bool) -> Statement:
        return compiled(of, entity, criteria, frame.archived, frame.zone, frame.limit, workspace, kept=kept)

    found = await summaries.groups(db, statement(kept=True))
    if not found.fresh:
        found = await summaries.groups(db, statement(kept=False))
    doubted = await segment_states.doubtful(db, workspace, segment_states.named_in((of, criteria)), now)
    notes = await gaps.notes(db, workspace.id, tuple(stands(checked.meaning, entity)), entity, now)
    return Answer(of, found, frame.limit, as_of, checked.windows, checked.ranks, doubted, notes)
