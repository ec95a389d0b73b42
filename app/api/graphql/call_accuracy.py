"""What was called of renewals, against what happened."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, member, operated, output
from app.api.graphql.resources import body
from app.api.graphql.writing import Arguments
from app.services import call_accuracy

_SHARE = "Optional[float]"


def figures() -> list[Any]:
    """Of calls, as types name them."""
    return [
        member("calls", "int"), member("due", "Money"), member("called", "Money", "Probability times amount, all together."),
        member("brought", "Money"), member("bias", _SHARE, "(called - brought) / due."), member("bias_low", _SHARE),
        member("bias_high", _SHARE), member("accuracy", _SHARE, "1 - sum |called - brought| / due."), member("brier", "float"),
        member("said_share", "float"), member("renewed_share", "float"), member("renewed_low", "float"),
        member("renewed_high", "float"), member("verdict", "str"),
    ]  # fmt: skip


output("CallFigures", figures(), "What forecasts had said of the same renewals.")
output("CallTrack", [
    member("key", "Optional[str]"), member("name", "Optional[str]"), *figures(), member("category_probability", _SHARE),
    member("computed", "Optional[CallFigures]"), member("words", "str"),
])  # fmt: skip
output("CallAccuracy", [
    member("by", "str"), member("from", "Optional[Date]"), member("to", "Optional[Date]"), member("least", "int"),
    member("calls", "int"), member("total", "Optional[CallTrack]"), member("groups", "list[CallTrack]"), member("words", "str"),
], "How good calls of renewals were.")  # fmt: skip


async def _get(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return body(
        await call_accuracy.get(
            caller.db, caller.principal, caller.now, said.get("by"), said.get("from_"), said.get("to")
        )
    )


QUERIES = [
    operated(
        call_accuracy.READ, "renewal_call_accuracy", "CallAccuracy", _get,
        argument("by", "Optional[str]", None, "csm, author, category, month or segment.<slug>; csm where it is left out."),
        argument("from", "Optional[Date]", None, "The first day on which renewals closed."),
        argument("to", "Optional[Date]", None, "The day after the last one."),
        description="The last call that stood the day before a renewal closed, against what happened.",
    ),
]  # fmt: skip
