"""GraphiQL, small and our own, in one file that needs no internet."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

_PARTS = {name: files(__name__).joinpath(f"graphiql.{name}").read_text("utf-8") for name in ("html", "css", "js")}


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


PAGE = _PARTS["html"].replace("/*style*/", _PARTS["css"]).replace("/*script*/", _PARTS["js"]).encode()
"""The page."""
POLICY = (
    f"default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"script-src {_hash(_PARTS['js'])}; style-src {_hash(_PARTS['css'])}"
).encode()
"""What the page may do: run its own script, talk to its own server."""
