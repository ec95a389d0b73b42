"""Document bombs: each of at most 16 KiB is refused or read within a tenth of a second of CPU."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from graphql import get_introspection_query

from app.api.graphql import documents, limits
from app.api.graphql.documents import Documents
from app.api.graphql.engine import CORE
from app.domain.errors import Unreadable

MOST_SECONDS = 0.1


def spread(count: int, inner: str, of: str = "Query") -> str:
    """Fragments that each spread the next one twice."""
    chain = "".join(f"fragment f{n} on {of}{{{inner.format(n + 1)}}}" for n in range(count))
    return f"{chain}fragment f{count} on {of}{{__typename}}"


def numbered(pattern: str, count: int, between: str = " ") -> str:
    return between.join(pattern.format(n) for n in range(count))


BOMBS = {
    "one field again and again": "{accounts{nodes{" + "name " * 3200 + "}}}",
    "as often as tokens allow": "{accounts{nodes{" + "name " * 1900 + "}}}",
    "aliases": "{accounts{nodes{" + numbered("a{}:name", 640) + "}}}",
    "too many roots": "{" + numbered("a{}:me{{role}}", 300) + "}",
    "deep": "{" + "parent{" * 180 + "id" + "}" * 181,
    "deeper than the parser": "{" + "a{" * 8000,
    "brackets": "{a(x:" + "[" * 16000,
    "objects": "{a(x:" + "{a:" * 5000,
    "fragments that double": "{...f0}" + spread(40, "...f{0} ...f{0}"),
    "fragments that double and nest": "{accounts{nodes{...f0}}}" + spread(40, "x:parent{{...f{0}}} y:parent{{...f{0}}}", "Account"),
    "a fragment in itself": "{...a} fragment a on Query{...a}",
    "fragments in a circle": "{accounts{nodes{...a}}} fragment a on Account{parent{...b}} fragment b on Account{parent{...a}}",
    "a chain of fragments": "{...f0}" + numbered("fragment f{0} on Query{{a{0}:__typename ...f{0}}}", 45),
    "all fragments side by side": "{" + numbered("...f{}", 45) + "}" + numbered("fragment f{} on Query{{accounts{{nodes{{a:id b:name}}}}}}", 45),
    "the same nested": "{" + "accounts{nodes{id id id id id id id id}} " * 110 + "}",
    "many operations": numbered("query q{}{{__typename}}", 480),
    "many variables": "query(" + numbered("$v{}:Int", 480) + "){__typename}",
    "variables that are used in circles": "query(" + numbered("$v{}:Int", 60) + "){" + numbered("a{0}:accounts(first:$v{0}){{totalCount}}", 60) + "}",
    "directives": "{accounts" + "@include(if:true)" * 300 + "{totalCount}}",
    "unknown directives": "{accounts" + "@x" * 900 + "{totalCount}}",
    "unknown fields": "{accounts{nodes{" + numbered("x{}", 1900) + "}}}",
    "unknown arguments": "{accounts(" + numbered("y{}:1", 600, ",") + "){totalCount}}",
    "one argument again and again": "{accounts(" + "first:1 " * 600 + "){totalCount}}",
    "a name without end": "{" + "a" * 16000 + "}",
    "an enum value without end": '{accounts(where:{cmp:{of:"a",cmp:' + "x" * 15000 + ",value:1}}){totalCount}}",
    "comments": "#\n" * 8000 + "{__typename}",
    "commas": "," * 16000 + "{__typename}",
    "a string without end": '{node(id:"' + "x" * 16000,
    "block strings": '{node(id:"""' + "\n" * 15000 + '"""){id}}',
    "criteria, deep": "{accounts(where:" + "{not:" * 190 + "{all:true}" + "}" * 190 + "){totalCount}}",
    "criteria, wide": "{accounts(where:{and:[" + "{all:true}" * 380 + "]}){totalCount}}",
    "criteria, again and again": "{" + "accounts(where:{and:[{all:true}{all:true}{all:true}]}){totalCount} " * 70 + "}",
    "inline fragments, deep": "{" + "...{" * 180 + "__typename" + "}" * 181,
    "inline fragments": "{" + "...{__typename}" * 480 + "}",
    "rows times rows": "{accounts(first:1000){nodes{contacts(first:1000){id}}}}",
    "rows by default": "{accounts{nodes{contacts{interactions{id}} tickets{contact{usage{day}}}}}}",
    "a number without end": "{accounts(first:" + "9" * 15000 + "){totalCount}}",
    "types of fields of types": "{__schema{types{fields{type{fields{type{fields{name}}}}}}}}",
    "the schema again and again": "{" + numbered("s{}:__schema{{types{{fields{{name type{{name}}}}}}}}", 20) + "}",
    "nothing but braces": "}" * 16000,
    "beyond ASCII": "{" + "é" * 8000 + "}",
    "empty": "",
    "white": " " * 16000,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("known", [True, False])
def test_bomb(name: str, known: bool) -> None:
    text = BOMBS[name][: limits.MAX_CHARACTERS]
    reader = Documents(CORE)
    took = []
    for _ in range(3):
        began = time.process_time()
        with contextlib.suppress(Unreadable, documents.DocumentError):
            reader.read(text, {}, known)
        took.append(time.process_time() - began)
    assert min(took) < MOST_SECONDS


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("{" + " " * limits.MAX_CHARACTERS + "__typename}", "16384"),
        ("{" + "id " * 2000 + "}", "2000 tokens"),
        ("{" + "...{" * 20 + "accounts{nodes" + "{parent" * 14 + "{id}" + "}" * 14 + "}" + "}" * 21, "15 levels"),
        ("{accounts(first:1000){nodes{contacts(first:1000){id}}}}", "500,000 values"),
        ("{" + numbered("a{}:__typename", 21) + "}", "20 fields"),
        ("{accounts{nodes{" + "name " * 400 + "}}}", "over and over"),
    ],
)
def test_names_the_limit(text: str, limit: str) -> None:
    with pytest.raises((Unreadable, documents.DocumentError)) as refusal:
        Documents(CORE).read(text, {}, True)
    error: Any = refusal.value
    said = error.errors[0].message if isinstance(error, documents.DocumentError) else error.detail
    assert limit in said


def test_first_counts_from_variables() -> None:
    text = "query($n:Int!=1000){accounts(first:$n){nodes{contacts(first:1000){id}}}}"
    with pytest.raises(Unreadable):
        Documents(CORE).read(text, {}, True)
    with pytest.raises(Unreadable):
        Documents(CORE).read(text, {"n": 1000}, True)
    Documents(CORE).read(text, {"n": 10}, True)


def test_suggests_to_those_it_knows() -> None:
    reader = Documents(CORE)
    said = []
    for known in (True, False):
        with pytest.raises(documents.DocumentError) as refusal:
            reader.read("{acounts{totalCount}}", {}, known)
        said.append(refusal.value.errors[0].message)
    assert "Did you mean 'accounts'" in said[0]
    assert "mean" not in said[1]


def test_reads_the_standard_introspection() -> None:
    Documents(CORE).read(get_introspection_query(input_value_deprecation=True, specified_by_url=True), {}, True)
