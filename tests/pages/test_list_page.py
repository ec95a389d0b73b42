"""examples/list-page in headless Chromium, pressed as people press it, against the real server."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.domain.catalogue import ACCOUNTS, CONTACTS
from tests.api.conftest import House
from tests.pages.chromium import Tab
from tests.pages.conftest import PAGE
from tests.servers import Server
from tests.showroom import token

Json = dict[str, Any]
CONTROLS = ("button", "combobox", "textbox", "checkbox", "spinbutton", "link", "listbox")
ROWS = "[...document.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))"
COUNT = "document.querySelector('.count')?.textContent"
ENGLISH = "document.querySelector('.english').textContent"
SETTLED = "document.querySelector('.count')?.textContent && !document.querySelector('.results[aria-busy]')"


async def sign_in(tab: Tab, origin: str, server: Server, key: str, place: str = "") -> None:
    """To the page with what it shows first."""
    await tab.send("Page.navigate", url=f"{origin}/{place}")
    await tab.enter("textbox", "Address of the service", server.url)
    await tab.enter("textbox", "API key", key)
    await tab.click("button", "Sign in")
    await tab.until(SETTLED)


@pytest.fixture
async def page(tab: Tab, origin: str, allowing: Server, showroom: House) -> Tab:
    """Somebody is signed in who may save lists."""
    await sign_in(tab, origin, allowing, token(showroom, "csm"))
    return tab


async def shows(tab: Tab, count: int, noun: str = "accounts") -> None:
    """Waits until so many are found."""
    await tab.until(f"{COUNT} === '{count} {noun}' && {SETTLED}")


async def add(tab: Tab, words: str, operator: str | None = None) -> None:
    """A condition at the end of the filter."""
    await tab.click("button", "Add a condition", -1)
    await tab.pick("What is asked", words, -1)
    if operator is not None:
        await tab.choose("Operator", operator, -1)


async def found(house: House, text: str, **more: Any) -> Json:
    """What the interface answers to the same question."""
    asked = {"filter": text, "count": "exact", "limit": 1000, "fields": ["name"], **more}
    answer = await house.csm.post("/v1/accounts/query", json=asked)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


async def counted(house: House, text: str) -> int:
    value: int = (await found(house, text))["count"]["value"]
    return value


async def saved(house: House, text: str, **more: Any) -> Json:
    """A list of the csm's."""
    body = {"entity": "accounts", "name": text[:60], "criteria": {"text": text}, **more}
    answer = await house.csm.post("/v1/lists", json=body)
    assert answer.status_code == 201, answer.text
    told: Json = answer.json()
    return told


async def test_a_filter_is_built_by_pressing(page: Tab, showroom: House) -> None:
    await shows(page, 130)
    await add(page, "health", "is below")
    await page.enter("spinbutton", "Value", "60")
    await shows(page, await counted(showroom, "health < 60"))
    await add(page, "renewal date", "is in the window")
    await page.choose("Window", "the next …")
    await page.enter("spinbutton", "How many", "90")
    await shows(page, await counted(showroom, "health < 60 AND renewal_date IN next(90d)"))
    await add(page, "plan", "is")
    await page.choose("Value", "paid", -1)
    await shows(page, 0)
    await page.choose("How these conditions are joined", "any of these holds")
    text = 'health < 60 OR renewal_date IN next(90d) OR custom.plan = "paid"'
    await shows(page, await counted(showroom, text))
    checked = await showroom.csm.post("/v1/criteria/check", json={"entity": "accounts", "filter": text})
    assert await page.run(ENGLISH) == checked.json()["english"]


async def test_related_records_segments_and_groups(page: Tab, showroom: House) -> None:
    await add(page, "tickets")
    await page.choose("How", "number")
    await page.choose("Operator", "is at least")
    await page.enter("spinbutton", "Value", "1")
    await page.choose("Window", "the last …")
    await page.enter("spinbutton", "How many", "30")
    await page.click("button", "which tickets …")
    await page.pick("What is asked", "priority", -1)
    await page.choose("Operator", "is one of", -1)
    await page.pick("Add a value", "high", -1)
    await page.pick("Add a value", "urgent", -1)
    related = 'count(tickets WHERE priority IN ("high", "urgent"), last(30d)) >= 1'
    await shows(page, await counted(showroom, related))
    await page.click("button", "Add a group", -1)
    await page.choose("How these conditions are joined", "none of these holds", -1)
    await page.click("button", "Add a condition", -2)
    await page.pick("What is asked", "tier", -1)
    await page.choose("Value", "high", -1)
    await page.click("button", "Add a condition", -2)
    await page.pick("What is asked", "CSM", -1)
    await page.choose("Value: what it is", "me", -1)
    text = f'{related} AND NOT (segment.tier = "high" OR csm = @me)'
    await shows(page, await counted(showroom, text))
    await page.click("button", "Remove this group")
    await shows(page, await counted(showroom, related))


