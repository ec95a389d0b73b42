"""A workspace drawn from the same pools as generated criteria, full of empty values and ties: as rows and as records."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from app.domain.catalogue import ENTITIES, OF_ACCOUNT, OF_CONTACT, Field
from app.domain.workspaces import Workspace
from app.persistence import usage
from app.persistence.database import Transaction
from app.persistence.tables import GENERATED, metadata
from tests.laws.trees import AS_OF, COUNT, POOLS, WORKSPACE, email, external_id, id_of, slug


class Record(dict[str, Any]):
    """Records refer to each other in circles: written out they would have no end."""

    def __repr__(self) -> str:
        return f"<{self.get('id')}>"


SMALL = ("teams", "users", "industries", "stages", "products", "features", "scenarios", "attributes")
Row = dict[str, Any]
RELATED = tuple(name for name in OF_ACCOUNT if name not in ("contacts", "usage"))
MOMENT = datetime(2026, 1, 1, tzinfo=AS_OF.tzinfo)


@dataclass
class Population:
    """Records by entity, in the catalogue's field names; references are the records themselves."""

    workspace: Workspace
    random: random.Random
    records: dict[str, list[Record]] = field(default_factory=lambda: defaultdict(list))

    def maybe(self, one: Field, value: Any) -> Any:
        return None if one.optional and self.random.random() < 0.35 else value

    def drawn(self, one: Field) -> Any:
        """A value of the field, of a kind that stands by itself."""
        pick = self.random.choice
        match one.kind:
            case "text":
                return pick(POOLS.texts)
            case "enum":
                return pick(one.values)
            case "slug":
                return slug(str(one.target), pick(range(COUNT)))
            case "number":
                return pick(POOLS.numbers)
            case "integer":
                return pick(POOLS.integers)
            case "money":
                return pick(POOLS.money)
            case "date":
                return pick(POOLS.days)
            case "instant":
                return pick(POOLS.instants)
            case "bool":
                return pick((True, False))
            case "tags":
                return tuple(slug("products", n) for n in range(COUNT) if pick((True, False, False)))
            case _:
                return None


def populate(workspace: Workspace, seed: int, accounts: int = 40) -> Population:
    """The same workspace for the same seed; ids do not depend on either."""
    made = Population(workspace, random.Random(seed))
    for name in SMALL:
        for n in range(COUNT):
            made.records[name].append(_small(made, name, n))
    for name, count in (
        ("accounts", accounts),
        ("contacts", 2 * accounts),
        *((name, 3 * accounts) for name in RELATED),
    ):
        for n in range(count):
            made.records[name].append(_record(made, name, n))
    for one in made.records["accounts"]:
        one["primary_contact"] = _some([c for c in made.records["contacts"] if c["account"] is one], made.random)
    _move(made)
    _usage(made)
    _relate(made)
    _keep(made)
    return made


def _some(options: list[Record], dice: random.Random) -> Record | None:
    return dice.choice(options) if options and dice.random() < 0.7 else None


def _small(made: Population, name: str, n: int) -> Record:
    told = _record(made, name, n)
    if "slug" in told:
        told["slug"] = slug(name, n)
    if name == "users":
        told["email"] = email(name, n)
    if name == "features":
        told["no"] = n + 1
    if name == "stages":
        told |= {"state": "ok", "detail": None}  # as its workspace, which has no rules, says
    if name == "scenarios":
        told |= {"impacts": {"a": "low"}, "lanes": {"low": 0.5}, "is_active": n == 0}
    if name == "attributes":
        told["retired_at"] = MOMENT  # what is in use stands in the workspace that was given
    return told


def _record(made: Population, name: str, n: int) -> Record:
    entity, pick = ENTITIES[name], made.random.choice
    told = Record((f.name, made.maybe(f, made.drawn(f))) for f in entity.fields.values())
    told |= {"id": id_of(name, n), "external_id": external_id(name, n) if n < COUNT or n % 2 else None}
    for one in entity.fields.values():
        # What is referred to is made before, but for parents, which are earlier accounts, and primary contacts.
        if one.kind == "ref" and (known := made.records[str(one.target)]):
            told[one.name] = made.maybe(one, pick(known[: 3 * COUNT] if one.target == "accounts" else known))
    if "custom" in entity.fields:
        told["custom"] = _custom(made, name)
    if name == "accounts":
        segmentations = made.workspace.segmentations.values()
        told["segment"] = {s.slug: pick(s.segments) for s in segmentations if made.random.random() < 0.6}
    return told


