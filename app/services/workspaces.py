"""Workspaces: made with their lifecycle stages, read whole, and their settings changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from app.domain import records, values
from app.domain.codes import CURRENCIES
from app.domain.criteria.suggest import nearest
from app.domain.errors import Conflict, Fault, Invalid, NotFound
from app.domain.roles import Principal, permit
from app.domain.segmentation.care import MOST_HOURS
from app.domain.segmentation.reading import is_number
from app.domain.values import MisfitError
from app.domain.workspaces import Workspace
from app.persistence import days, workspaces
from app.persistence.database import Database, Reader, Transaction
from app.services import effects, keys, people, segmentations, settle
from app.services.calls import COMMAND, ENCODER, Call, Effect, Written, keep_command, new_id, once, versioned

NOUN = "workspace"
KEEP_AMOUNTS = "keep_amounts"
"""The word without which no currency changes once amounts are stored: nothing is converted."""
STAGES = ("trial", "onboarding", "adoption", "established", "advocate")
ARR_PER_CSM = 2_000_000
"""What one CSM looks after unless told otherwise, in major units a year."""
# ISO 4217 currencies whose minor unit is not a hundredth.
WHOLE = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF")
)
THOUSANDTHS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))


async def create_workspace(db: Database, name: str, now: datetime, **settings: object) -> UUID:
    """A new workspace with the default stages and preset segmentations; its id. `settings`: SETTINGS, and `slug`.

    Raises Invalid, Conflict where the slug is taken.
    """
    async with db.transaction() as tx:
        workspace_id = await create_in(tx, name, now, **settings)
        made = await workspaces.load(tx, workspace_id)
        await segmentations.install_presets(tx, made, now)
        await keep_command(tx, workspace_id, now, "workspace.write", (Effect(NOUN, workspace_id, None, _said(made)),))
    return workspace_id


async def create_in(tx: Transaction, name: str, now: datetime, **settings: object) -> UUID:
    """A new workspace without segmentations, within a transaction that does more."""
    given = _read(
        {"slug": _slug_of(name), "currency": "USD", "zone": "UTC", **settings, "name": name}, {"slug": values.slug}
    )
    given["minor_digits"] = minor_digits(given["currency"])
    given["arr_per_csm"] = _minor(given.get("arr_per_csm", Decimal(ARR_PER_CSM)), given["minor_digits"])
    given["facts_day"] = now.astimezone(ZoneInfo(given["zone"])).date()
    _bands(given.get("health_yellow", 40.0), given.get("health_green", 70.0))
    workspace_id = new_id()
    if not await workspaces.insert(tx, workspace_id, given, now):
        raise Conflict(faults=(Fault("Expected a slug that no other workspace has.", pointer="/slug"),))
    stages = [(new_id(), slug.capitalize(), slug) for slug in STAGES]
    await workspaces.insert_stages(tx, workspace_id, stages, now)
    return workspace_id


async def load(reader: Reader, workspace_id: UUID) -> Workspace:
    """The workspace with its segmentations and attributes, in one statement. Raises NotFound."""
    try:
        return await workspaces.load(reader, workspace_id)
    except LookupError:
        raise NotFound from None


async def find(reader: Reader, slug: str) -> UUID:
    """The id of the workspace with this slug. Raises NotFound."""
    found = await workspaces.find(reader, slug)
    if found is None:
        raise NotFound(f"There is no workspace {slug!r}: `strata workspace create` makes one.")
    return found


async def commanded(reader: Reader, slug: str, name: str | None = None) -> Principal:
    """Who works at the command line, in the workspace of this slug: nobody that it knows, who may do everything, or the user of this id,
    external id or e-mail, who may do what they may elsewhere. Raises NotFound."""
    workspace = await workspaces.load(reader, await find(reader, slug))
    if name is None:
        return Principal(COMMAND, workspace, "admin")
    try:
        person = await people.person(reader, workspace.id, name)
        return Principal(COMMAND, workspace, (await people.member(reader, workspace.id, name))[1], person)
    except NotFound:
        raise NotFound(f"There is no active user {name!r} in {slug}: `strata user create` makes one.") from None


def get(principal: Principal) -> bytes:
    """The settings of the principal's workspace, as JSON."""
    permit(principal, "workspace.read")
    return _body(principal.workspace)


async def change(db: Database, call: Call, body: Mapping[str, object], expected_version: int | None) -> Written:
    """Changes the settings that are given; what follows from them is right for every account before it answers.

    `keep_amounts: true` lets the currency change where amounts are stored, which then keep their numbers. Raises Invalid,
    Forbidden, VersionRequired, VersionStale, Conflict for a currency without that word.
    """
    permit(call.principal, "workspace.write")
    told = _read(body, {KEEP_AMOUNTS: values.boolean})

    async def act(tx: Transaction) -> Written:
        workspace_id = call.principal.workspace.id
        await workspaces.hold(tx, workspace_id)
        before = standing = await workspaces.load(tx, workspace_id)
        versioned(standing.version, expected_version)
        given = {name: value for name, value in told.items() if name != KEEP_AMOUNTS}
        await _recount(tx, given, standing, keep=told.get(KEEP_AMOUNTS, False))
        _sound(given, standing)
        changed = {name: value for name, value in given.items() if value != _setting(standing, name)}
        if changed:
            await workspaces.update(tx, workspace_id, changed)
            if "zone" in changed:
                await days.claim(tx, workspace_id, call.now)
            standing = await workspaces.load(tx, workspace_id)
            if not FOLLOWED.isdisjoint(changed):
                await settle.settle(tx, standing, None, call.now)
        done = effects.differing(NOUN, workspace_id, _said(before), _said(standing))
        return Written(workspace_id, standing.version, _body(standing), created=False, effects=done)

    written = await once(db, call, "workspace.write", act)
    keys.forget(db)
    return written


