"""CSMs needed per segment and in all, the load of each, and hand-overs that put it right."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, choices, member, operated, output
from app.api.graphql.callers import ENCODER
from app.api.graphql.engagements import BOOK, SEGMENTATION, whose
from app.api.graphql.resources import body
from app.api.graphql.selections import mended
from app.api.graphql.writing import Arguments
from app.domain.errors import StrataError
from app.domain.segmentation.care import TOUCHES
from app.services import capacity
from app.services.capacity import BY, TARGET_USE, Asked

choices("CapacityBy", BY)
choices("LoadState", ("over", "even", "under"), "Against the target use.")
choices("Touch", TOUCHES)
LOAD = [
    member("accounts", "int"), member("arr", "Money"), member("hours", "float", "A month."), member("touches", "float", "A month."),
]  # fmt: skip
output("AccountLoad", LOAD)
output("PeopleNeeded", [
    member("csms", "int", "With full books."), member("planned", "int", "At the target use."),
    member("bound", "int", "With fewer no packing can do."), member("teams", "int", "Of them those of accounts above what one may have."),
])  # fmt: skip
output("CsmsNeeded", [
    member("csms", "int", "With full books: the greater of what ARR and hours take."),
    member("planned", "int", "At the target use: the greater of what ARR and hours take."), member("by_arr", "PeopleNeeded"),
    member("by_hours", "PeopleNeeded"),
])  # fmt: skip
output("SegmentCapacity", [
    member("slug", "Optional[str]"), member("name", "str"), member("touch", "Optional[Touch]"), *LOAD, member("needed", "CsmsNeeded"),
])  # fmt: skip
output("CsmLoad", [
    member("csm_id", "ID"), member("csm_name", "str"), member("is_active", "bool"), *LOAD,
    member("teams", "int", "Accounts above what one may have: they count in no load."), member("use", "float"),
    member("state", "LoadState"), member("room", "float", "Up to the target use; below 0 what is too much."),
    member("accounts_after", "int"), member("use_after", "float"), member("state_after", "LoadState"),
])  # fmt: skip
output("CapacityMove", [
    member("account_id", "ID"), member("account", "Optional[NamedAccount]"), member("from_id", "ID"), member("from_name", "str"),
    member("to_id", "Optional[ID]", "Null where it is somebody to be hired."), member("to_name", "str"), member("arr", "Money"), member("hours", "float"),
])  # fmt: skip
output("CapacityMoves", [
    member("count", "int"), member("fewest", "bool", "No way with fewer leads there."), member("still_over", "int", "Who would be without hires."),
    member("hires", "int", "People that it takes besides, by the measure that `by` names alone; `needed` counts the other one too."), member("teams", "int", "Accounts that are teams of their own."),
    member("why", "str"), member("data", "list[CapacityMove]", "The first 1,000."),
])  # fmt: skip
output("Capacity", [
    member("by", "CapacityBy"), member("target_use", "float"), member("arr_per_csm", "Money"), member("hours_per_csm", "float"),
    member("segmentation", "CaredSegmentation"), *LOAD, member("needed", "CsmsNeeded"), member("present", "int", "Active CSMs and owners."),
    member("segments", "list[SegmentCapacity]"), member("csms", "list[CsmLoad]"), member("unowned", "AccountLoad", "Accounts of nobody."),
    member("moves", "CapacityMoves"), member("missing", "list[str]", "What the answer lacks, and what to do about it, in words."),
    member("as_of", "DateTime"),
], "Churned and archived accounts are left out.")  # fmt: skip


async def _needed(_: Any, info: Any, said: Arguments) -> Any:
    caller, by = info.context, said.get("by")
    asked = Asked(said.get("segmentation"), by and by.value, said.get("target_use"), whose(said))
    try:
        found = await capacity.capacity(caller.db, caller.principal, asked, caller.now)
    except StrataError as error:
        raise mended(error, None) from None
    return body(ENCODER.encode(found))


QUERIES = [
    operated(
        capacity.READ, "capacity", "Optional[Capacity]", _needed, SEGMENTATION,
        argument("by", "Optional[CapacityBy]", None, "What moves are to balance; ARR where it is left out."),
        argument("target_use", "float", float(TARGET_USE), "The share of what a CSM may have that is planned with."), *BOOK,
        description="CSMs needed per segment and in all, the load of each, and moves after which nobody is above the target use.",
    ),
]  # fmt: skip
