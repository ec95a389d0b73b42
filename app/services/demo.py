"""The demo workspace: made once, in one transaction, from a seed, its last year month by month."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from itertools import chain, islice
from uuid import UUID

from app.domain.demo import past, stages, world
from app.domain.demo.cast import ADMIN
from app.domain.demo.life import HISTORY, Rows
from app.domain.demo.past import Opportunities, Said
from app.domain.demo.world import Story
from app.domain.errors import Conflict, Unauthenticated
from app.domain.facts import INPUTS
from app.domain.roles import Principal
from app.domain.workspaces import Person
from app.persistence import days as days_of
from app.persistence import demo, scenario_versions, usage, workspaces
from app.persistence.database import Database, Reader, Transaction
from app.services import keys, lists, people, scores, segmentations, settle
from app.services.calls import Call, new_id
from app.services.workspaces import create_in

SLUG = "demo"
SEED = 2017
CHUNK = 200
TIMEOUT = 600.0
TOLD_AT, PAST_AT = 0.7, 0.9
NIGHT = time(0, 1)
SCORED = 3
"""Months of which scores are kept: in those before, nobody knows who signed in."""

Progress = Callable[[str, float], None]
"""Told what is being done, and the share done, 0 to 1."""


async def load(db: Database, now: datetime, progress: Progress, seed: int = SEED) -> UUID:
    """Makes the demo workspace and answers its id. Deterministic for one seed and day; nothing is left by a failure.

    Its last twelve months are gone through month by month, as the house goes through days: what segments, health and scores were
    is what the records said then. Raises Conflict where it is there already.
    """
    if await workspaces.find(db, SLUG) is not None:
        raise Conflict("The demo workspace is there already.")
    today = now.astimezone(UTC).date()
    days = past.days(today)
    async with db.transaction(statement_timeout=TIMEOUT) as tx:
        progress("teams, products, features, scenarios", 0.0)
        began = _early(days[0])
        workspace_id = await create_in(tx, "Demo", began, slug=SLUG)
        base = world.foundation(seed, today)
        for table, rows in base.rows.items():
            await demo.copy_rows(tx, workspace_id, table, rows)
        await scenario_versions.keep(tx, workspace_id, None, began)
        await usage.ensure_months(tx, today - HISTORY, today)
        book = Book(tx, workspace_id)
        late = await _accounts(book, world.accounts(seed, today, base), days[0], progress)
        for place, day in enumerate(days):
            progress(f"{day:%B %Y}", TOLD_AT + (PAST_AT - TOLD_AT) * place / len(days))
            await _month(book, late, day, place, scored=place >= len(days) - SCORED)
        progress("facts, usage windows and segments", PAST_AT)
        await _present(book, late, now)
        admin = await _admin(tx, workspace_id)
        workspace = await workspaces.load(tx, workspace_id)
        await lists.install_templates(tx, Call(Principal(new_id(), workspace, "admin", admin), now))
    progress("done", 1.0)
    return workspace_id


async def ensure(db: Database, known_key: str | None, now: datetime, progress: Progress) -> str | None:
    """A key of the demo workspace that works: the known one, else a new one; makes the demo where there is no workspace.

    Answers None where there are workspaces, but no demo.
    """
    if known_key is not None:
        try:
            await keys.authenticate(db, known_key, now)
        except Unauthenticated:
            pass
        else:
            return known_key
    workspace_id = await workspaces.find(db, SLUG)
    if workspace_id is None:
        if await workspaces.are_there(db):
            return None
        workspace_id = await load(db, now, progress)
    admin = await _admin(db, workspace_id)
    return (await keys.create_key(db, workspace_id, "demo", "admin", admin.id, (), now))[1]


async def _admin(reader: Reader, workspace_id: UUID) -> Person:
    return await people.person(reader, workspace_id, world.email(ADMIN[0]))


@dataclass(slots=True)
class Book:
    """What has been loaded: the stories, without their records, and the opportunities and what is said as of the day that it
    has come to."""

    tx: Transaction
    workspace_id: UUID
    stories: list[Story] = field(default_factory=list)
    opportunities: Opportunities = field(default_factory=Opportunities)
    said: dict[UUID, Said] = field(default_factory=dict)

    async def add(self, stories: Sequence[Story]) -> None:
        """Accounts come, with all that is related to them, but for opportunities."""
        together: Rows = {}
        for story in stories:
            for table, some in story.rows.items():
                together.setdefault(table, []).extend(some)
            story.rows.clear()
            self.opportunities.waiting.extend(story.opportunities)
        for table in sorted(together, key=demo.LIVES.index):
            await demo.copy_rows(self.tx, self.workspace_id, table, together[table])
        await demo.copy_usage(self.tx, self.workspace_id, chain.from_iterable(story.usage for story in stories))
        self.stories.extend(stories)

    async def reach(self, day: date, said: Callable[[Story], Said]) -> None:
        """What nobody computes is as it was on a day."""
        made, closed = self.opportunities.until(day)
        if made:
            await demo.copy_rows(self.tx, self.workspace_id, "opportunities", made)
        await demo.close(self.tx, self.workspace_id, [(row["id"], row["stage"], row["closed_at"]) for row in closed])
        wanted = {story.id: said(story) for story in self.stories}
        told = [(one, of.health, of.growth) for one, of in wanted.items() if self.said.get(one) != of]
        await demo.say(self.tx, self.workspace_id, told)
        self.said |= wanted


async def _accounts(book: Book, stories: Iterator[Story], first: date, progress: Progress) -> list[Story]:
    """Loads those that were there before a day; the others, who came later."""
    done, late = 0, []
    while chunk := list(islice(stories, CHUNK)):
        await book.add([story for story in chunk if story.born < first])
        late += [story for story in chunk if story.born >= first]
        if not done:
            await demo.analyse(book.tx)
        done += len(chunk)
        progress(f"{done:,} of {world.ACCOUNTS:,} accounts with their daily usage", TOLD_AT * done / world.ACCOUNTS)
    return late


async def _month(book: Book, late: Sequence[Story], day: date, place: int, *, scored: bool) -> None:
    """The first of a month, early in the morning: what the night does, the segments of the first one included."""
    tx, workspace_id, at = book.tx, book.workspace_id, _early(day)
    known = {story.id for story in book.stories}
    await book.add([story for story in late if story.born < day and story.id not in known])
    await book.reach(day, lambda story: story.said[place] if scored else replace(story.said[place], health=None))
    await days_of.claim(tx, workspace_id, at)
    # Windows of usage take longer than all else, and only scores are made of them, and of health nothing.
    await settle.settle(
        tx, await workspaces.load(tx, workspace_id), None, at, changed=None if scored else INPUTS, reason="day"
    )
    if not place:
        await segmentations.install_presets(tx, await workspaces.load(tx, workspace_id), at)
    if scored:
        await scores.close(tx, await workspaces.load(tx, workspace_id))


async def _present(book: Book, late: Sequence[Story], now: datetime) -> None:
    tx, workspace_id = book.tx, book.workspace_id
    known = {story.id for story in book.stories}
    await book.add([story for story in late if story.id not in known])
    await book.reach(now.astimezone(UTC).date(), lambda story: story.today)
    await days_of.claim(tx, workspace_id, now)
    await demo.analyse(tx)
    told = ("entry", "expected_days", "leaves_after_days")
    await demo.rule(tx, workspace_id, [(slug, *map(one.get, told)) for slug, one in stages.RULES.items()])
    await settle.settle(tx, await workspaces.load(tx, workspace_id), None, now)


def _early(day: date) -> datetime:
    return datetime.combine(day, NIGHT, UTC)
