"""Headless Chromium driven over its pipe of the DevTools protocol: what people see and press, by role and name."""

from __future__ import annotations

import asyncio
import base64
import fcntl
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless=new", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--disable-gpu",
    "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--lang=en-US",
)  # fmt: skip
PATIENCE = 20.0
KEYS = {"Enter": 13, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38, "Tab": 9}
SELECT = """function (label) {
  const option = [...this.options].find((one) => one.label === label);
  if (!option) return [...this.options].map((one) => one.label);
  this.value = option.value;
  this.dispatchEvent(new Event("change", { bubbles: true }));
  return null;
}"""
Json = dict[str, Any]


def program() -> str | None:
    """Where Chromium is, None where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class WrongError(AssertionError):
    """The page is not as it was expected."""


@dataclass(slots=True)
class Browser:
    """A browser that answers; messages are JSON with a zero byte behind each."""

    writer: asyncio.StreamWriter
    waiting: dict[int, asyncio.Future[Json]] = field(default_factory=dict)
    told: list[Json] = field(default_factory=list)
    numbers: Callable[[], int] = field(default_factory=lambda: itertools.count(1).__next__)

    async def send(self, method: str, session: str | None = None, **params: Any) -> Json:
        """Calls a method of the protocol; raises WrongError for what it refuses."""
        number = self.numbers()
        self.waiting[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": params, **({"sessionId": session} if session else {})}
        self.writer.write(json.dumps(message).encode() + b"\0")
        try:
            answer = await asyncio.wait_for(self.waiting[number], PATIENCE)
        finally:
            del self.waiting[number]
        if "error" in answer:
            raise WrongError(f"{method}: {answer['error']}")
        result: Json = answer["result"]
        return result

    async def read(self, reader: asyncio.StreamReader) -> None:
        """Hands out what comes in, until the browser is gone."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                message = json.loads((await reader.readuntil(b"\0"))[:-1])
                if (future := self.waiting.get(message.get("id", 0))) and not future.done():
                    future.set_result(message)
                elif "method" in message:
                    self.told.append(message)


@asynccontextmanager
async def opened(home: Path) -> AsyncIterator[Browser]:
    """Chromium with a profile of its own under `home`."""
    command = program()
    assert command is not None, "Chromium is not there"
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()

    def placed() -> None:
        for number, end in (
            (3, fcntl.fcntl(theirs_in, fcntl.F_DUPFD, 10)),
            (4, fcntl.fcntl(theirs_out, fcntl.F_DUPFD, 10)),
        ):
            os.dup2(end, number)

    sandbox = () if os.geteuid() else ("--no-sandbox",)
    with (home / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            [command, *FLAGS, *sandbox, f"--user-data-dir={home / 'profile'}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, close_fds=False, preexec_fn=placed,  # noqa: PLW1509 - it places two descriptors
        )  # fmt: skip
    os.close(theirs_in)
    os.close(theirs_out)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 27)
    read, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours_in, "rb"))
    write, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, os.fdopen(ours_out, "wb"))
    browser = Browser(asyncio.StreamWriter(write, protocol, None, loop))
    reading = asyncio.create_task(browser.read(reader))
    try:
        yield browser
    finally:
        with suppress(WrongError, TimeoutError):
            await browser.send("Browser.close")
        reading.cancel()
        write.close()
        read.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass(slots=True)