def minor_digits(currency: str) -> int:
    """Decimal digits of the currency's minor unit."""
    return 0 if currency in WHOLE else 3 if currency in THOUSANDTHS else 2


def _currency(told: object) -> str:
    if not isinstance(told, str) or told not in CURRENCIES:
        near = nearest(told, sorted(CURRENCIES)) if isinstance(told, str) else None
        raise MisfitError("a currency: three capital letters as of ISO 4217", near)
    return told


def _zone(told: object) -> str:
    known = available_timezones()
    if not isinstance(told, str) or told not in known:
        raise MisfitError(
            "a time zone of the IANA database", nearest(told, sorted(known)) if isinstance(told, str) else None
        )
    return told


def _whole(low: int, high: int) -> Callable[[object], int]:
    def read(told: object) -> int:
        if isinstance(told, bool) or not isinstance(told, int) or not low <= told <= high:
            raise MisfitError(f"a whole number from {low} to {high}")
        return told

    return read


def _band(told: object) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float | Decimal) or not 0 <= told <= 100:
        raise MisfitError("a number from 0 to 100")
    return float(told)


def _amount(told: object) -> Decimal:
    if values.money(told, 3) <= 0:
        raise MisfitError("an amount above 0")
    return values.decimal(told)


def _hours(told: object) -> float:
    if not is_number(told) or not 0 < told <= MOST_HOURS:
        raise MisfitError(f"a number of hours above 0, up to {MOST_HOURS}")
    return float(told)


def _name(told: object) -> str:
    if not (name := values.text(told)):
        raise MisfitError("a name")
    return name


SETTINGS: Mapping[str, Callable[[object], Any]] = MappingProxyType(
    {
        "name": _name,
        "currency": _currency,
        "zone": _zone,
        "week_start": _whole(1, 7),
        "fiscal_month": _whole(1, 12),
        "health_yellow": _band,
        "health_green": _band,
        "arr_per_csm": _amount,
        "hours_per_csm": _hours,
    }
)
"""What can be set of a workspace, and how it is read."""
FOLLOWED = frozenset(("zone", "week_start", "fiscal_month", "health_yellow", "health_green"))
"""Settings that facts or segments depend on."""


def _read(body: Mapping[str, object], more: Mapping[str, Callable[[object], Any]]) -> dict[str, Any]:
    readers = {**more, **SETTINGS}
    given: dict[str, Any] = {}
    faults: list[Fault] = []
    for member, told in records.only(body, readers).items():
        try:
            given[member] = readers[member](told)
        except MisfitError as misfit:
            faults.append(misfit.fault(f"/{member}"))
    if faults:
        raise Invalid(faults=tuple(faults))
    return given


def _sound(given: dict[str, Any], standing: Workspace) -> None:
    """Settings hold together, with those that stand; makes ARR per CSM minor units."""
    if "arr_per_csm" in given:
        given["arr_per_csm"] = _minor(given["arr_per_csm"], given.get("minor_digits", standing.minor_digits))
    _bands(given.get("health_yellow", standing.health_yellow), given.get("health_green", standing.health_green))


async def _recount(tx: Transaction, given: dict[str, Any], standing: Workspace, *, keep: bool) -> None:
    """Adds what another currency brings along. Raises Invalid, Conflict where amounts that are stored stand against it."""
    currency = given.get("currency", standing.currency)
    if currency == standing.currency:
        return
    digits = minor_digits(currency)
    if await workspaces.has_amounts(tx, standing):
        if digits != standing.minor_digits:
            message = (
                f"Expected a currency of {standing.minor_digits} decimal digits, as the amounts that are stored have."
            )
            raise Invalid(faults=(Fault(message, pointer="/currency"),))
        if not keep:
            message = f"Expected {KEEP_AMOUNTS}: true. Amounts are stored; they would keep their numbers and not be converted."
            raise Conflict(faults=(Fault(message, pointer="/currency"),))
    elif digits != standing.minor_digits:
        given["minor_digits"] = digits
        given.setdefault("arr_per_csm", round(standing.major(standing.arr_per_csm), digits))


def _minor(amount: Decimal, digits: int) -> int:
    try:
        return values.money(amount, digits)
    except MisfitError as misfit:
        raise Invalid(faults=(misfit.fault("/arr_per_csm"),)) from None


def _bands(yellow: float, green: float) -> None:
    if not yellow < green:
        raise Invalid(faults=(Fault("Expected health_yellow below health_green.", pointer="/health_yellow"),))


def _setting(workspace: Workspace, name: str) -> object:
    return workspace.zone.key if name == "zone" else getattr(workspace, name)


def _slug_of(name: str) -> str:
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")[:63] or "workspace"


def _body(workspace: Workspace) -> bytes:
    return ENCODER.encode({"id": workspace.id, **_said(workspace), "version": workspace.version})


def _said(workspace: Workspace) -> dict[str, object]:
    shown: dict[str, object] = {"slug": workspace.slug}
    shown |= {name: _setting(workspace, name) for name in SETTINGS}
    return {**shown, "arr_per_csm": workspace.major(workspace.arr_per_csm), "fiscal_calendar": reach(workspace)}


def reach(workspace: Workspace) -> dict[str, object] | None:
    """From which day to which its own fiscal calendar reaches, both known; None where it has none."""
    known = workspace.calendar
    return None if known is None else {"from": known.first, "to": known.last}
