"""Numbers as JSON and files write them, read exactly: none is rounded, none is too long to be kept."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

DIGITS = 40
"""Characters of a number, and places that its first digit may be away from the point."""
LEAST, MOST = -(2**63), 2**63 - 1


class TooWideError(ValueError):
    """A number beyond what can be stored."""


def exact(text: str) -> Decimal | int:
    """The value of a number with a point or an exponent: int where it is whole and within 64 bits. Raises TooWideError."""
    if len(text) > DIGITS:
        raise TooWideError
    try:
        value = Decimal(text)
    except InvalidOperation:  # an exponent of a score of digits
        raise TooWideError from None
    if value and abs(value.adjusted()) > DIGITS:
        raise TooWideError
    # 5.0 and 5e0 are whole numbers, as they are to JSON Schema: some languages write every number with a point.
    return int(value) if LEAST <= value <= MOST and value == value.to_integral_value() else value
