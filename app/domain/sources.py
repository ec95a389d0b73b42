"""One field's source in a mapping: the column that has it, and what is made of its text on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from app.domain import date_formats
from app.domain.catalogue import ENTITIES, Field
from app.domain.criteria.suggest import nearest
from app.domain.date_formats import DateFormat, FormatError
from app.domain.decimals import DECIMALS, NUMERIC, Decimals
from app.domain.values import MisfitError, text

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
WORDS = 1_000
"""Entries of one `map`."""
MEMBERS = ("from", "ref", "via", "format", "decimal", "map", "otherwise", "slugify", "template", "create", "default")
PLACE = "{}"
"""Where a `template` has the text."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a field's text comes from, and what becomes of it, in this order: `map`, `otherwise` for what the map does
    not have, `slugify`, `template` (what stands before and after the text) for what is not empty, `default` for what is. Empty
    is None. Without a column it is the default: a constant. `decimal` is the sign before decimals where the file writes numbers as
    people do; what the mapping itself says is written as JSON has it."""

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
    decimal: Decimals | None = None

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
        return not (self.rewritten or self.formats or self.default or self.decimal)

    @property
    def rewritten(self) -> bool:
        """Whether the text is made into another before it is read as the field's kind: any scalar may be told then."""
        return bool(self.map or self.otherwise_given or self.slugify or self.template)


def of_column(field: Field, told: object, decimal: Decimals | None = None) -> Source:
    """A field of a column: its name, or an object that says more; `decimal` is what the whole file is told to write. Raises
    MisfitError."""
    usual = decimal if field.kind in NUMERIC else None
    if isinstance(told, str):
        return Source(_text(told, "a column's name"), usual_ref(field), decimal=usual)
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
        _decimal(field, told) or usual,
    )  # fmt: skip


def constant(field: Field, told: object) -> Source:
    """A field that every row has alike, a JSON scalar. Raises MisfitError."""
    word = _word(told)
    if word is None:
        raise MisfitError("a text, a number, true or false")
    return Source(None, usual_ref(field), default=word)


def _via(field: Field, told: Mapping[str, Any]) -> str | None:
    if field.name == "account":
        return _one_of(told, "via", VIA)
    _none(told, "via", "an account")
    return None


def usual_ref(field: Field) -> str | None:
    """By what a reference is meant to go where nothing is said."""
    if field.kind == "ref":
        return REFERENCES[str(field.target)][0] if field.target != "users" else None
    return "slug" if field.kind == "slug" else None


def _ref(field: Field, told: Mapping[str, Any], target: str | None) -> str | None:
    if field.kind not in ("ref", "slug"):
        _none(told, "ref", "a reference")
        return None
    known = BY_SLUG if field.kind == "slug" else REFERENCES.get(str(target), ("external_id", "id"))
    ref = _one_of(told, "ref", known) if "ref" in told else usual_ref(field)
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


def _decimal(field: Field, told: Mapping[str, Any]) -> Decimals | None:
    if field.kind not in NUMERIC:
        _none(told, "decimal", "a number or an amount of money")
        return None
    return sign(told["decimal"]) if "decimal" in told else None


def sign(told: object) -> Decimals:
    """The sign before decimals. Raises MisfitError."""
    for known in DECIMALS:
        if told == known:
            return known
    raise MisfitError('decimal as "," or ".": what stands before the decimals')


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