async def test_a_reference_is_found_by_its_name(page: Tab, showroom: House) -> None:
    await add(page, "CSM", "is")
    await page.pick("Value", "csm@")
    assert await page.run("document.activeElement.value") == "Csm"
    await shows(page, await counted(showroom, f'csm = "{showroom.users["csm"]}"'))
    assert await page.run(ENGLISH) == "Accounts whose CSM is Csm."
    await page.click("checkbox", "only those whose CSM is me")
    await shows(page, await counted(showroom, "csm = @me"))


async def test_pages_to_the_end_are_what_the_interface_answers(page: Tab, showroom: House) -> None:
    await page.click("button", "Health")
    await page.until(f"document.querySelector('[aria-sort=ascending]') && {SETTLED}")
    await page.click("button", "Health")
    await page.until(f"document.querySelector('[aria-sort=descending]') && {SETTLED}")
    names, first = [], 0
    while True:
        rows = await page.run(ROWS)
        names += [row[0] for row in rows]
        total = await page.run("document.querySelector('.pager span').textContent")
        assert total == f"{first + 1}–{first + len(rows)} of 130"
        first += len(rows)
        if await page.run("[...document.querySelectorAll('.pager button')].at(-1).disabled"):
            break
        await page.click("button", "Next")
        await page.until(f"{ROWS}[0][0] !== {rows[0][0]!r} && {SETTLED}")
    told = await found(showroom, "ALL", sort=["-health"])
    assert names == [row["name"] for row in told["data"]]
    await page.click("button", "Previous")
    await page.until(f"{ROWS}[0][0] === {names[100]!r}")


async def test_columns_are_chosen(page: Tab, showroom: House) -> None:
    await page.run("document.querySelector('details').open = true")
    await page.pick("Add a column", "csm email")
    await page.until("[...document.querySelectorAll('th')].some((one) => one.title === 'csm.email')")
    await page.click("button", "Remove column health")
    await page.until("![...document.querySelectorAll('th')].some((one) => one.title === 'health')")
    rows = await page.run(ROWS)
    told = await found(showroom, "ALL", fields=["name", "csm.email"], limit=25)
    assert [(row[0], row[-1]) for row in rows] == [
        (row["name"], (row["csm"] or {}).get("email") or "–") for row in told["data"]
    ]


async def test_a_list_is_saved_reopened_and_changed(page: Tab, showroom: House, origin: str) -> None:
    await add(page, "industry", "is none of")
    await page.pick("Add a value", "retail")
    await page.click("button", "ARR")
    await shows(page, await counted(showroom, 'industry NOT IN ("retail")'))
    await page.click("button", "Save as a list")
    await page.enter("textbox", "Name", "No retail")
    await page.choose("Who sees it", "everybody in the workspace sees it")
    await page.click("button", "Save")
    await page.until("!document.querySelector('dialog') && document.querySelector('h1').textContent === 'No retail'")
    address = await page.run("location.hash")
    path = f"/v1/lists/{address.split('/')[1]}"
    kept = (await showroom.viewer.get(path)).json()
    assert (kept["name"], kept["visibility"], kept["sort"]) == ("No retail", "public", ["arr"])
    assert kept["criteria"]["text"] == 'industry NOT IN ("retail")'
    assert (await showroom.viewer.get(f"{path}/count")).json()["value"] == await counted(
        showroom, 'industry NOT IN ("retail")'
    )

    await page.send("Page.reload")
    await page.until(f"document.querySelector('h1')?.textContent === 'No retail' && {SETTLED}")
    await shows(page, await counted(showroom, 'industry NOT IN ("retail")'))
    assert await page.run("document.querySelector('.chip span').textContent") == "Retail"
    await page.pick("Add a value", "media")
    await shows(page, await counted(showroom, 'industry NOT IN ("retail", "media")'))
    await page.click("button", "Save")
    await page.click("button", "Save", -1)
    await page.until("!document.querySelector('dialog')")
    now = await showroom.viewer.get(path)
    assert now.json()["criteria"]["text"] == 'industry NOT IN ("retail", "media")'

    # Somebody else is quicker: what they wrote is not overwritten.
    other = await showroom.csm.patch(path, json={"description": "theirs"}, headers={"if-match": now.headers["etag"]})
    assert other.status_code == 200
    await page.click("button", "Save")
    await page.click("button", "Save", -1)
    await page.until("document.querySelector('dialog .problem')?.textContent.includes('Somebody else')")


