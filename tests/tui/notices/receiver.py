"""A server on loopback that takes notices, fails, stalls, drips or answers 429, as a test says."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = int | str  # a status, `429 SECONDS`, `stall`, `drip`


class Receiver:
    """What came, by path; `answers` are used up in turn, then all is well."""

    def __init__(self) -> None:
        self.answers: dict[str, deque[Answer]] = defaultdict(deque)
        self.heard: list[tuple[str, str, bytes, dict[str, str]]] = []
        self.taken: list[tuple[str, str]] = []
        self.left = threading.Event()
        self.port = 0
        self.on_taken: Callable[[str], None] = lambda path: None

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    def keys(self, path: str) -> list[str]:
        """Of what was taken there."""
        return [key for where, key in self.taken if where == path]


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            path, key = self.path.strip("/"), self.headers["Idempotency-Key"]
            receiver.heard.append((path, key, body, dict(self.headers)))
            answer = receiver.answers[path].popleft() if receiver.answers[path] else 200
            if answer == "stall":
                receiver.left.wait(60.0)
            elif answer == "drip":
                for letter in b"HTTP/1.1 " + b"2" * 1000:
                    self.wfile.write(bytes([letter]))  # raises once the other end is cut
                    if receiver.left.wait(0.05):
                        break
            else:
                status, _, after = str(answer).partition(" ")
                if status == "200":
                    receiver.taken.append((path, key))
                    receiver.on_taken(path)
                self.send_response(int(status))
                for header in ("Retry-After",) if after else ():
                    self.send_header(header, after)
                if status.startswith("3"):
                    self.send_header("Location", receiver.url("elsewhere"))
                self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Handler


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass  # a client that was cut


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver at work."""
    receiver = Receiver()
    server = _Quiet(("127.0.0.1", 0), _handler(receiver))
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.left.set()
        server.shutdown()
        server.server_close()
        thread.join()
