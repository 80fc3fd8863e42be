"""A served page whose cockpit is a program of three lines, and a client that says what a browser would."""

import shlex
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
from aiohttp import ClientSession, CookieJar, web

from tui.commands.browser.page_access import PageAccess
from tui.commands.browser.serve import listen
from tui.commands.browser.web_server import cockpit_application

PROGRAM = """
import sys
sys.stdout.buffer.write(b"__GANGLION__\\nD" + (5).to_bytes(4, "big") + b"hello")
sys.stdout.flush()
sys.stdin.buffer.read()
"""
COMMAND = f"exec {shlex.join([sys.executable, '-c', PROGRAM])}"


@dataclass
class Served:
    """A server, and a client of it that starts with no cookie."""

    access: PageAccess
    client: ClientSession
    entered: list[bool] = field(default_factory=list)

    @property
    def token(self) -> str:
        return self.access.address.partition("#")[2]

    @property
    def page(self) -> str:
        return f"{self.access.origin}{self.access.folder}/"

    @property
    def socket(self) -> str:
        return f"{self.page}ws".replace("http:", "ws:")

    async def bring(self, token: str, **headers: str) -> tuple[int, str]:
        """What the entry page does: its status, and what it says."""
        said = {"Origin": self.access.origin} | headers
        async with self.client.post(f"{self.access.origin}/enter", data=token, headers=said) as answer:
            return answer.status, await answer.text()

    async def get(self, url: str, **headers: str) -> int:
        async with self.client.get(url, headers=headers) as answer:
            return answer.status

    async def hello(self, **headers: str) -> bytes:
        """What the cockpit of a page writes first; WSServerHandshakeError where the socket is refused."""
        said = {"Origin": self.access.origin} | headers
        async with self.client.ws_connect(self.socket, headers=said) as page:
            return await page.receive_bytes(timeout=60.0)


Serve = Callable[[], Awaitable[Served]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a server; it and its client are closed afterwards."""
    async with AsyncExitStack() as stack:

        async def start() -> Served:
            listening = listen(0)
            access = PageAccess(listening.getsockname()[1])
            client = await stack.enter_async_context(ClientSession(cookie_jar=CookieJar(unsafe=True)))
            served = Served(access, client)
            app = await cockpit_application(COMMAND, access, lambda: served.entered.append(True))
            runner = web.AppRunner(app, shutdown_timeout=1.0)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.SockSite(runner, listening).start()
            return served

        yield start
