"""Mutations of what belongs to accounts."""

from __future__ import annotations

from app.api.graphql.writing import Cases, Operations, declare, mutations
from app.domain.catalogue import ENTITIES
from app.domain.related import RELATED

OPERATIONS = Operations("records.write", "records.write", "records.write")

for _name in RELATED:
    declare(ENTITIES[_name])

GONE = "For good: its account is as if it had never been."
MUTATIONS = [one for name in RELATED for one in mutations(ENTITIES[name], OPERATIONS, Cases.of_records(name), GONE)]
