"""Who may come in to a served cockpit, asked of the real server by aiohttp's own client."""

import logging

import pytest
from aiohttp import ClientSession, WSServerHandshakeError, web
from textual_serve.server import Server

from tests.tui.commands.browser.conftest import COMMAND, Serve, Served
from tui.commands.browser.page_access import PageAccess
from tui.commands.browser.serve import listen
from tui.commands.browser.web_server import cockpit_application

FOREIGN = ("http://127.0.0.1:1", "http://evil.example", "null", "https://127.0.0.1")


async def let_in(serve: Serve) -> Served:
    served = await serve()
    assert await served.bring(served.token) == (200, f"{served.access.folder}/")
    return served


async def test_the_token_opens_page_files_and_socket(serve: Serve) -> None:
    served = await let_in(serve)
    assert await served.get(served.page) == 200
    assert await served.get(f"{served.page}static/js/textual.js") == 200
    assert await served.hello() == b"hello"
    assert served.entered == [True]


async def test_without_it_page_files_and_socket_are_refused(serve: Serve) -> None:
    served = await serve()
    assert await served.get(served.page) == 403
    assert await served.get(f"{served.page}static/js/textual.js") == 403
    with pytest.raises(WSServerHandshakeError) as refused:
        await served.hello()
    assert refused.value.status == 403
    assert await served.get(f"{served.access.origin}/enter") == 200, "the page that would bring it"


async def test_the_token_works_once(serve: Serve) -> None:
    served = await let_in(serve)
    status, said = await served.bring(served.token)
    assert status == 403
    assert "used already" in said
    assert "photinus serve" in said
    assert served.entered == [True]
    assert await served.get(served.page) == 200, "who came in stays"


async def test_a_wrong_token_uses_nothing_up(serve: Serve) -> None:
    served = await serve()
    for wrong in ("", "x", served.token[:-1], served.token + "x", "ä"):
        assert (await served.bring(wrong))[0] == 403
    assert (await served.bring("x" * 5000))[0] == 413
    assert (await served.bring(served.token))[0] == 200


async def test_a_wrong_cookie_is_refused(serve: Serve) -> None:
    served = await serve()
    for wrong in ("photinus-page=x", "photinus-page=", "a=b", '"', "photinus-page"):
        assert await served.get(served.page, Cookie=wrong) == 403


async def test_the_cookie_goes_to_no_other_port_and_to_no_script(serve: Serve) -> None:
    served = await serve()
    async with served.client.post(
        f"{served.access.origin}/enter", data=served.token, headers={"Origin": served.access.origin}
    ) as answer:
        said = answer.headers["Set-Cookie"]
    for part in (f"Path={served.access.folder}", "HttpOnly", "SameSite=Strict"):
        assert part in said
    assert len(served.access.folder) > 20, "a path that nobody guesses: other ports are never sent it"


@pytest.mark.parametrize("host", ["localhost:{port}", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1"])
async def test_another_host_is_refused_though_it_has_the_cookie(serve: Serve, host: str) -> None:
    served = await let_in(serve)
    wrong = host.format(port=served.access.port)
    cookies = "; ".join(f"{one.key}={one.value}" for one in served.client.cookie_jar)
    assert await served.get(served.page, Host=wrong, Cookie=cookies) == 403
    assert await served.get(f"{served.access.origin}/enter", Host=wrong) == 403
    assert await served.get(served.page, Cookie=cookies) == 200, "the control"
    with pytest.raises(WSServerHandshakeError):
        await served.hello(Host=wrong, Cookie=cookies)


@pytest.mark.parametrize("origin", FOREIGN)
async def test_another_origin_is_refused_though_it_has_the_cookie(serve: Serve, origin: str) -> None:
    served = await let_in(serve)
    with pytest.raises(WSServerHandshakeError) as refused:
        await served.hello(Origin=origin)
    assert refused.value.status == 403
    assert await served.get(served.page, Origin=origin) == 403
    assert await served.hello() == b"hello", "the control"


async def test_a_socket_or_a_token_without_an_origin_comes_from_no_browser(serve: Serve) -> None:
    served = await serve()
    async with served.client.post(f"{served.access.origin}/enter", data=served.token) as answer:
        assert answer.status == 403
    await served.bring(served.token)
    with pytest.raises(WSServerHandshakeError):
        async with served.client.ws_connect(served.socket):
            pass


async def test_textual_serve_alone_would_let_anybody_in() -> None:
    """The negative control of all of the above: the refusals are ours."""
    listening = listen(0)
    port = listening.getsockname()[1]
    runner = web.AppRunner(await Server(COMMAND, "127.0.0.1", port)._make_app(), shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        async with ClientSession() as client:
            headers = {"Host": "evil.example", "Origin": "http://evil.example"}
            async with client.ws_connect(f"ws://127.0.0.1:{port}/ws", headers=headers) as page:
                assert await page.receive_bytes(timeout=60.0) == b"hello"
    finally:
        await runner.cleanup()


async def test_nothing_comes_from_elsewhere_and_nothing_is_kept_or_framed(serve: Serve) -> None:
    served = await let_in(serve)
    async with served.client.get(served.page) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "fonts.googleapis.com" in await answer.text(), "textual-serve's page asks for one"
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http:" not in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_the_token_stands_in_no_log_of_any_server(caplog: pytest.LogCaptureFixture) -> None:
    """With the access log that ours has not: the token is in no line that a request could leave."""
    caplog.set_level(logging.DEBUG)
    listening = listen(0)
    access = PageAccess(listening.getsockname()[1])
    token = access.address.partition("#")[2]
    runner = web.AppRunner(await cockpit_application(COMMAND, access), access_log=logging.getLogger("seen"))
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        async with ClientSession() as client:
            async with client.get(access.address) as answer:
                assert answer.status == 200
            said = {"Origin": access.origin}
            async with client.post(f"{access.origin}/enter", data=token, headers=said) as answer:
                assert answer.status == 200
            assert "GET /enter" in caplog.text
            assert "POST /enter" in caplog.text
            assert token not in caplog.text
            async with client.get(f"{access.origin}/enter?token={token}") as answer:
                await answer.read()
        assert token in caplog.text, "the control: in a query it would"
    finally:
        await runner.cleanup()
