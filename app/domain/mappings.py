"""Mappings: which column of a file is which field, and what is made of its text on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from app.domain import date_formats
from app.domain.catalogue import ENTITIES, Entity, Field
from app.domain.criteria.suggest import nearest
from app.domain.date_formats import DateFormat, FormatError
from app.domain.errors import Fault, Invalid, escape
from app.domain.records import MAX_FAULTS
from app.domain.values import MisfitError, text
from app.domain.workspaces import Workspace

REFERENCES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "accounts": ("external_id", "id"),
        "contacts": ("external_id", "id", "email"),
        "users": ("external_id", "email", "id"),
    }
)
"""By what a record can be referred to; the first is meant where nothing is said. Slugs are meant by slug or external id."""
ANY = "any"
"""By whichever of them it turns out to be, as in a body: id, then external id, then e-mail."""
BY_SLUG = ("slug", "external_id")
VIA = tuple(name for name, e in ENTITIES.items() if "account" in e.fields and e.key == "external_id")
"""Records that stand for their account."""
CREATABLE = ("industries", "products", "features", "teams")
"""What may be made on the way, where a file names one that is not there yet."""
DELIMITERS = (",", ";", "\t", "|")
WORDS = 1_000
"""Entries of one `map`."""
MEMBERS = ("from", "ref", "via", "format", "map", "otherwise", "slugify", "template", "create", "default")
PLACE = "{}"
"""Where a `template` has the text."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a field's text comes from, and what becomes of it, in this order: `map`, `otherwise` for what the map does
    not have, `slugify`, `template` (what stands before and after the text) for what is not empty, `default` for what is. Empty
    is None. Without a column it is the default: a constant."""

    column: str | None
    ref: str | None = None
    via: str | None = None
    formats: tuple[DateFormat, ...] = ()
    map: Mapping[str, str | None] | None = None
    otherwise: str | None = None
    otherwise_given: bool = False
    slugify: bool = False
    create: bool = False
    default: str | None = None
    template: tuple[str, str] | None = None

    @property
    def given(self) -> bool:
        """Whether it says anything at all."""
        return self.column is not None or self.default is not None

    @property
    def leaves(self) -> bool:
        """Whether a member that is left out leaves the field as it is; a default or a word for what is empty sets it."""
        return self.default is None and "" not in (self.map or {})

    @property
    def plain(self) -> bool:
        """Whether the text is read as it stands."""
        return not (self.rewritten or self.formats or self.default)

    @property
    def rewritten(self) -> bool:
        """Whether the text is made into another before it is read as the field's kind: any scalar may be told then."""
        return bool(self.map or self.otherwise_given or self.slugify or self.template)


Own = Mapping[str, Field]
NO_OWN: Own = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class FileMapping:
    """What one file holds; `fields` by field name. `named` mappings leave columns out, others take every one. `own` are
    the organisation's own attributes as `custom.<slug>`."""

    entity: Entity
    fields: Mapping[str, Source]
    delimiter: str = ","
    named: bool = True
    own: Own = field(default_factory=lambda: NO_OWN)

    @property
    def known(self) -> Mapping[str, Field]:
        """The fields that the file may have."""
        return {**importable(self.entity), **self.own}


def importable(entity: Entity) -> Mapping[str, Field]:
    """The fields that a file may have. Usage may have an identifier of its rows, looked at for repeats alone."""
    fields = {f.name: f for f in entity.fields.values() if f.writable and f.kind not in ("json", "tags")}
    if entity.key == "none":
        fields["external_id"] = ENTITIES["accounts"].fields["external_id"]
    return fields


def known_by(entity: Entity) -> tuple[str, ...]:
    """The fields by which a row is found again when the file is sent again."""
    if entity.key == "none":
        return entity.required
    return ("external_id", "email") if entity.name == "users" else (entity.key,)


def own_of(workspace: Workspace, entity: Entity) -> Own:
    """The organisation's own attributes of an entity, as files name them."""
    found = {f"custom.{slug}": field for (owner, slug), field in workspace.attributes.items() if owner == entity.name}
    return MappingProxyType({path: replace(field, name=path, stored=field.key) for path, field in found.items()})