def _custom(made: Population, name: str) -> Row:
    own = [f for (entity, _), f in made.workspace.attributes.items() if entity == name]
    given = {f.name: made.maybe(f, made.drawn(f)) for f in own}
    return {slug: value for slug, value in given.items() if value is not None or made.random.random() < 0.5}


def _move(made: Population) -> None:
    """Some stays in each segmentation, the last of which is where the account stands; and some moves between stages."""
    dice = made.random
    for account in made.records["accounts"]:
        account["memberships"] = []
        for known in made.workspace.segmentations.values():
            times = sorted(dice.sample(POOLS.instants, dice.randint(1, 5)))
            stands = account["segment"].get(known.slug)
            segments = [dice.choice(known.segments) for _ in times[:-1]] + ([stands] if stands else [])
            for n, segment in enumerate(segments):
                until = times[n + 1] if n + 1 < len(segments) else None if stands else times[-1]
                account["memberships"].append((known.slug, segment, times[n], until))
        times = sorted(dice.sample(POOLS.instants, dice.randint(0, 4)))
        account["stage_moves"] = [
            (when, dice.choice((*(slug("stages", n) for n in range(COUNT)), None))) for when in times
        ]


def _usage(made: Population) -> None:
    """Often several rows of one feature and day, of people and of nobody."""
    dice = made.random
    contacts = defaultdict(list)
    for one in made.records["contacts"]:
        contacts[one["account"]["id"]].append(one)
    for account in made.records["accounts"]:
        days = dice.sample(POOLS.days, 8)
        keys: dict[object, Record] = {}
        for _ in range(dice.choice((0, 5, 20, 30))):
            feature, day = (
                dice.choice(made.records["features"]),
                dice.choice(days) + timedelta(days=dice.choice((-1, 0, 0, 1))),
            )
            about = {name: feature[name] for name in ("no", "module", "is_key")} | {
                "feature": feature["slug"],
                "day": day,
            }
            for contact in (_some(contacts[account["id"]], dice), _some(contacts[account["id"]], dice)):
                told = {"account": account, "contact": contact, "value": dice.choice(POOLS.numbers)}
                keys[feature["no"], day, contact and contact["id"]] = Record(about | told)
        made.records["usage"] += keys.values()


def _relate(made: Population) -> None:
    for name in OF_ACCOUNT:
        for one in made.records["accounts"]:
            one[name] = []
        for one in made.records[name]:
            one["account"][name].append(one)
    for name in OF_CONTACT:
        for one in made.records["contacts"]:
            one[name] = []
        for one in made.records[name]:
            if one["contact"]:
                one["contact"][name].append(one)


def _keep(made: Population) -> None:
    for one in made.records["accounts"]:
        one["last_interaction_at"] = max((i["occurred_at"] for i in one["interactions"]), default=None)
        one["archived_at"] = None


def windows(made: Population) -> list[Row]:
    """The kept sums of usage for the workspace's day, computed from the records."""
    day = made.workspace.facts_day
    sums: dict[tuple[UUID, int], list[float]] = defaultdict(lambda: [0.0] * 4)
    for one in made.records["usage"]:
        ago = (day - one["day"]).days
        for n, (first, last) in enumerate(((0, 6), (0, 29), (0, 89), (30, 59))):
            sums[one["account"]["id"], one["no"]][n] += one["value"] if first <= ago <= last else 0.0
    names = ("last_7", "last_30", "last_90", "before_30")
    return [{"account_id": a, "feature": f, **dict(zip(names, s, strict=True))} for (a, f), s in sums.items()]


# -- into the database -------------------------------------------------------------------------------------------------


