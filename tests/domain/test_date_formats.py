"""Formats of dates, as told and as refused."""

from __future__ import annotations

import pytest

from app.domain.date_formats import FormatError, read


def test_parts_come_in_iso_order() -> None:
    format_ = read("%d.%m.%Y %H:%M:%S")
    assert (format_.parts, format_.timed, format_.zoned) == ("\\3-\\2-\\1 \\4:\\5:\\6", True, False)
    assert read("%Y%%%m-%d").pattern.startswith("^([0-9]{4})%(")


@pytest.mark.parametrize(
    "told",
    ["", "%Y", "%Y-%m", "%Y-%m-%d-%d", "%Y-%m-%b-%d", "%y-%m-%d", "%Y-%m-%d %H", "%Y-%m-%d %I:%M", "%Y-%m-%d %S",
     "%Y-%m-%d %H:%M.%f", "%Y-%m-%d%z", "%Q", "%", "x" * 65],
)  # fmt: skip
def test_what_says_no_day_or_half_a_time_is_refused(told: str) -> None:
    with pytest.raises(FormatError):
        read(told)