def natural(entity: Entity, columns: Sequence[str], own: Own = NO_OWN, *, anyhow: bool = False) -> FileMapping:
    """The mapping of a file whose columns are named as the fields; references as `account` or, by id, `account_id`;
    `anyhow` means those of the first kind by whatever they can be told by.

    Raises Invalid with line 1 and the column's number for a name that is no field.
    """
    fields, found, faults = {**importable(entity), **own}, dict[str, Source](), []
    ids = {f.column: f for f in fields.values() if f.kind == "ref"}
    for number, column in enumerate(columns, 1):
        field = fields.get(column) or ids.get(column)
        if field is None:
            derived = column in entity.fields
            message = (
                "Expected no such column: Strata keeps it."
                if derived
                else f"Expected the name of a field of {entity.name}, or a mapping."
            )
            faults.append(
                Fault(message, line=1, column=number, suggestion=None if derived else nearest(column, [*fields, *ids]))
            )
        elif field.name in found:
            faults.append(Fault(f"Expected one column for {field.name}.", line=1, column=number))
        else:
            by = ANY if anyhow and field.kind == "ref" else _first(field)
            found[field.name] = Source(column, "id" if column in ids else by)
    if faults:
        raise Invalid(faults=tuple(faults))
    return _whole(FileMapping(entity, MappingProxyType(found), named=False, own=own))


def read(told: object, entity: Entity, own: Own = NO_OWN) -> FileMapping:
    """A mapping as JSON for this kind. Raises Invalid with a JSON pointer per fault."""
    members = _members(told, "", ("kind", "columns", "constants", "delimiter"))
    faults: list[Fault] = []
    if members.get("kind", entity.name) != entity.name:
        faults.append(Fault(f"Expected {entity.name}: that is what the file is imported as.", pointer="/kind"))
    delimiter = members.get("delimiter", ",")
    if delimiter not in DELIMITERS:
        faults.append(Fault("Expected one of the delimiters: comma, semicolon, tab, bar.", pointer="/delimiter"))
    fields, found = {**importable(entity), **own}, dict[str, Source]()
    for part, reader in (("columns", _source), ("constants", _constant)):
        for name, one in _members(members.get(part, {}), f"/{part}", None).items():
            if len(faults) >= MAX_FAULTS:
                break
            pointer = f"/{part}/{escape(name)}"
            try:
                if name not in fields:
                    raise MisfitError(f"a field of {entity.name} that can be set", nearest(name, fields))
                if name in found:
                    raise MisfitError("the field once, as a column or as a constant")
                found[name] = reader(fields[name], one)
            except MisfitError as misfit:
                faults.append(misfit.fault(pointer))
    if faults:
        raise Invalid(faults=tuple(faults))
    return _whole(FileMapping(entity, MappingProxyType(found), str(delimiter), own=own))


def faults_of(mapping: FileMapping, columns: Sequence[str]) -> tuple[Fault, ...]:
    """The columns that the mapping names and a file's header does not have."""
    wanted = {source.column: name for name, source in mapping.fields.items() if source.column is not None}
    return tuple(
        Fault(f"Expected the column that the mapping names for {name}.", line=1, suggestion=nearest(column, columns))
        for column, name in wanted.items()
        if column not in columns
    )


def _whole(mapping: FileMapping) -> FileMapping:
    """What no file can be imported without: that by which a row is known when it is sent again."""
    entity, given = mapping.entity, mapping.fields
    if entity.key == "none":
        missing = [name for name in entity.required if name not in given]
    elif entity.name == "users":
        missing = [] if "external_id" in given or "email" in given else ["external_id"]
    else:
        missing = [] if entity.key in given else [entity.key]
    if missing:
        message = f"Expected a column for {', '.join(missing)}: by it a row is known when the file is sent again."
        raise Invalid(faults=(Fault(message, line=1),))
    return mapping


def _source(field: Field, told: object) -> Source:
    if isinstance(told, str):
        return Source(_text(told, "a column's name"), _first(field))
    if not isinstance(told, Mapping) or not isinstance(told.get("from"), str):
        raise MisfitError("a column's name, or an object that has it as `from`")
    for member in told:
        if member not in MEMBERS:
            raise MisfitError(f"{', '.join(MEMBERS)} and nothing else here", nearest(str(member), MEMBERS))
    via = _via(field, told)
    target = via or field.target
    otherwise_given = "otherwise" in told
    return Source(
        _text(told["from"], "a column's name"), _ref(field, told, target), via, _formats(field, told), _map(told),
        _word(told.get("otherwise")), otherwise_given,
        _flag(field, told, "slugify", field.kind in ("slug", "text")),
        _flag(field, told, "create", field.target in CREATABLE), _word(told.get("default")), _template(field, told),
    )  # fmt: skip