KEPT = (
    "ALL", "NOT ALL", "health < 50", "health < 50 AND arr >= 1000", "NOT (health < 50 OR arr >= 1000)", "NOT (NOT health < 50)",
    'name : "a" OR NOT name : "b"', 'industry IN ("retail", "media")', "industry IS NOT EMPTY", "arr IN 10..<500",
    "arr NOT IN 10..500", "arr IN 10..*", "renewal_date IN next(90d)", "renewal_date NOT IN this(fiscal_quarter)",
    "created_at < ago(3h)", "renewal_date = field(contract_end)", "csm = @me", "csm IN (@me)", "csm = @my_team",
    "none(interactions, last(30d))", 'any(invoices WHERE status IN ("unpaid", "failed"))',
    'count(tickets WHERE priority = "high" AND NOT escalated = true, last(90d)) >= 2',
    "any(contacts WHERE any(tickets, last(7d)))", "sum(usage.value WHERE is_key = true, last(30d)) < 20",
    "change(sum(usage.value), last(30d), previous(month)) < -0.2", "percent_rank(arr) >= 0.9",
    "ntile4(arr BY industry) = 4", 'segment.tier = "high"', 'in_segment("tier", "high")', 'entered("tier", "high", last(30d))',
    'custom.plan = "paid"', 'last_value(tickets.status) != "closed"', "health_band IS EMPTY", "is_reference = false",
    "arr >= $least AND health < 50", 'has_any(products, ("crm"))',
)  # fmt: skip


async def test_what_is_opened_and_saved_says_the_same(page: Tab, showroom: House) -> None:
    """Drawn or kept as it is: no criteria is changed by being shown, and all find what the interface finds."""
    drawn = 0
    for text in KEPT:
        params = [{"name": "least", "type": "number", "default": 1000}] if "$" in text else []
        made = await saved(showroom, text, params=params)
        await page.run(f"location.hash = 'accounts/{made['id']}'")
        heading = f"document.querySelector('h1').textContent === {made['name']!r}"
        await page.until(f"{heading} && {SETTLED} && document.querySelector('.english').textContent")
        count = (await showroom.csm.get(f"/v1/lists/{made['id']}/count")).json()["value"]
        await shows(page, count, "account" if count == 1 else "accounts")
        drawn += not await page.run("document.querySelector('.kept') !== null")
        await page.click("button", "Save")
        await page.click("button", "Save", -1)
        await page.until("!document.querySelector('dialog')")
        now = (await showroom.csm.get(f"/v1/lists/{made['id']}")).json()
        assert now["criteria"] == made["criteria"]
        assert (now["columns"], now["sort"], now["params"]) == (made["columns"], made["sort"], made["params"])
    assert drawn >= 28  # the rest has no editor, and is kept in words


async def test_parameters_of_a_list_are_asked_for(page: Tab, showroom: House) -> None:
    made = await saved(showroom, "arr >= $least", params=[{"name": "least", "type": "number", "default": 5000}])
    await page.run(f"location.hash = 'accounts/{made['id']}'")
    await shows(page, await counted(showroom, "arr >= 5000"))
    await page.enter("spinbutton", "least", "12000")
    await page.key("Enter")
    await shows(page, await counted(showroom, "arr >= 12000"))


async def test_an_error_stands_at_its_field(page: Tab) -> None:
    await add(page, "health", "is below")
    await page.enter("spinbutton", "Value", "60")
    await add(page, "ARR", "is at least")
    await page.enter("spinbutton", "Value", "10.125", -1)
    await page.until("document.querySelector('.problem.error')?.textContent.includes('at most 2 decimals')")
    at = "[...document.querySelectorAll('.condition')].map((one) => one.querySelectorAll('.problem').length)"
    assert await page.run(at) == [0, 1]
    wrong = "[...document.querySelectorAll('input[aria-invalid]')].map((one) => one.value)"
    assert await page.run(wrong) == ["10.125"]
    await page.enter("spinbutton", "Value", "10.12", -1)
    await page.until(f"!document.querySelector('.problem') && {SETTLED}")
    assert await page.run(wrong) == []


