"""bulkUpsert: many records of one entity, each as JSON with the names of REST."""

from __future__ import annotations

from typing import Any

import msgspec

from app.api.graphql.build import argument, choices, member, operated, output
from app.api.graphql.callers import ENCODER
from app.api.graphql.writing import KEY, Arguments
from app.domain import bulk as rules
from app.domain.catalogue import ENTITIES
from app.services import bulk
from app.services.importing.json_records import Sent

choices("BulkEntity", tuple(entity.name for entity in ENTITIES.values() if entity.imported))
choices("BulkMode", rules.MODES, "Whether one bad record refuses everything, or the others land.")
choices("BulkOutcome", rules.OUTCOMES)
output("BulkError", [
    member("pointer", "Optional[str]", "JSON pointer into the arguments: `/records/17/arr`."), member("message", "str"),
    member("suggestion", "Optional[str]", "The nearest known name."),
])  # fmt: skip
output("BulkResult", [
    member("index", "int", "Of the record, from 0."), member("id", "Optional[ID]", "Null of what was rejected, and of usage."),
    member("outcome", "BulkOutcome"), member("version", "Optional[int]"), member("errors", "list[BulkError]"),
])  # fmt: skip
output("BulkPayload", [
    *(member(outcome, "int") for outcome in rules.OUTCOMES),
    member("results", "list[BulkResult]", "In the order of the records."),
])  # fmt: skip


def _sent(records: list[Any]) -> Sent:
    try:
        raw = ENCODER.encode(records)
    except (UnicodeEncodeError, OverflowError):  # what no JSON can say is read, and refused, record by record
        raw = b""
    return Sent(raw, len(records), lambda: records)


async def _upsert(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    mode = rules.mode(said["mode"].value if said.get("mode") else None)
    call = caller.call(info, said)
    written = await bulk.upsert(caller.db, call, said["entity"].value, _sent(said["records"]), mode)
    return msgspec.json.decode(written.body)


MUTATIONS = [
    operated(
        "records.bulk", "bulk_upsert", "Optional[BulkPayload]", _upsert, argument("entity", "BulkEntity"),
        argument("records", "list[JSON]", description=f"1 to {rules.RECORDS:,}, members named as in REST: `renewal_date`."),
        argument("mode", "Optional[BulkMode]", None), KEY,
        description="Makes or changes each record by its external id, slug, or what usage is known by. Members that are not "
        "given stay as they are. One request may have 1 MB; REST takes more.",
    ),
]  # fmt: skip
