"""The audit's words: what an entry can say of how a write came in, what it was, and what became of it."""

from __future__ import annotations

from typing import Literal

from app.domain.catalogue import ENTITIES
from app.domain.roles import RULES

Door = Literal["rest", "graphql", "command"]
Outcome = Literal["done", "refused"]

OUTCOMES: tuple[Outcome, ...] = ("done", "refused")
DOORS: tuple[Door, ...] = ("rest", "graphql", "command")
OPERATIONS = tuple(RULES)
"""What is done, and what is refused: one name for each, that of its rule."""
NOUNS = (
    *ENTITIES, "api-keys", "forecasts", "imports", "imports/mappings", "lists", "me", "pins", "scores", "segmentation-drafts",
    "segmentations", "workspace",
)  # fmt: skip
"""What entries tell of: the nouns of addresses."""
