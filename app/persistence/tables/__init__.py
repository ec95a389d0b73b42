"""The schema, a module for each noun. Columns of entities come from the catalogue; the rest is said here.

`Table.info["kind"]`: `tenant` holds rows of a workspace, `reference` is small and rarely written, `local` never leaves
the coordinator. In a tenant table `workspace_id` comes first and is part of every key.
"""

from app.persistence.tables import accounts, audit, forecasts, imports, lists, organisation, segments
from app.persistence.tables.columns import GENERATED, metadata

__all__ = ["GENERATED", "accounts", "audit", "forecasts", "imports", "lists", "metadata", "organisation", "segments"]
