"""Steps of an account's playbook and success plan, said to be done or to be done again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from app.domain import records, values
from app.domain.criteria.suggest import nearest
from app.domain.errors import Conflict, Fault, Invalid
from app.domain.roles import permit
from app.domain.segmentation.care import PLANS, Care
from app.domain.values import PROSE, MisfitError
from app.persistence import account_names, steps
from app.persistence.database import Database, Record, Transaction
from app.services import effects
from app.services.account_names import named
from app.services.calls import ENCODER, Call, Written, once
from app.services.care import models
from app.services.held import held
from app.services.segmentation_documents import instant

MEMBERS = ("plan", "step", "done", "note")
STEP = "accounts.step"


async def mark(db: Database, call: Call, account_id: UUID, slug: str, body: Mapping[str, object]) -> Written:
    """A step of the segment in which the account stands, as `{plan, step, done?, note?}` says: done unless told otherwise.
    It counts until the account leaves the segment.

    Raises Invalid, NotFound for an account or segmentation that is not there, Forbidden, Conflict where the account stands
    nowhere yet.
    """
    permit(call.principal, STEP, own=True)
    given = _read(body)

    async def act(tx: Transaction) -> Written:
        workspace_id = call.principal.workspace.id
        segmentation = await held(tx, call, STEP, account_id, slug)
        standing = await steps.stands(tx, workspace_id, segmentation["id"], account_id)
        if standing is None:
            raise Conflict("The account stands nowhere in this segmentation yet.")
        segment, since = standing
        _known(models(msgspec.json.decode(segmentation["segments"])).get(segment, Care()), given)
        key = (account_id, segmentation["id"], since, given["plan"], given["step"])
        before = await steps.one(tx, workspace_id, key)
        if given["done"]:
            await steps.put(tx, workspace_id, key, given["note"], call.now, call.principal.user_id)
        else:
            await steps.delete(tx, workspace_id, key)
        after = await steps.one(tx, workspace_id, key)
        known = await account_names.names(tx, workspace_id, (account_id,))
        done = effects.differing("accounts", account_id, _audited(slug, given, before), _audited(slug, given, after))
        answer = {
            "segmentation": slug, "account_id": account_id, "account": named(known[account_id]), "segment": segment, "since": instant(since), "plan": given["plan"],
            "step": given["step"], "done": after is not None, "note": None if after is None else after["note"],
            "done_at": None if after is None else instant(after["done_at"]), "author_id": None if after is None else after["author_id"],
        }  # fmt: skip
        return Written(account_id, 1, ENCODER.encode(answer), before is None and after is not None, done)

    return await once(db, call, f"{STEP} {account_id} {slug}", act)


def _known(model: Care, given: Mapping[str, Any]) -> None:
    names = [step.name for step in model.steps if step.plan == given["plan"]]
    if given["step"] not in names:
        message = "Expected a step of this plan of the segment in which the account stands."
        fault = Fault(message, pointer="/step", suggestion=nearest(given["step"], names))
        raise Invalid(faults=(fault,))


def _read(body: Mapping[str, object]) -> dict[str, Any]:
    members = records.only(body, MEMBERS)
    faults: list[Fault] = []
    given: dict[str, Any] = {"done": True, "note": None}
    for name, read in (("plan", _plan), ("step", values.text), ("done", values.boolean), ("note", _note)):
        try:
            if members.get(name) is not None:
                given[name] = read(members[name])
            elif name in ("plan", "step"):
                faults.append(Fault(f"Expected a {name}: it cannot be left out.", pointer=f"/{name}"))
        except MisfitError as misfit:
            faults.append(misfit.fault(f"/{name}"))
    if faults:
        raise Invalid(faults=tuple(faults))
    return given


def _plan(told: object) -> str:
    if told in PLANS:
        return str(told)
    raise MisfitError(f"one of {', '.join(PLANS)}", nearest(told, PLANS) if isinstance(told, str) else None)


def _note(told: object) -> str:
    return values.text(told, PROSE)


def _audited(slug: str, given: Mapping[str, Any], row: Record | None) -> dict[str, Any]:
    """A step as a member of its account."""
    said = None if row is None else {"note": row["note"], "done_at": row["done_at"]}
    return {"steps": {slug: {given["plan"]: {given["step"]: said}}}}
