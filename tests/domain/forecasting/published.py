"""Skips loudly where a public file is missing."""

from pathlib import Path

import pytest


def needs(file: Path) -> pytest.MarkDecorator:
    """Runs only where the file is there."""
    return pytest.mark.skipif(not file.exists(), reason=f"NOT RUN: {file} is missing; set STRATA_SHARED_DATA")
