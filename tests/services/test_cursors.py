"""Cursors: what is sealed comes back, and nothing else does."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Unreadable
from app.services.cursors import Key, seal, unseal

SECRET, QUESTION = b"s" * 32, b"accounts, and so on"
AS_OF = datetime(2026, 11, 22, 9, 30, 0, 123456, tzinfo=UTC)
KEYS: st.SearchStrategy[Key] = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text(), st.dates(),
    st.datetimes(timezones=st.just(UTC)), st.uuids(),
)  # fmt: skip


@given(keys=st.lists(KEYS, max_size=5), as_of=st.datetimes(timezones=st.just(UTC)))
def test_what_is_sealed_comes_back(keys: list[Key], as_of: datetime) -> None:
    assert unseal(SECRET, QUESTION, seal(SECRET, QUESTION, as_of, keys)) == (as_of, tuple(keys))


def test_types_come_back_as_they_were() -> None:
    keys = (1, 1.0, True, "1", date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), UUID(int=1), None)
    _, found = unseal(SECRET, QUESTION, seal(SECRET, QUESTION, AS_OF, keys))
    assert [type(key) for key in found] == [type(key) for key in keys]


def refused(secret: bytes, question: bytes, cursor: str) -> tuple[str, object]:
    with pytest.raises(Unreadable) as raised:
        unseal(secret, question, cursor)
    assert raised.value.faults[0].parameter == "cursor"
    return raised.value.detail, raised.value.faults


def test_forged_foreign_and_other_are_refused_alike() -> None:
    cursor = seal(SECRET, QUESTION, AS_OF, (5, UUID(int=7)))
    changed = [cursor[:n] + ("A" if cursor[n] != "A" else "B") + cursor[n + 1 :] for n in range(len(cursor))]
    told = {
        refused(SECRET, QUESTION, one)
        for one in (*changed, "", "x", "ü", "=", cursor + "A", cursor + "=", cursor[:-1], "A" * 99_999)
    }
    told |= {refused(b"t" * 32, QUESTION, cursor), refused(SECRET, b"another", cursor)}
    told |= {refused(SECRET, QUESTION, f" {cursor}"), refused(SECRET, QUESTION, cursor.replace("_", "/") + "\n")}
    assert len(told) == 1


def test_it_tells_nobody_what_it_is_for() -> None:
    assert "accounts" not in seal(SECRET, QUESTION, AS_OF, ())
