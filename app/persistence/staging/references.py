"""What a row of a file refers to, and what it is already stored as: joins of the staged rows to the workspace's own."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.catalogue import Entity, Field
from app.domain.mappings import FileMapping
from app.domain.sources import ANY, Source
from app.persistence.staging.values import UUID

Place = tuple[str, Field, Source]
"""The column of the typed text, and what it means."""


@dataclass(frozen=True, slots=True)
class Reference:
    """`value` is what is stored, `found` is NULL where nothing was found, `begins` the day from which it holds, `account`
    whose it is, of a contact, and `shared` how many of the account are told by the same e-mail."""

    joins: str
    value: str
    found: str
    begins: str | None = None
    account: str | None = None
    shared: str | None = None


def reference(alias: str, place: Place, account: str | None, stays: str | None = None) -> Reference | None:
    """How a field is looked up; None where its text is its value. `account` is the row's own account, `stays` who a
    reference to an active user alone may go on to be, as SQL."""
    text, field, source = place
    if field.kind not in ("ref", "slug") or (field.kind == "slug" and source.create):
        return None
    if source.via is not None:
        return _via(alias, text, source)
    table = str(field.target)
    if source.ref == ANY:
        return _any(alias, table, text, account, stays)
    if field.kind == "slug":
        return Reference(_join(table, alias, f"{source.ref} = {text}"), f"{alias}.slug", f"{alias}.slug")
    if table == "users" and source.ref is None:
        return _user(alias, text)
    if table == "contacts" and source.ref == "email":
        return _contact(alias, text, account)
    by = f"id = {text}::uuid" if source.ref == "id" else f"{source.ref} = {text}"
    owner = f"{alias}.account_id" if table == "contacts" else None
    return Reference(_join(table, alias, by), f"{alias}.id", f"{alias}.id", account=owner)


def _any(alias: str, table: str, text: str, account: str | None, stays: str | None) -> Reference:
    """By id, else by external id, else, of people, by e-mail; a body's references are looked up so one by one."""
    ways = [alias, f"{alias}_x"]
    joins = _join(table, ways[0], f"id = CASE WHEN {text} ~ '{UUID}' THEN {text}::uuid END")
    joins += _join(table, ways[1], f"external_id = {text}")
    if table == "users":
        ways.append(f"{alias}_e")
        joins += _join(table, ways[2], f"email = {text}")
    if table == "contacts":
        ways.append(f"{alias}_e")
        joins += _contact(ways[2], text, account).joins
    found = f"coalesce({', '.join(f'{way}.id' for way in ways)})"
    owner = f"coalesce({', '.join(f'{way}.account_id' for way in ways)})" if table == "contacts" else None
    shared = f"CASE WHEN coalesce({ways[0]}.id, {ways[1]}.id) IS NULL THEN {ways[2]}.shared END" if owner else None
    if stays is not None:
        works = f"coalesce({', '.join(f'{way}.is_active' for way in ways)})"
        found = f"CASE WHEN {works} OR {found} = {stays} THEN {found} END"
    return Reference(joins, found, found, account=owner, shared=shared)


def _join(table: str, alias: str, by: str) -> str:
    return f" LEFT JOIN {table} {alias} ON {alias}.workspace_id = $1 AND {alias}.{by}"


def _via(alias: str, text: str, source: Source) -> Reference:
    by = f"id = {text}::uuid" if source.ref == "id" else f"{source.ref} = {text}"
    begins = f"{alias}.start_date" if source.via == "contracts" else None
    return Reference(_join(str(source.via), alias, by), f"{alias}.account_id", f"{alias}.account_id", begins)


def _user(alias: str, text: str) -> Reference:
    joins = _join("users", alias, f"external_id = {text}") + _join("users", f"{alias}_e", f"email = {text}")
    found = f"coalesce({alias}.id, {alias}_e.id)"
    return Reference(joins, found, found)


def _contact(alias: str, text: str, account: str | None) -> Reference:
    """By e-mail: of the account first, of which several may share one, then of any other, to say that it is another's."""
    own = f"c.account_id = {account or 'NULL::uuid'}"
    joins = (
        f" LEFT JOIN LATERAL (SELECT (array_agg(c.id ORDER BY {own} DESC))[1] AS id,"
        f" (array_agg(c.account_id ORDER BY {own} DESC))[1] AS account_id, count(*) FILTER (WHERE {own}) AS shared"
        f" FROM contacts c WHERE c.workspace_id = $1 AND c.email = {text}) {alias} ON {text} IS NOT NULL"
    )
    owner, shared = f"{alias}.account_id", f"{alias}.shared"
    return Reference(joins, f"{alias}.id", f"{alias}.id", account=owner, shared=shared)


def standing(mapping: FileMapping, texts: dict[str, str]) -> tuple[str, str]:
    """Joins to the record that a row is for, and its id, NULL where there is none yet. `texts` by field name."""
    entity = mapping.entity
    if entity.key == "none":
        return "", "NULL::uuid"
    if entity.name != "users":
        return _join(entity.name, "x", f"{entity.key} = {texts[entity.key]}"), "x.id"
    by_mail = "email" in texts
    if "external_id" not in texts:
        return _join("users", "x", f"email = {texts['email']}"), "x.id"
    joins = _join("users", "x", f"external_id = {texts['external_id']}")
    if not by_mail:
        return joins, "x.id"
    # Whoever was made by hand has no external id yet: the first file that has one gives it.
    joins += _join("users", "xm", f"email = {texts['email']} AND xm.external_id IS NULL")
    return joins, "coalesce(x.id, xm.id)"


def key(entity: Entity, texts: dict[str, str]) -> str:
    """What two rows of one file share when they are for the same record, as SQL."""
    if entity.name == "users":
        mail, external = texts.get("email", "NULL"), texts.get("external_id", "NULL")
        return f"coalesce('x' || {external}, 'e' || {mail})"
    return texts[entity.key] if entity.key != "none" else "NULL::text"
