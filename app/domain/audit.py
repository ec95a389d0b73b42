"""The audit's words: what an entry can say of how a write came in and what became of it."""

from __future__ import annotations

from typing import Literal

Door = Literal["rest", "graphql", "command"]
Outcome = Literal["done", "refused"]

OUTCOMES: tuple[Outcome, ...] = ("done", "refused")
DOORS: tuple[Door, ...] = ("rest", "graphql", "command")
