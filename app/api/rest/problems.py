"""Pages that say what a problem is and what to do about it."""

from __future__ import annotations

from html import escape

from app.api.errors import PROBLEMS, Problem
from app.api.requests import Request
from app.api.responses import Answer, json
from app.api.rest.parameters import path
from app.api.routes import PUBLIC, Payload, Route
from app.domain.errors import NotFound

HTML = (b"content-type", b"text/html; charset=utf-8")
POLICY = (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:16px/1.6 system-ui,sans-serif;max-width:42rem;margin:4rem auto;padding:0 1rem;color:#1d2733}}
code{{background:#eef1f4;padding:.1em .35em;border-radius:4px}}a{{color:#1c5fa8}}.s{{color:#66717d}}</style></head>
<body>{body}</body></html>"""


async def one(request: Request) -> Answer:
    """The page of one problem: HTML for a browser, JSON for a program."""
    request.query(())
    problem = PROBLEMS.get(request.values[0])
    if problem is None:
        raise NotFound("There is no problem of that name.")
    if "text/html" in (request.header(b"accept") or ""):
        return Answer(_html(problem), 200, [HTML, POLICY, VARY])
    answer = json(_members(problem))
    return Answer(answer.body, 200, [*answer.headers, VARY])


async def every(request: Request) -> Answer:
    """All problems."""
    request.query(())
    if "text/html" in (request.header(b"accept") or ""):
        items = "".join(
            f'<li><a href="/problems/{p.name}">{p.status} {escape(p.title)}</a></li>' for p in PROBLEMS.values()
        )
        body = PAGE.format(title="Problems", body=f"<h1>Problems</h1><ul>{items}</ul>")
        return Answer(body.encode(), 200, [HTML, POLICY, VARY])
    answer = json({"data": [_members(problem) for problem in PROBLEMS.values()]})
    return Answer(answer.body, 200, [*answer.headers, VARY])


VARY = (b"vary", b"Accept")


def _members(problem: Problem) -> dict[str, object]:
    return {
        "type": f"/problems/{problem.name}", "title": problem.title, "status": problem.status, "advice": problem.advice,
    }  # fmt: skip


def _html(problem: Problem) -> bytes:
    advice = "".join(
        f"<code>{escape(part)}</code>" if odd % 2 else escape(part)
        for odd, part in enumerate(problem.advice.split("`"))
    )
    body = (
        f'<p class="s">{problem.status} · <a href="/problems">problems</a></p><h1>{escape(problem.title)}</h1>'
        f"<p>{advice}</p><p class=s>Answers of this kind have the type <code>/problems/{problem.name}</code>.</p>"
    )
    return PAGE.format(title=escape(problem.title), body=body).encode()


SCHEMA = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("type", "title", "advice")} | {"status": {"type": "integer"}},
    "required": ["type", "title", "status", "advice"],
}

ROUTES = (
    Route(
        "GET", "/problems", PUBLIC, every, "All problems", "problems",
        answer=Payload({"type": "object", "properties": {"data": {"type": "array", "items": SCHEMA}}, "required": ["data"]}),
    ),
    Route(
        "GET", "/problems/{name}", PUBLIC, one, "A problem and what to do about it", "problems",
        parameters=(path("name", "the last part of a problem's `type`", {"type": "string"}, "version-stale"),),
        answer=Payload(SCHEMA),
    ),
)  # fmt: skip