class Tab:
    """A tab of the browser."""

    browser: Browser
    session: str
    target: str

    @classmethod
    async def new(cls, browser: Browser, width: int = 1280, height: int = 900) -> Tab:
        """An empty tab of this size, which notes what fails in it."""
        target = (await browser.send("Target.createTarget", url="about:blank"))["targetId"]
        session = (await browser.send("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        tab = cls(browser, session, target)
        for domain in ("Page", "Runtime", "DOM", "Accessibility", "Log"):
            await tab.send(f"{domain}.enable")
        await tab.size(width, height)
        return tab

    async def close(self) -> None:
        await self.browser.send("Target.closeTarget", targetId=self.target)

    async def send(self, method: str, **params: Any) -> Json:
        return await self.browser.send(method, self.session, **params)

    async def size(self, width: int, height: int) -> None:
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    async def dark(self, on: bool) -> None:
        """The colours that its user prefers."""
        features = [{"name": "prefers-color-scheme", "value": "dark" if on else "light"}]
        await self.send("Emulation.setEmulatedMedia", features=features)

    async def run(self, script: str) -> Any:
        """What an expression gives, as JSON."""
        answer = await self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise WrongError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    async def until(self, script: str) -> None:
        """Waits until an expression gives something."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while not await self.run(f"Boolean({script})"):
            if asyncio.get_running_loop().time() > deadline:
                raise WrongError(
                    f"{script} was not so in time; the page says:\n{await self.run('document.body.innerText')}"
                )
            await asyncio.sleep(0.03)

    async def all(self, role: str, name: str) -> list[int]:
        """The elements of this role and accessible name, in the order of the page."""
        root = (await self.send("DOM.getDocument", depth=0))["root"]["backendNodeId"]
        found = await self.send("Accessibility.queryAXTree", backendNodeId=root, role=role, accessibleName=name)
        return [node["backendDOMNodeId"] for node in found["nodes"] if not node["ignored"]]

    async def one(self, role: str, name: str, at: int = 0) -> int:
        """One of them, waited for; a negative `at` counts from the last one."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            with suppress(WrongError, IndexError):  # a page that is being drawn has other nodes at once
                return (await self.all(role, name))[at]
            if asyncio.get_running_loop().time() > deadline:
                said = await self.run("document.body.innerText")
                raise WrongError(f"there is no {role} “{name}”; the page says:\n{said}")
            await asyncio.sleep(0.03)

    async def click(self, role: str, name: str, at: int = 0) -> None:
        """Presses it where it stands."""
        node = await self.one(role, name, at)
        await self.send("DOM.scrollIntoViewIfNeeded", backendNodeId=node)
        left, top, _, _, right, bottom, *_ = (await self.send("DOM.getContentQuads", backendNodeId=node))["quads"][0]
        for kind in ("mousePressed", "mouseReleased"):
            await self.send(
                "Input.dispatchMouseEvent", type=kind, x=(left + right) / 2, y=(top + bottom) / 2, button="left", clickCount=1
            )  # fmt: skip

    async def choose(self, name: str, label: str, at: int = 0) -> None:
        """The option of a select."""
        node = await self.one("combobox", name, at)
        held = (await self.send("DOM.resolveNode", backendNodeId=node))["object"]["objectId"]
        answer = await self.send(
            "Runtime.callFunctionOn", objectId=held, functionDeclaration=SELECT, returnByValue=True,
            arguments=[{"value": label}],
        )  # fmt: skip
        if (others := answer["result"].get("value")) is not None:
            raise WrongError(f"{name} has no option “{label}”, but {others}")

    async def enter(self, role: str, name: str, text: str, at: int = 0) -> None:
        """Types into it, in place of what stands there."""
        await self.send("DOM.focus", backendNodeId=await self.one(role, name, at))
        await self.run("document.activeElement.select?.()")
        await self.send("Input.insertText", text=text)

    async def pick(self, name: str, words: str, at: int = 0) -> None:
        """By keyboard alone: types into a list to choose from, and takes what is found first."""
        await self.enter("combobox", name, words, at)
        await self.until("document.querySelector('.options:not([hidden]) [aria-selected]')")
        await self.key("Enter")

    async def key(self, name: str) -> None:
        """Presses a key."""
        text = {"text": "\r"} if name == "Enter" else {}
        said = {"key": name, "code": name, "windowsVirtualKeyCode": KEYS[name]}
        await self.send("Input.dispatchKeyEvent", type="keyDown", **said, **text)
        await self.send("Input.dispatchKeyEvent", type="keyUp", **said)

    async def picture(self, path: Path) -> None:
        """The whole page as PNG."""
        shot = await self.send("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def failures(self) -> list[str]:
        """What went wrong in the page: exceptions, and errors of the console but for answers that were refused."""
        found = []
        for message in self.browser.told:
            params = message["params"]
            if message["method"] == "Runtime.exceptionThrown":
                found.append(str(params["exceptionDetails"].get("exception", params)))
            elif message["method"] == "Log.entryAdded":
                level, source = (params["entry"][name] for name in ("level", "source"))
                if level == "error" and source != "network":
                    found.append(params["entry"]["text"])
        return found
