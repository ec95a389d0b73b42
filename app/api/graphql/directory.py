"""Mutations of what the organisation has named: industries, products, features, teams."""

from __future__ import annotations

from app.api.graphql.writing import Cases, Operations, declare, mutations
from app.domain.catalogue import ENTITIES
from app.services.records import DIRECTORY

OPERATIONS = Operations("directory.write", "directory.write", "directory.write")

for _name in DIRECTORY:
    declare(ENTITIES[_name])

MUTATIONS = [one for name in DIRECTORY for one in mutations(ENTITIES[name], OPERATIONS, Cases.of_records(name))]
