"""What is said of paths that name no field, and where it is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.catalogue import ENTITIES
from app.domain.criteria.fields import resolve, shown
from app.domain.criteria.nodes import NOWHERE
from app.domain.errors import Invalid
from tests.laws.trees import WORKSPACE

BARE = replace(WORKSPACE, attributes={})


@pytest.mark.parametrize(
    ("entity", "path", "message", "suggestion"),
    [
        (
            "contacts",
            "account.parent.name",
            "account.parent is compared by id, external id or e-mail",
            "account.parent",
        ),
        ("contacts", "account.helth", "accounts have no such field.", "account.health"),
        ("contacts", "account.tickets.status", "account.tickets are many", None),
        ("contacts", "account.segment.teir", "There is no such segmentation.", "account.segment.tier"),
        ("accounts", "custom.foo", "accounts have no such attribute.", None),
        ("contacts", "account.custom.foo", "accounts have no such attribute.", None),
    ],
)
def test_of_what_is_asked(entity: str, path: str, message: str, suggestion: str | None) -> None:
    with pytest.raises(Invalid) as refused:
        resolve(path, ENTITIES[entity], BARE, NOWHERE)
    (fault,) = refused.value.faults
    assert fault.message.startswith(message)
    assert fault.suggestion == suggestion


def test_of_what_is_sorted_or_grouped() -> None:
    with pytest.raises(Invalid) as refused:
        shown("csm.name", ENTITIES["accounts"], BARE, parameter="sort")
    (fault,) = refused.value.faults
    assert (
        fault.message
        == "csm is a reference: accounts are neither sorted nor grouped by the fields of what it refers to; they can be grouped by it itself."
    )
    assert (fault.parameter, fault.suggestion) == ("sort", None)
    with pytest.raises(Invalid, match=r"account\.csm is a reference"):
        shown("account.csm.name", ENTITIES["contacts"], BARE)