async def store(tx: Transaction, made: Population) -> None:
    """Writes every row; what the database generates is read back into the records."""
    own = made.workspace
    await tx.execute(
        "INSERT INTO workspaces (id, slug, name, zone, facts_day, created_at) VALUES ($1, $2, $2, $3, $4, $5)",
        own.id, str(own.id), own.zone.key, own.facts_day, MOMENT,
    )  # fmt: skip
    for name in (*SMALL, "accounts", "contacts", *RELATED):
        await _copy(tx, own.id, name, [_row(name, one) for one in made.records[name]])
    await _copy(tx, own.id, "usage_windows", windows(made))
    await _copy_usage(tx, own.id, made.records["usage"])
    await _copy_segments(tx, made)
    generated = [name for table, name in GENERATED if table == "accounts"]
    for row in await tx.fetch(f"SELECT id, {', '.join(generated)} FROM accounts WHERE workspace_id = $1", own.id):
        record = next(one for one in made.records["accounts"] if one["id"] == row["id"])
        record.update({name: row[name] for name in generated})


def _row(name: str, one: Mapping[str, Any]) -> Row:
    row: Row = {"no": one["no"]} if "no" in one else {}
    for declared in ENTITIES[name].fields.values():
        value = one[declared.name]
        if (name, declared.name) in GENERATED or not declared.kept:
            continue
        if declared.kind == "ref":
            value = value and value["id"]
        elif declared.kind == "json":
            value = msgspec.json.encode(_kept(name, value) if declared.name == "custom" else value)
        elif declared.kind == "tags":
            value = list(value)
        row[declared.column] = value
    return row


def _kept(name: str, values: Row) -> Row:
    """Own attributes by what they are stored under."""
    return {WORKSPACE.attributes[name, slug].key: value for slug, value in values.items()}


async def _copy(tx: Transaction, workspace_id: UUID, table: str, rows: Iterable[Row]) -> None:
    if rows := list(rows):
        columns = [c for c in rows[0] if c in metadata.tables[table].columns]
        await tx.copy_records(
            table, [(workspace_id, *(r[c] for c in columns)) for r in rows], ["workspace_id", *columns]
        )


async def _copy_usage(tx: Transaction, workspace_id: UUID, rows: list[Record]) -> None:
    days: dict[tuple[UUID, date], list[Record]] = defaultdict(list)
    for row in rows:
        days[row["account"]["id"], row["day"]].append(row)
    await usage.ensure_months(tx, min(d for _, d in days), max(d for _, d in days))
    packed = []
    for (account_id, day), group in days.items():
        contacts = [r["contact"] and r["contact"]["id"] for r in group]
        features, amounts = [r["no"] for r in group], [r["value"] for r in group]
        packed.append(
            {"account_id": account_id, "day": day, "features": features, "contacts": contacts, "amounts": amounts}
        )
    await _copy(tx, workspace_id, "usage_days", packed)


async def _copy_segments(tx: Transaction, made: Population) -> None:
    own = made.workspace
    known = own.segmentations.values()
    head = {"kind": "bands", "spec": b"{}", "cuts": b"{}", "version": 1, "state": "ok"}
    times = {"created_at": MOMENT, "updated_at": MOMENT}
    defined = [
        {"id": s.id, "slug": s.slug, "name": s.slug, **head, **times, "rest": s.segments[-1],
         "segments": msgspec.json.encode([{"slug": segment} for segment in s.segments[:-1]])}
        for s in known
    ]  # fmt: skip
    await _copy(tx, own.id, "segmentations", defined)
    ids = {s.slug: s.id for s in known}
    members = [
        {"segmentation_id": ids[name], "account_id": one["id"], "segment": segment, "since": since, "reason": "write"}
        for one in made.records["accounts"]
        for name, segment, since, until in one["memberships"]
        if until is None
    ]
    await _copy(tx, own.id, "members", members)
    stays = [
        {"segmentation_id": ids[name], "account_id": one["id"], "segment": segment, "from_at": since, "to_at": until,
         "reason": "write"}
        for one in made.records["accounts"]
        for name, segment, since, until in one["memberships"]
        if until is not None
    ]  # fmt: skip
    await _copy(tx, own.id, "past_stays", stays)
    moves = [
        {"id": UUID(int=(one["id"].int << 8) % 2**128 + n), "account_id": one["id"], "stage": stage, "moved_at": when}
        for one in made.records["accounts"]
        for n, (when, stage) in enumerate(one["stage_moves"])
    ]
    await _copy(tx, own.id, "stage_moves", moves)
