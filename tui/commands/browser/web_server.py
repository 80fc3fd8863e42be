"""textual-serve's application, behind who may come in. It has no such question of its own."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from aiohttp.typedefs import Middleware

from tui.commands.browser.entry_page import ENTRY, REFUSED, TOKEN_MAX
from tui.commands.browser.page_access import COOKIE, ENTER, LOOPBACK, PageAccess

LEAVE_S = 10.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def headers_for(access: PageAccess) -> Mapping[str, str]:
    """What every answer says: nothing is fetched from elsewhere, framed, kept or told to anybody."""
    own = "'self' 'unsafe-inline'"
    socket_address = access.origin.replace("http:", "ws:")
    policy = (
        f"default-src 'self' data:; script-src {own}; style-src {own}; connect-src 'self' {socket_address}; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
    }


async def cockpit_application(
    command: str, access: PageAccess, entered: Callable[[], None] = lambda: None
) -> web.Application:
    """The application: `/enter` takes the token, once, and says so; all else needs its cookie."""
    from textual_serve.server import Server

    server = Server(command, LOOPBACK, access.port, title="Photinus")
    inner = await server._make_app()
    inner.on_startup.clear()  # a banner with the command line
    app = web.Application(client_max_size=TOKEN_MAX, middlewares=[_checked(access)])
    pages: set[asyncio.Task[object]] = set()

    async def entry(_: web.Request) -> web.Response:
        return web.Response(text=ENTRY, content_type="text/html")

    async def enter(request: web.Request) -> web.Response:
        if (cookie := access.enter(await request.text())) is None:
            return web.Response(status=403, text=REFUSED)
        entered()
        answer = web.Response(text=f"{access.folder}/")
        answer.set_cookie(COOKIE, cookie, path=access.folder, httponly=True, samesite="Strict")
        return answer

    @web.middleware
    async def remembered(request: web.Request, handler: Handler) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        pages.add(task)
        try:
            return await handler(request)
        finally:
            pages.discard(task)

    async def leave(_: web.Application) -> None:
        """Ask every page's cockpit to end, and wait for it."""
        for task in tuple(pages):
            task.cancel()
        if pages:
            await asyncio.wait(tuple(pages), timeout=LEAVE_S)

    async def protect(_: web.Request, answer: web.StreamResponse) -> None:
        answer.headers.update(headers_for(access))

    app.router.add_get(ENTER, entry)
    app.router.add_post(ENTER, enter)
    inner.middlewares.append(remembered)
    app.add_subapp(access.folder, inner)
    app.on_response_prepare.append(protect)
    app.on_shutdown.append(leave)
    return app


def _checked(access: PageAccess) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if why := access.why_refused(request.method, request.path, request.headers):
            return web.Response(status=403, text=why)
        return await handler(request)

    return check


def run_server(
    command: str, access: PageAccess, listening: socket.socket, entered: Callable[[], None]
) -> None:
    """Serve until ctrl+c. There is no access log: what a page asks for is its owner's alone."""
    web.run_app(
        cockpit_application(command, access, entered),
        sock=listening,
        access_log=None,
        print=None,
        shutdown_timeout=1.0,
    )
