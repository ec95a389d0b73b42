"""The catalogue: what can be asked for in this workspace."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import member, operated, output
from app.api.graphql.writing import Arguments
from app.services import catalog

output("CatalogField", [
    member("path", "str", "As criteria, sort and columns spell it."), member("answered_as", "str"), member("kind", "str"),
    member("description", "Optional[str]"), member("unit", "Optional[str]"), member("optional", "bool", "May be empty."),
    member("writable", "bool"), member("filterable", "bool"), member("sortable", "bool"), member("groupable", "bool"),
    member("operators", "list[str]"), member("values", "Optional[list[str]]"), member("target", "Optional[str]"),
    member("minimum", "Optional[float]"), member("maximum", "Optional[float]"),
])  # fmt: skip
output("CatalogRelation", [
    member("name", "str"), member("target", "str"), member("many", "bool"), member("time_field", "Optional[str]"),
])  # fmt: skip
output("CatalogEntity", [
    member("name", "str"), member("time_field", "Optional[str]", "What a window without a field is on."),
    member("fields", "list[CatalogField]"), member("relations", "list[CatalogRelation]"),
])  # fmt: skip
output("CriteriaFunction", [member("name", "str"), member("example", "str")])
output("Catalog", [
    member("entities", "list[CatalogEntity]"), member("windows", "JSON"), member("functions", "list[CriteriaFunction]"),
    member("people", "list[str]"), member("limits", "JSON"), member("examples", "list[str]"),
])  # fmt: skip


def _catalog(_: Any, info: Any, _said: Arguments) -> Any:
    return catalog.describe(info.context.principal)


QUERIES = [
    operated("catalog.read", "catalog", "Catalog", _catalog, description="What can be asked for, with examples.")
]
