"""Fields as they are called here, `renewalDate`, and as criteria and sorts spell them, `renewal_date`: both are read."""

from __future__ import annotations

import re

from app.api.graphql.build import camel
from app.domain.catalogue import ENTITIES

SPELLED = {
    camel(name): name
    for entity in ENTITIES.values()
    for name in (*entity.fields, *(field.column for field in entity.fields.values()), *entity.relations)
}
"""Slugs have no capitals: what an organisation calls its own is never one of these by another name."""
NAME = re.compile(r"[a-z][A-Za-z0-9]*")


def spelled(path: str) -> str:
    """`-csm.lastSeenAt` as `-csm.last_seen_at`; what is no field's name stays as it is."""
    return NAME.sub(lambda found: SPELLED.get(found[0], found[0]), path)
