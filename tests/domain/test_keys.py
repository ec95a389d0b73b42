"""The text of an API key."""

from __future__ import annotations

import secrets

import pytest

from app.domain import keys

TOKEN = keys.token(bytes(range(20)))


def test_a_token_carries_160_bits_and_a_checksum() -> None:
    assert TOKEN.startswith("strata_aaaqeayeaudaocajbifqydiob4ibceqt")
    assert len(TOKEN) == 7 + 32 + 7
    assert len({keys.token(secrets.token_bytes(20)) for _ in range(100)}) == 100
    assert all(keys.well_formed(keys.token(secrets.token_bytes(20))) for _ in range(100))


def test_any_slip_is_told_by_the_checksum() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    for at in range(7, len(TOKEN)):
        for letter in letters:
            if letter != TOKEN[at]:
                assert not keys.well_formed(TOKEN[:at] + letter + TOKEN[at + 1 :])


@pytest.mark.parametrize(
    "told", ["", "strata_", TOKEN.upper(), TOKEN + "\n", TOKEN + "a", " " + TOKEN, "strata_" + "a" * 39, "x" * 10_000]
)
def test_what_has_not_the_shape_is_no_token(told: str) -> None:
    assert not keys.well_formed(told)


def test_only_the_hash_is_stored() -> None:
    assert len(keys.digest(TOKEN)) == 32
    assert TOKEN.encode() not in keys.digest(TOKEN)
