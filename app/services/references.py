"""What a record refers to, looked up within its workspace: what is another's cannot be told from what is not there."""

from __future__ import annotations

from uuid import UUID

from app.domain.criteria.coerce import identity
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault
from app.domain.records import Named, Value
from app.persistence import accounts, users
from app.persistence.database import Reader, Transaction


async def user(reader: Reader, workspace_id: UUID, told: Value, pointer: str) -> UUID | Fault:
    """The active user of an id, or Named by id, external id or e-mail."""
    key, name, at = _told(told, pointer)
    row = await users.named(reader, workspace_id, key, name)
    if row is None:
        return Fault("Expected a user of this workspace.", pointer=at)
    if not row["is_active"]:
        return Fault("Expected an active user.", pointer=at)
    found: UUID = row["id"]
    return found


async def account(reader: Reader, workspace_id: UUID, told: Value, pointer: str) -> UUID | Fault:
    """The account of an id, or Named by id or external id."""
    key, name, at = _told(told, pointer)
    found = await accounts.named(reader, workspace_id, key, name)
    return found or Fault("Expected an account of this workspace.", pointer=at)


async def slug(reader: Reader, workspace_id: UUID, target: str, told: str, pointer: str) -> list[Fault]:
    """Nothing where there is such an industry or stage, else a Fault with the nearest one."""
    known = await accounts.slugs(reader, workspace_id, target)
    if told in known:
        return []
    return [
        Fault(
            f"Expected the slug of one of the workspace's {target}.", pointer=pointer, suggestion=nearest(told, known)
        )
    ]


async def circle(tx: Transaction, workspace_id: UUID, account_id: UUID, parent_id: UUID) -> list[Fault]:
    """Nothing where the account may hang under the parent, else the Fault: a circle, or a chain that is too long."""
    above = await accounts.above(tx, workspace_id, parent_id)
    if account_id in above:
        return [Fault("Expected a parent that is not the account itself or below it.", pointer="/parent_id")]
    if len(above) >= accounts.DEPTH:
        return [Fault(f"Expected fewer than {accounts.DEPTH} parents above an account.", pointer="/parent_id")]
    return []


def _told(told: Value, pointer: str) -> tuple[UUID | None, str, str]:
    """Id where it reads as one, name, and where it was said."""
    if isinstance(told, UUID):
        return told, str(told), pointer
    if not isinstance(told, Named):
        raise TypeError("a reference is a UUID or Named")
    return identity(told.name), told.name, told.pointer