async def test_what_is_odd_is_said_and_can_be_asked(page: Tab) -> None:
    await add(page, "health", "is below")
    await page.enter("spinbutton", "Value", "10")
    await add(page, "health", "is above")
    await page.enter("spinbutton", "Value", "90", -1)
    await shows(page, 0)
    assert "No record can meet this" in await page.run("document.querySelector('.problem.warning').textContent")


async def test_what_is_unfinished_is_not_asked(page: Tab, showroom: House) -> None:
    """An empty input never widens what is found: nothing is asked until it is filled."""
    await add(page, "interactions")
    await page.choose("How", "none")
    await page.choose("Window", "the last …")
    await shows(page, await counted(showroom, "none(interactions, last(30d))"))
    await page.enter("spinbutton", "How many", "")
    await page.run(
        "document.activeElement.value = ''; document.activeElement.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    await page.until("document.querySelector('.results.stale')")
    assert await page.run(ENGLISH) == "A condition is not finished yet."


async def test_who_may_not_is_told(tab: Tab, origin: str, allowing: Server) -> None:
    await tab.send("Page.navigate", url=origin)
    await tab.enter("textbox", "Address of the service", allowing.url)
    await tab.enter("textbox", "API key", "strata_wrong")
    await tab.click("button", "Sign in")
    await tab.until("document.querySelector('.problem')?.textContent.includes('valid credential')")
    await tab.enter("textbox", "Address of the service", origin)
    await tab.enter("textbox", "API key", "strata_wrong")
    await tab.click("button", "Sign in")
    await tab.until("document.querySelector('.problem')?.textContent.includes('answer')")


async def test_contacts_reach_their_account(page: Tab, showroom: House) -> None:
    await page.click("link", "Contacts")
    await shows(page, 65, "contacts")
    await page.click("button", "Add a condition")
    await page.enter("combobox", "What is asked", "account: segments tier")
    await page.until("document.querySelector('.options:not([hidden]) [aria-selected]')")
    await page.key("Enter")
    await page.choose("Value", "low")
    answer = await showroom.csm.get("/v1/contacts", params={"filter": 'account.segment.tier = "low"', "count": "exact"})
    await shows(page, answer.json()["count"]["value"], "contacts")


async def test_a_list_is_found_by_its_name_and_by_keys_alone(page: Tab, showroom: House) -> None:
    made = await saved(showroom, "arr < 5000", name="Small ones", visibility="private")
    await page.pick("Open a list", "small on")
    await page.until(
        f"location.hash.endsWith('{made['id']}') && document.querySelector('h1').textContent === 'Small ones'"
    )
    await shows(page, await counted(showroom, "arr < 5000"))


async def test_every_control_has_a_name_and_a_small_screen_is_enough(page: Tab) -> None:
    await add(page, "tickets")
    await page.click("button", "which tickets …")
    await page.pick("What is asked", "opened at", -1)
    await page.choose("Operator", "is in the window", -1)
    await page.click("button", "Add a group", -1)
    await page.run("document.querySelector('details').open = true")
    nodes = [node for node in (await page.send("Accessibility.getFullAXTree"))["nodes"] if not node["ignored"]]
    controls = [node for node in nodes if node["role"]["value"] in CONTROLS]
    assert len(controls) > 30
    nameless = [node for node in controls if not node["name"]["value"]]
    assert nameless == []
    await page.size(400, 800)
    assert await page.run("document.documentElement.scrollWidth") == 400


def test_no_field_is_known_by_heart() -> None:
    """The page's own text names no field: all that it knows of them is the catalogue's."""
    everyday = {"id", "name", "status", "type", "title", "role", "version", "custom", "parent", "account", "region"}
    fields = {name for entity in (ACCOUNTS, CONTACTS) for name in (*entity.fields, *entity.relations)} - everyday
    told = "\n".join(file.read_text() for file in sorted(PAGE.glob("*.js")))
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", told, flags=re.DOTALL)
    assert sorted(name for name in fields if re.search(rf"\b{name}\b", code)) == []
