"""One POST that ends in time whatever the server does, and tells nothing of its address."""

import contextlib
import http.client
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from tui.notices.back_off import retry_after_s
from tui.notices.channel_bodies import Posting
from tui.notices.delivery import Trial
from tui.notices.notice_channel import is_loopback

SILENT_S, WHOLE_S = 10.0, 20.0
AGAIN = frozenset({408, 409, 425, 429})


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer: what is sent goes where its owner said, and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class _Watched:
    """The connections of one POST, which can be cut from outside: a limit of a socket is for each read."""

    def __init__(self) -> None:
        self._open: list[http.client.HTTPConnection] = []
        self.done = threading.Event()
        self.is_cut = False

    def made(self, make: Callable[..., http.client.HTTPConnection]) -> Callable[..., Any]:
        def connection(*words: Any, **options: Any) -> http.client.HTTPConnection:
            one = make(*words, **options)
            self._open.append(one)
            return one

        return connection

    def limit(self, whole_s: float) -> None:
        """Wait until it is done, and cut it where that takes longer than `whole_s` seconds."""
        pause = whole_s
        while not self.done.wait(pause):
            self.is_cut, pause = True, 1.0  # a connection may come to be after the first cut
            for one in self._open:
                if one.sock is not None:
                    with contextlib.suppress(OSError):
                        one.sock.shutdown(socket.SHUT_RDWR)


def post(url: str, what: Posting, silent_s: float = SILENT_S, whole_s: float = WHOLE_S) -> Trial:
    """Send it. `silent_s`: for how long a server may say nothing, `whole_s`: how long all of it may take.

    Proxies are those of the environment, certificates are verified, redirects are not followed.
    """
    watched = _Watched()
    threading.Thread(target=watched.limit, args=(whole_s,), name="photinus-limit", daemon=True).start()
    try:
        return _answer(*_sent(url, what, silent_s, watched))
    except Exception as error:  # whatever it was, it costs this try alone, and its words may hold the address
        return Trial(False, _said(error, watched.is_cut))
    finally:
        watched.done.set()


def _sent(url: str, what: Posting, silent_s: float, watched: _Watched) -> tuple[int, str]:
    plain, secure = urllib.request.HTTPHandler(), urllib.request.HTTPSHandler()
    handlers = [_handler(plain, watched), _handler(secure, watched), _NoRedirects()]
    if is_loopback(urlsplit(url).hostname or ""):
        handlers.append(urllib.request.ProxyHandler({}))
    opener = urllib.request.build_opener(*handlers)
    asked = urllib.request.Request(url, what.body, dict(what.headers), method="POST")
    try:
        with opener.open(asked, timeout=silent_s) as answer:
            return int(answer.status), ""  # it is taken with its status: what follows is not read
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get("Retry-After") or ""


def _handler(one: Any, watched: _Watched) -> Any:
    """The same handler, whose connections can be cut."""
    plain = one.do_open
    one.do_open = lambda make, *words, **options: plain(watched.made(make), *words, **options)
    return one


def _answer(status: int, after: str) -> Trial:
    try:
        said = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        said = f"{status}"
    if 200 <= status < 300:
        return Trial(True, said)
    if 300 <= status < 400:
        return Trial(False, f"{said}: redirects are not followed, so give the address itself", again=False)
    again = status in AGAIN or status >= 500
    return Trial(False, said, again, retry_after_s(after, time.time()) if after else None)


def _said(error: Exception, is_cut: bool) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if is_cut or isinstance(reason, TimeoutError):
        return "no answer in time"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return f"no sound answer ({type(reason).__name__})"
