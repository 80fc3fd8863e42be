"""Headless chromium by its debugging port, and a terminal emulator for what its page is sent.

xterm.js draws on a canvas, so there is no text in the page: what the socket brought is read back into cells.
"""

import asyncio
import base64
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyte
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from tests.waiting import BUSY, wait_until

OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--window-size=1400,900", "--remote-debugging-port=0",
)  # fmt: skip


@dataclass
class Page:
    """One page: what it asked for, and what stands on its terminal.

    Attributes:
        requests: the addresses it asked for; `answers` those that answered.
        sockets: how many sockets it opened.
    """

    wire: ClientWebSocketResponse
    requests: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    sockets: int = 0
    _screen: pyte.Screen = field(default_factory=lambda: pyte.Screen(80, 24))
    _stream: pyte.ByteStream = field(default_factory=pyte.ByteStream)
    _number: int = 0
    _waiting: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    async def listen(self) -> None:
        """Take what chromium says, until it is closed."""
        async for message in self.wire:
            if message.type != WSMsgType.TEXT:
                continue
            said = json.loads(message.data)
            if (answer := self._waiting.pop(said.get("id", 0), None)) is not None:
                answer.set_result(said)
            else:
                self._take(said.get("method", ""), said.get("params", {}))
            self._news.set()

    def _take(self, method: str, told: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Network.responseReceived":
            self.answers.append(told["response"]["url"])
        elif method == "Network.webSocketCreated":
            size = parse_qs(urlsplit(told["url"]).query)
            self.sockets += 1
            self.requests.append(told["url"])
            self._screen = pyte.Screen(int(size["width"][0]), int(size["height"][0]))
            self._stream = pyte.ByteStream(self._screen)
        elif method == "Network.webSocketFrameReceived" and told["response"]["opcode"] == 2:
            self._stream.feed(base64.b64decode(told["response"]["payloadData"]))

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask chromium, and return its result."""
        self._number += 1
        answer = self._waiting[self._number] = asyncio.get_running_loop().create_future()
        await self.wire.send_json({"id": self._number, "method": method, "params": params})
        said = await asyncio.wait_for(answer, 30.0 * BUSY)
        assert "error" not in said, said
        result: dict[str, Any] = said["result"]
        return result

    async def until(self, condition: Callable[[], object], what: str, timeout: float = 30.0) -> None:
        """Wait until it holds; it is looked at whenever chromium said something."""
        try:
            async with asyncio.timeout(timeout * BUSY):
                while not condition():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"waited in vain for {what}; on the screen:\n{self.text}") from None

    async def see(self, *texts: str) -> None:
        """Wait until these stand on its terminal."""
        await self.until(lambda: all(text in self.text for text in texts), repr(texts))

    async def press(self, key: str, text: str, modifiers: int = 0) -> None:
        """One key, down and up, as somebody at the page would press it."""
        code = f"Key{key.upper()}" if len(key) == 1 and key.isalpha() else key
        number = {"Enter": 13, "Escape": 27}.get(key, ord(key[0].upper()))
        fields = {"key": key, "code": code, "modifiers": modifiers, "windowsVirtualKeyCode": number}
        kind = "keyDown" if text else "rawKeyDown"
        await self.call("Input.dispatchKeyEvent", type=kind, text=text, **fields)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **fields)

    async def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    async def reads(self, text: str) -> None:
        """Wait until this stands in the page itself."""
        is_there = f"document.body && document.body.innerText.includes({json.dumps(text)})"
        await self.run(
            f"new Promise((go) => {{ const look = () => {is_there} ? go() : setTimeout(look, 20); look() }})"
        )

    async def is_typed_into(self) -> None:
        """Give the terminal of the page the keyboard."""
        await self.run("document.querySelector('.xterm-helper-textarea').focus()")

    async def picture(self) -> bytes:
        """What a person sees, as PNG."""
        return base64.b64decode((await self.call("Page.captureScreenshot"))["data"])


@asynccontextmanager
async def chromium(program: str, folder: Path) -> AsyncIterator[Page]:
    """An empty page of a chromium with a profile of its own; it is ended afterwards, all of it."""
    profile = folder / "profile"
    process = subprocess.Popen(
        [program, *OPTIONS, f"--user-data-dir={profile}", "about:blank"],
        env={**os.environ, "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=(folder / "chromium.log").open("wb"),
        start_new_session=True,
    )
    try:
        port = profile / "DevToolsActivePort"
        wait_until(lambda: port.exists() and port.read_text().strip(), 30.0, "chromium's debugging port")
        number = port.read_text().split()[0]
        async with ClientSession() as client:
            async with client.get(f"http://127.0.0.1:{number}/json") as answer:
                address = next(one for one in await answer.json() if one["type"] == "page")
            async with client.ws_connect(address["webSocketDebuggerUrl"], max_msg_size=1 << 26) as wire:
                page = Page(wire)
                listening = asyncio.create_task(page.listen())
                for domain in ("Page", "Network", "Runtime"):
                    await page.call(f"{domain}.enable")
                yield page
                listening.cancel()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the session that was made for it above
        process.wait()
