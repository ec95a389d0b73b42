"""stub"""
from __future__ import annotations
from dataclasses import dataclass
from typing import Any
PLAIN = frozenset({"accounts","contacts","account","node","__typename"})
@dataclass
class Plan:
    key: str = ""
    lasting: bool = True
    required: bool = True
    places: tuple[Any, ...] = ()
    async def answer(self, caller: Any) -> bytes: return b"{}"
def planned(*a: Any) -> Plan: return Plan()
