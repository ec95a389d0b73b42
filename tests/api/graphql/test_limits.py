"""Document bombs: each of at most 16 KiB is refused or planned within a tenth of a second.

What is held is the number of calls that it takes, which is the same on every machine; the time is printed (`-s`).
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import get_introspection_query

from app.api.graphql import documents, limits
from app.api.graphql.build import camel
from app.api.graphql.callers import Caller
from app.api.graphql.documents import Documents
from app.api.graphql.engine import CORE, Engine
from app.api.graphql.requests import Asked
from app.api.graphql.types import type_name
from app.domain.catalogue import ENTITIES, Entity
from app.domain.errors import StrataError, Unreadable
from app.domain.roles import Principal
from app.domain.workspaces import Person
from app.persistence.database import Database
from tests.laws.trees import WORKSPACE, id_of

MOST_CALLS = 1_000_000
"""Of functions of Python and of C: about a tenth of a microsecond each."""


def spread(count: int, inner: str, of: str = "Query") -> str:
    """Fragments that each spread the next one twice."""
    chain = "".join(f"fragment f{n} on {of}{{{inner.format(n + 1)}}}" for n in range(count))
    return f"{chain}fragment f{count} on {of}{{__typename}}"


def numbered(pattern: str, count: int, between: str = " ") -> str:
    return between.join(pattern.format(n) for n in range(count))


def negated(times: int) -> dict[str, Any]:
    """A filter that is denied so often."""
    return {"not": negated(times - 1)} if times else {"all": True}


def columns(entity: Entity) -> str:
    """Every field of an entity."""
    return " ".join(camel(field.column) for field in entity.fields.values())


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
    "pairs of fragments": "{accounts{nodes{" + numbered("...f{}", 45) + "}}}" + numbered("fragment f{} on Account{{id name arr health}}", 45),
    "fragments in every set": "{accounts(first:1){nodes{" + numbered("a{}:csm{{...f0 ...f1}}", 120) + "}}}" + numbered("fragment f{} on User{{id name}}", 45),
    "fields beside fragments": "{accounts(first:1){nodes{" + numbered("b{}:name", 300) + numbered(" ...f{}", 40) + "}}}"
    + numbered("fragment f{0} on Account{{a{0}:id x{0}:name y{0}:arr}}", 40),
    "each fragment in all before it": "{...f0}" + "".join(f"fragment f{n} on Query{{me{{role}}" + "".join(f"...f{m}" for m in range(n + 1, min(n + 18, 45))) + "}" for n in range(45)),
    "fields that cannot be merged": "{accounts(first:1){nodes{" + numbered("...on Account{{contacts(first:{}){{id}}}}", 100) + "}}}",
    "exclusive kinds": '{node(id:"x"){' + "".join(f"...on {type_name(e)}{{id externalId createdAt}}" for e in ENTITIES.values() if e.key != "none") * 12 + "}}",
    "variables in every operation": numbered("query q{}($a:Int){{...f0}}", 25) + numbered("fragment f{0} on Query{{a{0}:accounts(first:$a){{totalCount}}}}", 24),
    "names nearly known": "{accounts(first:1){nodes{" + numbered("acount{}", 900) + "}}}",
    "arguments nearly known": "{" + numbered("a{}:accounts(wher:{{}},filte:1,orderB:1,firs:1){{totalCount}}", 19) + "}",
    "members nearly known": "mutation{createAccount(input:{" + numbered("nam{}:1", 600, ",") + "}){created}}",
    "types nearly known": "query(" + numbered("$v{}:Accoun", 300) + "){__typename}",
    "directives on every field": "{accounts(first:1){nodes{" + numbered("a{}:name@include(if:true)@skip(if:false)", 130) + "}}}",
    "escapes": '{accounts(filter:"' + "\\u00e9" * 2600 + '"){totalCount}}',
    "everything that introspection has": "{__schema{types{name fields{name args{name type{name ofType{name}} defaultValue} type{name ofType{name}}} inputFields{name type{name}} enumValues{name}}}}",
    "nothing but braces": "}" * 16000,
    "beyond ASCII": "{" + "é" * 8000 + "}",
    "empty": "",
    "white": " " * 16000,
}  # fmt: skip


NODE = 'n{}:node(id:"00000000-0000-7000-8000-000000000000"){{...F}}'
OFTEN = "{" + numbered(NODE, 19) + "} fragment F on Account{%s}"
DAYS = " OR ".join(f"opened_at IN last({n}d)" for n in range(1, 100))
PLANNED = {
    "what all nodes have": '{node(id:"x"){' + numbered("a{}:id", 190) + "}}",
    "what all nodes have, and much of it": '{node(id:"x"){' + numbered("a{}:id", 640) + "}}",
    "what all nodes have, for each of some": "{" + numbered(NODE.replace("...F", "a:id b:id c:id d:id e:id f:id g:id h:id i:id"), 19) + "}",
    "every kind of node": '{node(id:"00000000-0000-7000-8000-000000000000"){'
    + "".join(f"...on {type_name(e)}{{{columns(e)}}}" for e in ENTITIES.values() if e.key != "none") + "}}",
    "every field of every entity": "{" + " ".join(f"{e.name}{{totalCount nodes{{{columns(e)}}} edges{{cursor}}}}" for e in ENTITIES.values()) + "}",
    "leaves under many nodes": OFTEN % numbered("a{}:name", 100),
    "references under many nodes": OFTEN % numbered("a{}:csm{{id}}", 48),
    "relations under many nodes": OFTEN % numbered("a{}:contacts(first:1){{id}}", 32),
    "criteria under many nodes": OFTEN % numbered('a{}:contacts(first:1,filter:"is_primary = true"){{id}}', 16),
    "long criteria under many nodes": OFTEN % f'a:tickets(first:1,filter:"{DAYS}"){{id}}',
    "longer criteria under many nodes": OFTEN % numbered(f'a{{}}:tickets(first:1,filter:"{DAYS}"){{{{id}}}}', 5),
    "long criteria": "{" + numbered(f'a{{}}:tickets(first:1,filter:"{DAYS}"){{{{nodes{{{{id}}}}}}}}', 5) + "}",
    "short criteria": "{" + numbered('a{}:accounts(first:1,filter:"' + "OR ".join(["arr>1 "] * 99) + '"){{nodes{{id}}}}', 19) + "}",
    "folds": "{" + numbered('a{}:accounts(first:1,filter:"' + " AND ".join(f"count(tickets, last({n}d)) > 1" for n in range(1, 11)) + '"){{totalCount}}', 19) + "}",
    "trees": "{" + numbered('a{}:accounts(first:1,where:{{and:[' + '{{cmp:{{of:"arr",cmp:gt,value:1}}}}' * 9 + "]}}){{totalCount}}", 19) + "}",
    "parents of parents": "{accounts(first:1){nodes{" + "parent{" * 11 + numbered("a{}:name", 600) + "}" * 11 + "}}}",
    "mutations": "mutation{" + numbered('a{}:updateAccount(id:"x",expectedVersion:1,input:{{name:"x"}}){{account{{id name}}}}', 19) + "}",
    "members that no input has": "mutation{createAccount(input:{" + numbered("a{}:1", 900, ",") + "}){created}}",
    "a wide value": 'mutation{createAccount(input:{name:"x",custom:{' + numbered("a{}:1", 900, ",") + "}}){created}}",
}  # fmt: skip
"""Documents that are well made and much to plan."""
AGAIN = (
    "query($f:String,$w:AccountFilter){" + numbered("a{}:accounts(first:1,filter:$f,where:$w){{totalCount}}", 19) + "}"
)
VARIABLES: dict[str, dict[str, Any]] = {
    "text": {"f": " OR ".join(f"arr > {n}" for n in range(199))},
    "a long text": {"f": "arr = 1 OR " * 90_000 + "arr = 1"},
    "a wide tree": {"w": {"and": [{"all": True}] * 30_000}},
    "a deep tree": {"w": negated(90)},
    "a list": {"w": {"in": {"of": "arr", "values": list(range(200_000))}}},
}


class Work:
    """How many calls were made, and the milliseconds of CPU that went by: of the second time, without counting."""

    calls = 0
    ms = 0.0

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Counts what is called within."""
        sys.setprofile(self._called)
        try:
            yield
        finally:
            sys.setprofile(None)

    @contextlib.contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Times what is done within, and says so."""
        began = time.process_time()
        yield
        self.ms = (time.process_time() - began) * 1000
        print(f"{self.ms:6.1f} ms {self.calls:8,} calls  {name}")

    def _called(self, _frame: object, event: str, _argument: object) -> None:
        self.calls += event in ("call", "c_call")


@pytest.fixture(name="work")
def measuring(db: Database) -> Callable[..., Awaitable[int]]:
    """The calls that reading and planning a document takes; nothing is kept from one time to the next."""
    person = Person(id_of("users", 0), (id_of("users", 0),))
    who = Principal(id_of("users", 0), WORKSPACE, "admin", person)

    async def answered(text: str, variables: Mapping[str, Any]) -> None:
        caller = Caller(db, datetime.now(UTC), "r", who, secret=b"s" * 32)
        with contextlib.suppress(StrataError, documents.DocumentError):
            await Engine().answer(caller, text.encode(), lambda: Asked(text, variables, None))

    async def work(name: str, text: str, variables: Mapping[str, Any]) -> int:
        done = Work()
        with done.counted():
            await answered(text, variables)
        with done.timed(name):
            await answered(text, variables)
        return done.calls

    return work


@pytest.mark.parametrize("name", [*BOMBS, *PLANNED])
async def test_bomb(work: Callable[..., Awaitable[int]], name: str) -> None:
    text = {**BOMBS, **PLANNED}[name][: limits.MAX_CHARACTERS]
    assert await work(name, text, {}) < MOST_CALLS


@pytest.mark.parametrize("name", VARIABLES)
async def test_variables(work: Callable[..., Awaitable[int]], name: str) -> None:
    """What a document does with its variables counts as if it stood there."""
    assert await work(name, AGAIN, VARIABLES[name]) < MOST_CALLS


def read(text: str) -> None:
    """Read a document as nobody, whatever comes of it."""
    with contextlib.suppress(Unreadable, documents.DocumentError):
        Documents(CORE).read(text, {}, False)


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_of_nobody(name: str) -> None:
    text, done = BOMBS[name][: limits.MAX_CHARACTERS], Work()
    with done.counted():
        read(text)
    with done.timed(name):
        read(text)
    assert done.calls < MOST_CALLS


def test_one_criteria_of_any_size() -> None:
    """What the language takes, a document takes."""
    widest = " OR ".join(f"renewal_date IN last({n}d)" for n in range(1, 200))
    Documents(CORE).read("query($f:String){accounts(filter:$f){nodes{id}}}", {"f": widest}, True)
    listed = {"in": {"of": "arr", "values": list(range(1_000))}}
    Documents(CORE).read("query($w:AccountFilter){accounts(where:$w){nodes{id}}}", {"w": listed}, True)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("{" + " " * limits.MAX_CHARACTERS + "__typename}", "16384"),
        ("{" + "id " * 2000 + "}", "2000 tokens"),
        ("{" + "...{" * 20 + "accounts{nodes" + "{parent" * 14 + "{id}" + "}" * 14 + "}" + "}" * 21, "15 levels"),
        ("{accounts(first:1000){nodes{contacts(first:1000){id}}}}", "500,000 values"),
        ("{" + numbered("a{}:__typename", 21) + "}", "20 fields"),
        ("{accounts{nodes{" + "name " * 400 + "}}}", "over and over"),
        ("{__schema{types{fields{" + numbered("a{}:name", 100) + "}}}}", "500,000 values"),
        (PLANNED["longer criteria under many nodes"], "more work"),
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
