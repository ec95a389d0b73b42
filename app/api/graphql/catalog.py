"""The catalogue: what can be asked for in this workspace."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import member, operated, output, resolved
from app.api.graphql.writing import Arguments
from app.services import catalog

output("CatalogField", [
    member("path", "str", "As criteria, sort and columns spell it."), member("label", "str", "In words."),
    member("group", "str", "What it stands under where fields are chosen."), member("answered_as", "str"), member("kind", "str"),
    member("description", "Optional[str]"), member("unit", "Optional[str]"), member("optional", "bool", "May be empty."),
    member("writable", "bool"), member("filterable", "bool"), member("sortable", "bool"), member("groupable", "bool"),
    member("foldable", "bool", "Of related rows: functions are taken of it."),
    member("operators", "list[str]", "Names of `operators` of the catalogue."), member("values", "Optional[list[str]]"),
    member("target", "Optional[str]", "What it refers to: an entity, whose slugs are among `known`."),
    member("minimum", "Optional[float]"), member("maximum", "Optional[float]"),
])  # fmt: skip
output("CatalogRelation", [
    member("name", "str"), member("target", "str"), member("many", "bool"), member("time_field", "Optional[str]"),
    member("asked", "bool", "Functions can be taken of its rows."),
])  # fmt: skip
output("CatalogEntity", [
    member("name", "str"), member("singular", "str"),
    member("time_field", "Optional[str]", "What a window without a field is on."),
    member("searched", "list[str]", "What records are called by."),
    member("columns", "Optional[list[str]]", "Those of a list that says none; null where there are no lists of it."),
    member("mine", "Optional[str]", "The field that makes a record somebody's own."),
    member("fields", "list[CatalogField]"), member("relations", "list[CatalogRelation]"),
])  # fmt: skip
output("CriteriaKind", [
    member("name", "str"), member("description", "str"), member("operators", "list[str]"),
    member("example", "Optional[JSON]", "A value; null where the field itself says its values."), member("text", "Optional[str]"),
])  # fmt: skip
output("CriteriaOperator", [
    member("name", "str"), member("label", "str"), member("of", "str", "field, or operand: what functions give can be asked too."),
    member("takes", "str", "value, values, range, window, text or nothing."),
    member("text", "str", "Names in braces stand for what is put there."), member("json", "JSON"), member("kinds", "list[str]"),
])  # fmt: skip
output("CriteriaJoin", [member("name", "str"), member("text", "str"), member("json", "JSON")])
output("CriteriaFunction", [
    member("name", "str"), member("label", "str"), member("family", "str"), member("signature", "str"), member("json", "JSON"),
    member("gives", "Optional[str]", "`condition`, or the kind of its value; null: the kind of the field."),
    member("description", "str"), member("example", "str"), member("takes", "list[str]", "The kinds of fields it is taken of."),
    member("optional", "list[str]", "Members of `json` that may be left out."),
])  # fmt: skip
output("CriteriaReference", [
    member("label", "str"), member("text", "str"), member("json", "JSON"), member("description", "str"), member("kinds", "list[str]"),
    member("types", "list[str]", "What a parameter can be declared as."),
])  # fmt: skip
output("KnownValue", [member("value", "str"), member("name", "str")])
output("KnownValues", [
    member("target", "str"), member("whole", "bool", "These are all."), member("values", "list[KnownValue]"),
])  # fmt: skip
output("CriteriaProblemCode", [member("code", "str"), member("severity", "str"), member("description", "str")])
output("CriteriaCostClass", [member("class", "str"), member("description", "str")])


def _described(_: Any, info: Any, _said: Arguments) -> Any:
    return catalog.describe(info.context.principal)


async def _known(_: Any, info: Any, _said: Arguments) -> Any:
    caller = info.context
    return await catalog.known(caller.db, caller.principal)


output("Catalog", [
    member("entities", "list[CatalogEntity]"), member("kinds", "list[CriteriaKind]"),
    member("operators", "list[CriteriaOperator]"), member("joined", "list[CriteriaJoin]"),
    member("functions", "list[CriteriaFunction]"), member("windows", "JSON"),
    member("references", "list[CriteriaReference]", "What can stand where a value does."),
    resolved("known", "list[KnownValues]", _known, description="The slugs that there are, by entity."),
    member("people", "list[str]"), member("keywords", "list[str]"), member("limits", "JSON"),
    member("problems", "list[CriteriaProblemCode]"), member("costs", "list[CriteriaCostClass]"), member("examples", "list[str]"),
])  # fmt: skip
QUERIES = [
    operated("catalog.read", "catalog", "Catalog", _described, description="What can be asked for, with examples.")
]
