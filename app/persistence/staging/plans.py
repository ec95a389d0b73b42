"""Staged text to typed rows: one statement that names for each row what it is for and everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.domain.catalogue import Entity, Field
from app.domain.imports import Problem, unfit
from app.domain.mappings import FileMapping
from app.domain.sources import Source
from app.domain.workspaces import Workspace
from app.persistence.staging import own
from app.persistence.staging.references import Reference, key, reference, standing
from app.persistence.staging.rows import Column, Plan, Staged, made_id, prefix
from app.persistence.staging.values import ABSENT, SQL_TYPES, Bound, fit, told


def plan(mapping: FileMapping, staged: Staged, workspace: Workspace, import_id: UUID, now: datetime) -> Plan:
    """The statement for one file, and what its errors mean."""
    making = _Making(mapping, staged, Bound(workspace, staged.source, now), list(staged.problems))
    return making.plan(import_id)


@dataclass(slots=True)
class _Field:
    """One mapped field: `v` its text, `f` its typed value, `value` what is stored, `column` how the file calls it, `absent` whether a line leaves it out."""

    field: Field
    source: Source
    v: str
    f: str
    column: str
    bit: int
    value: str = ""
    reference: Reference | None = None
    absent: str | None = None


@dataclass(slots=True)
class _Making:
    mapping: FileMapping
    staged: Staged
    bound: Bound
    problems: list[Problem]
    checks: list[tuple[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    masks: list[str] = field(default_factory=list)
    identity: str = ""

    def plan(self, import_id: UUID) -> Plan:
        known = self.mapping.known
        # Those of the catalogue come first: each has a place in the mask of absent members.
        sources = dict(sorted(self.mapping.fields.items(), key=lambda one: one[0] in self.mapping.own))
        if self.mapping.entity.name == "opportunities":
            sources.setdefault("amount", Source(None))
        fields = [self._field(n, known[name], source) for n, (name, source) in enumerate(sources.items())]
        by_name = {one.field.name: one for one in fields}
        found, identity = standing(self.mapping, {name: one.f for name, one in by_name.items()})
        self.identity = identity
        joins = found + self._references(by_name, bool(found))
        amount = self._amount(by_name)
        joins += amount
        for one in fields:
            self._check_value(one)
        self._check_foreign(by_name, bool(found))
        self._check_required(by_name, identity)
        told = [one for one in fields if one.field.name not in self.mapping.own]
        patches = [own.given(one.field, one.f, one.absent) for one in fields if one not in told]
        columns = (
            *(_column(self.mapping.entity, one) for one in told),
            *((Column(own.NAME, "jsonb", own.NAME, 0),) if patches else ()),
        )
        extra = self._extra(by_name, identity, import_id)
        names = [*(name for name, _, _ in extra), *(f'"{c.name}"' for c in columns)]
        shown = [
            *(sql for _, _, sql in extra),
            *(one.value for one in told),
            *((" || ".join(patches),) if patches else ()),
        ]
        types = [*(f"{name} {type_}" for name, type_, _ in extra), *(f'"{c.name}" {c.type}' for c in columns)]
        fill = f"INSERT INTO import_rows ({', '.join(names)}) SELECT {', '.join(shown)} FROM ({self._typed()}) t{joins}"
        table = f"CREATE TEMP TABLE import_rows ({', '.join(types)})"
        return Plan(columns, tuple(self.problems), table, fill, tuple(self.bound.args))

    def _field(self, n: int, target: Field, source: Source) -> _Field:
        place = f"c{self.staged.columns.index(source.column)}" if source.column is not None else None
        is_own = target.name in self.mapping.own
        one = _Field(target, source, f"t.v{n}", f"t.f{n}", source.column or target.name, 0 if is_own else 1 << n)
        self.texts.append(f"{told(target, source, place, self.bound)} AS v{n}")
        fitted = fit(target, source, f"t.v{n}", self.bound)
        self.values.append(f"{fitted.value} AS f{n}")
        if self.staged.partial and place is not None and source.leaves:
            if is_own:
                self.texts.append(f"s.{place} IS NOT DISTINCT FROM {self.bound.text(ABSENT)} AS a{n}")
            else:
                self.masks.append(f"CASE WHEN s.{place} = {self.bound.text(ABSENT)} THEN {one.bit} ELSE 0 END")
            one.absent = f"t.a{n}" if is_own else f"t.gone & {one.bit} <> 0"
        one.value = one.f
        whys = " ".join(f"WHEN {when} THEN {self._number(one, code)}" for when, code in fitted.why)
        self.checks.append((f"{one.v} IS NOT NULL AND {one.f} IS NULL", f"CASE {whys} END"))
        return one

    def _number(self, one: _Field, code: str) -> int:
        self.problems.append(unfit(one.field, code, one.column, self.bound.workspace.minor_digits))
        return len(self.problems)

    def _check(self, when: str, one: _Field, code: str) -> None:
        self.checks.append((when, f"{self._number(one, code)}"))

    def _references(self, fields: dict[str, _Field], stored: bool) -> str:
        """Joins for every reference, the account's first: a contact is looked up among those of the account."""
        joins = ""
        for one in sorted(fields.values(), key=lambda one: one.field.name != "account"):
            account = self._account(fields, stored)
            one.reference = reference(
                f"r{one.bit.bit_length()}", (one.f, one.field, one.source), account, self._stays(one)
            )
            if one.reference is None:
                continue
            joins, one.value = joins + one.reference.joins, one.reference.value
            if not (self.mapping.entity.name == "accounts" and one.field.name == "parent"):  # it may come with the file
                self._check(f"{one.f} IS NOT NULL AND {one.reference.found} IS NULL", one, "unknown")
        return joins

    def _account(self, fields: dict[str, _Field], stored: bool) -> str | None:
        """Whose a row is: as it says, or as its record stands."""
        told = [fields["account"].value] if "account" in fields else []
        stands = ["x.account_id"] if stored and "account" in self.mapping.entity.fields else []
        return f"coalesce({', '.join([*told, *stands])})" if told or stands else None

    def _stays(self, one: _Field) -> str | None:
        """Of a reference that only an active user can newly be, who it is already."""
        return "x.csm_id" if self.mapping.entity.name == "accounts" and one.field.name == "csm" else None

    def _amount(self, fields: dict[str, _Field]) -> str:
        """An opportunity without an amount is worth its product's list price."""
        if self.mapping.entity.name != "opportunities":
            return ""
        amount = fields["amount"]
        product = fields["product"].value if "product" in fields else "x.product"
        if "product" in fields and fields["product"].absent is not None:
            product = f"CASE WHEN {fields['product'].absent} THEN x.product ELSE {product} END"
        amount.value = f"coalesce({amount.f if amount.source.given else 'x.amount'}, lp.list_price)"
        return f" LEFT JOIN products lp ON lp.workspace_id = $1 AND lp.slug = {product}"

    def _check_value(self, one: _Field) -> None:
        entity = self.mapping.entity
        # A file may empty what is set by hand, a body may not: one rule each, and the one of single writes.
        by_hand = one.field.fallback and entity.name == "accounts" and self.staged.source != "json"
        if one.field.optional or one.field.name == entity.key or by_hand:
            return
        self._check(f"{one.v} IS NULL AND {one.value} IS NULL{self._present(one)}", one, "empty")

    def _present(self, one: _Field) -> str:
        """A member that is left out leaves the field as it is, where there is a record that has it."""
        if one.absent is None or self.mapping.entity.key == "none":
            return ""
        return f" AND NOT ({one.absent}{' AND ' + self.identity + ' IS NOT NULL' if self._follows(one) else ''})"

    def _follows(self, one: _Field) -> bool:
        """Whether a new record has a value of it also where a line leaves it out."""
        return self.mapping.entity.name == "opportunities" and one.field.name == "amount"

    def _check_foreign(self, fields: dict[str, _Field], stored: bool) -> None:
        contact = fields.get("contact")
        if contact is None or contact.reference is None:
            return
        self._check(f"{contact.reference.account} <> {self._account(fields, stored)}", contact, "foreign")
        if contact.reference.shared is not None:
            self._check(f"{contact.reference.shared} > 1", contact, "ambiguous")

    def _check_required(self, fields: dict[str, _Field], identity: str) -> None:
        entity = self.mapping.entity
        if entity.key == "none":
            return
        known_by = fields.get(entity.key) or fields["email"]
        self._check(f"{key(entity, {name: one.v for name, one in fields.items()})} IS NULL", known_by, "empty")
        known = self.mapping.known
        for name in (*entity.required, *(name for name, f in self.mapping.own.items() if not f.optional)):
            one = fields.get(name)
            if one is None:
                self._check(f"{identity} IS NULL", _Field(known[name], Source(None), "", "", name, 0), "required")
            elif one.absent is not None:
                self._check(f"{identity} IS NULL AND {one.absent}", one, "required")

    def _typed(self) -> str:
        """The file's lines, then their text as told, then typed; each step done once for every row."""
        embedded = " + ".join(
            f"coalesce(length(s.c{n}) - length(replace(s.c{n}, chr(10), '')), 0)"
            for n in range(len(self.staged.columns))
        )
        more = (
            f" + coalesce(sum({embedded}) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::bigint"
            if self.staged.folded
            else ""
        )
        # A scan of a temporary table, never parallel nor synchronised, gives rows in the order in which they were copied.
        line = f"coalesce(s.line, {self.staged.before} + row_number() OVER (){more}) AS line"
        gone = f"{' | '.join(self.masks) or '0'}::bigint AS gone"
        lines = f"SELECT {line}, s.bad, {gone}, {', '.join(self.texts)} FROM import_lines s"
        return f"SELECT t.*, {', '.join(self.values)} FROM ({lines}) t WHERE t.bad IS DISTINCT FROM 0 OFFSET 0"

    def _extra(self, fields: dict[str, _Field], identity: str, import_id: UUID) -> list[tuple[str, str, str]]:
        """Columns of every row beside those of the file: name, type, SQL."""
        made = made_id(self.bound.text(prefix(import_id)), "t.line") if self.mapping.entity.key != "none" else "NULL"
        any_wrong = " OR ".join(f"({when})" for when, _ in self.checks)
        each = ", ".join(f"CASE WHEN {when} THEN {code} END" for when, code in self.checks)
        found = f"array_remove(ARRAY[{each}]::int[], NULL)"
        # What is sound of a record that a body has wrong was staged too: the rest of what is wrong with it is told along.
        bad = f"ARRAY[t.bad::int]{f' || {found}' if self.staged.source == 'json' else ''}"
        errs = f"CASE WHEN t.bad IS NOT NULL THEN {bad} WHEN {any_wrong} THEN {found} END"
        texts = {name: one.f for name, one in fields.items()}
        extra = [
            ("line", "bigint", "t.line"), ("errs", "int[]", errs), ("gone", "bigint", self._gone(fields)),
            ("id", "uuid", f"coalesce({identity}, {made})"), ("is_new", "bool", f"{identity} IS NULL"),
            ("key", 'text COLLATE "C"', key(self.mapping.entity, texts)), ("early", "bool", self._early(fields)),
        ]  # fmt: skip
        if self.mapping.entity.name == "accounts" and "parent" in fields:
            by_id = fields["parent"].source.ref == "id"
            extra.append(("parent_key", 'text COLLATE "C"', "NULL" if by_id else fields["parent"].f))
            extra.append(("has_parent", "bool", f"{fields['parent'].f} IS NOT NULL"))
        return extra

    def _gone(self, fields: dict[str, _Field]) -> str:
        """The mask of members that are left out and leave the field as it is."""
        follows = sum(one.bit for one in fields.values() if self._follows(one))
        return (
            f"CASE WHEN {self.identity} IS NULL THEN t.gone & ~{follows}::bigint ELSE t.gone END"
            if follows
            else "t.gone"
        )

    def _early(self, fields: dict[str, _Field]) -> str:
        """Whether a row is dated before the contract through which it was found."""
        account, when = fields.get("account"), fields.get(str(self.mapping.entity.time_field))
        begins = account.reference.begins if account is not None and account.reference is not None else None
        if begins is None or when is None:
            return "false"
        day = when.f
        if when.field.kind == "instant":
            day = f"({when.f} AT TIME ZONE {self.bound.zone})::date"
        return f"coalesce({day} < {begins}, false)"


def _column(entity: Entity, one: _Field) -> Column:
    by_hand = entity.name == "accounts" and one.field.fallback
    type_ = SQL_TYPES[one.field.kind] + (' COLLATE "C"' if SQL_TYPES[one.field.kind] == "text" else "")
    return Column(one.field.column, type_, f"{one.field.name}_by_hand" if by_hand else one.field.column, one.bit)
