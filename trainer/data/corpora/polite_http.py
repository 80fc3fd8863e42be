"""Politely over HTTP: one request at a time, a pause in between, few tries, nothing large, the web only."""

import http.client
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from trainer.data.progress import Pulse

CHUNK = 1 << 16
PAUSE_STEP_S = 0.1
LONGEST_TIMEOUTS = 20  # of one answer, however slowly it drips
RETRY_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
AGENT = "photinus-train corpus (one book at a time)"

Sleep = Callable[[float], None]


class FetchError(Exception):
    """A book that could not be had. Its message says why.

    Attributes:
        away: Whether the server could not be reached at all, so that asking it for another is no use.
        absent: Whether the server said that there is no such file.
    """

    def __init__(self, message: str, *, away: bool = False, absent: bool = False) -> None:
        super().__init__(message)
        self.away, self.absent = away, absent


@dataclass(frozen=True, slots=True)
class Manners:
    """How to ask.

    Attributes:
        pause_s: Seconds between two requests; Project Gutenberg asks robots for 2 at least.
        tries: Requests for one file at most.
        backoff_s: Wait before the second try; doubled for each further one.
        longest_wait_s: No wait is longer, whatever the server asks for.
        timeout_s: Seconds without a byte after which a request is given up.
        most_bytes: A longer answer is refused.
    """

    pause_s: float = 2.0
    tries: int = 4
    backoff_s: float = 4.0
    longest_wait_s: float = 60.0
    timeout_s: float = 30.0
    most_bytes: int = 32_000_000


class _SameProtocol(urllib.request.HTTPRedirectHandler):
    """Redirects that stay on the web, and never fall from https to http."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        kind = urllib.parse.urlsplit(newurl).scheme
        if kind != "https" and kind != req.type:
            raise urllib.error.HTTPError(req.full_url, code, f"redirected to {kind}", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclass(slots=True)
class Fetcher:
    """Fetches one file after the other.

    Attributes:
        pulse: Polled while waiting, so a stop is honoured.
    """

    manners: Manners
    pulse: Pulse
    sleep: Sleep = time.sleep
    _last: float = field(default=float("-inf"), init=False)
    _opener: urllib.request.OpenerDirector = field(init=False)

    def __post_init__(self) -> None:
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.UnknownHandler(),
            _SameProtocol(),
        ):
            self._opener.add_handler(handler)

    def fetch(self, url: str) -> bytes:
        """The body of `url`.

        Raises:
            FetchError: it cannot be had.
            Stopped: if a stop was asked for.
        """
        for attempt in range(self.manners.tries):
            self._wait(self._last + self.manners.pause_s - time.monotonic())
            last = attempt + 1 == self.manners.tries
            try:
                return self._ask(url)
            except urllib.error.HTTPError as error:
                if error.code not in RETRY_STATUS or last:
                    absent = error.code in (404, 410)
                    raise FetchError(f"the server said {error.code} {error.reason}", absent=absent) from error
                asked = error.headers.get("Retry-After", "") if error.headers else ""
                self._wait(float(asked) if asked.isdigit() else self._backoff(attempt))
            except (OSError, http.client.HTTPException) as error:
                reason = error.reason if isinstance(error, urllib.error.URLError) else error
                words = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
                if _is_away(reason):
                    raise FetchError(f"the server cannot be reached: {words}", away=True) from error
                if last:
                    raise FetchError(f"the connection failed: {words}") from error
                self._wait(self._backoff(attempt))
            finally:
                self._last = time.monotonic()
        raise AssertionError("the last try returns or raises")

    def _ask(self, url: str) -> bytes:
        request = urllib.request.Request(url, headers={"User-Agent": AGENT})
        with self._opener.open(request, timeout=self.manners.timeout_s) as answer:
            declared = answer.headers.get("Content-Length", "")
            body = bytearray()
            until = time.monotonic() + LONGEST_TIMEOUTS * self.manners.timeout_s
            while chunk := answer.read1(CHUNK):
                self.pulse.beat("fetch", len(body), int(declared) if declared.isdigit() else 0)
                body += chunk
                if len(body) > self.manners.most_bytes:
                    raise FetchError(f"it is longer than {self.manners.most_bytes:,} bytes")
                if time.monotonic() > until:
                    raise TimeoutError("it comes too slowly")
            if declared.isdigit() and len(body) < int(declared):
                raise http.client.IncompleteRead(bytes(body), int(declared) - len(body))
            return bytes(body)

    def _backoff(self, attempt: int) -> float:
        return float(self.manners.backoff_s * 2**attempt)

    def _wait(self, seconds: float) -> None:
        left = min(seconds, self.manners.longest_wait_s)
        while left > 0:
            self.pulse.beat("pause", 0)
            self.sleep(min(left, PAUSE_STEP_S))
            left -= PAUSE_STEP_S


def _is_away(reason: object) -> bool:
    return isinstance(reason, (socket.gaierror, ConnectionRefusedError)) or (
        isinstance(reason, OSError) and "unreachable" in (reason.strerror or "").lower()
    )
