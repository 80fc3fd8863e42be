"""Who may see a served cockpit: the browser that first brought the token, from the one address.

The token comes behind the `#` of an address, which no browser sends and no server logs, and is exchanged
once for a cookie. A cookie goes to every port of a machine: its path, which nobody else knows, keeps it from
others.
"""

import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

LOOPBACK = "127.0.0.1"
COOKIE = "photinus-page"
ENTER = "/enter"


class PageAccess:
    """The token, the cookie and the address of one server.

    Attributes:
        origin: the one address of its pages.
        folder: the path below which the cockpit lies; part of what only its browser knows.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.origin = f"http://{LOOPBACK}:{port}"
        self.folder = f"/{secrets.token_urlsafe(16)}"
        self._token = secrets.token_urlsafe(32)
        self._cookie = secrets.token_urlsafe(32)
        self._is_used = False

    @property
    def address(self) -> str:
        """The address that lets a browser in, once."""
        return f"{self.origin}{ENTER}#{self._token}"

    def enter(self, token: str) -> str | None:
        """The cookie for a token that is right and was not used; else None."""
        if self._is_used or not secrets.compare_digest(token.encode(), self._token.encode()):
            return None
        self._is_used = True
        return self._cookie

    def why_refused(self, method: str, path: str, headers: Mapping[str, str]) -> str:
        """Why this request is refused, in words for its reader; empty where it is let in.

        A page of another address, which some name leads to this machine, has another Host; a script of
        another page has another Origin. A socket or a form without any comes from no browser.
        """
        if headers.get("Host", "") != self.origin.removeprefix("http://"):
            return f"Photinus answers at {self.origin} alone"
        origin = headers.get("Origin")
        is_page = method in ("GET", "HEAD") and "Upgrade" not in headers
        if origin != self.origin and not (is_page and origin is None):
            return f"Photinus answers pages of {self.origin} alone"
        if path == ENTER or self._has_cookie(headers.get("Cookie", "")):
            return ""
        return "This page is its owner's alone. `photinus serve` prints an address that opens it, once."

    def _has_cookie(self, text: str) -> bool:
        try:
            found = SimpleCookie(text).get(COOKIE)
        except CookieError:
            return False
        return found is not None and secrets.compare_digest(found.value.encode(), self._cookie.encode())