def _constant(field: Field, told: object) -> Source:
    word = _word(told)
    if word is None:
        raise MisfitError("a text, a number, true or false")
    return Source(None, _first(field), default=word)


def _via(field: Field, told: Mapping[str, Any]) -> str | None:
    if field.name == "account":
        return _one_of(told, "via", VIA)
    _none(told, "via", "an account")
    return None


def _first(field: Field) -> str | None:
    if field.kind == "ref":
        return REFERENCES[str(field.target)][0] if field.target != "users" else None
    return "slug" if field.kind == "slug" else None


def _ref(field: Field, told: Mapping[str, Any], target: str | None) -> str | None:
    if field.kind not in ("ref", "slug"):
        _none(told, "ref", "a reference")
        return None
    known = BY_SLUG if field.kind == "slug" else REFERENCES.get(str(target), ("external_id", "id"))
    ref = _one_of(told, "ref", known) if "ref" in told else _first(field)
    if ref != "slug" and (told.get("slugify") or told.get("create")):
        raise MisfitError("slugify and create with ref slug alone")
    return ref


def _formats(field: Field, told: Mapping[str, Any]) -> tuple[DateFormat, ...]:
    given = told.get("format", ())
    if field.kind not in ("date", "instant"):
        _none(told, "format", "a date or an instant")
        return ()
    many = (given,) if isinstance(given, str) else given
    if not isinstance(many, list | tuple) or len(many) > 8 or not all(isinstance(one, str) for one in many):
        raise MisfitError("a format such as %Y-%m-%d, or at most 8 of them")
    try:
        return tuple(date_formats.read(one) for one in many)
    except FormatError as error:
        raise MisfitError(str(error)) from None


def _map(told: Mapping[str, Any]) -> Mapping[str, str | None] | None:
    given = told.get("map")
    if given is None:
        return None
    if not isinstance(given, Mapping) or not 0 < len(given) <= WORDS:
        raise MisfitError(f"a map of 1 to {WORDS:,} texts")
    return MappingProxyType(
        {_text(key, "texts as the map's keys", empty=True): _word(value) for key, value in given.items()}
    )


def _template(field: Field, told: Mapping[str, Any]) -> tuple[str, str] | None:
    given = told.get("template")
    if given is None:
        return None
    if field.kind not in ("text", "slug", "ref"):
        raise MisfitError(f"no template for {field.name}")
    if not isinstance(given, str) or given.count(PLACE) != 1:
        raise MisfitError(f"a template with {PLACE} once, where the text goes")
    before, _, after = _text(given, "a template").partition(PLACE)
    return before, after


def _flag(field: Field, told: Mapping[str, Any], name: str, fits: bool) -> bool:
    given = told.get(name, False)
    if not isinstance(given, bool) or (given and not fits):
        raise MisfitError(f"{name} as true or false" if fits else f"no {name} for {field.name}")
    return given


def _one_of(told: Mapping[str, Any], name: str, known: Sequence[str]) -> str | None:
    given = told.get(name)
    if given is not None and given not in known:
        raise MisfitError(f"{name} as one of {', '.join(known)}", nearest(str(given), known))
    return given


def _none(told: Mapping[str, Any], name: str, what: str) -> None:
    if name in told:
        raise MisfitError(f"no {name} here: it is for {what}")


def _word(told: object) -> str | None:
    """A JSON scalar as the text that a file would have."""
    match told:
        case None:
            return None
        case bool():
            return "true" if told else "false"
        case int() | float() | Decimal():
            return str(told)
        case str():
            return _text(told, "a text", empty=True) or None
        case _:
            raise MisfitError("a text, a number, true, false or null")


def _text(told: object, what: str, *, empty: bool = False) -> str:
    given = text(told)
    if not given and not empty:
        raise MisfitError(what)
    return given


def _members(told: object, pointer: str, known: Sequence[str] | None) -> Mapping[str, Any]:
    if not isinstance(told, Mapping):
        raise Invalid(faults=(Fault("Expected a JSON object.", pointer=pointer),))
    unknown = [name for name in told if known is not None and name not in known]
    if unknown:
        raise Invalid(
            faults=tuple(
                Fault(
                    "Expected no member of this name.",
                    pointer=f"{pointer}/{escape(name)}",
                    suggestion=nearest(name, known or ()),
                )
                for name in unknown[:MAX_FAULTS]
            )
        )
    return told
