"""A Project Gutenberg of a few made-up books, on the loopback."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.trainer.data.prose import prose


def book(title: str, author: str, number: int, *, body: str = "", old: bool = False) -> bytes:
    """A file with the header and footer of one generation or the other."""
    body = body or prose(12_000, number)
    if old:
        return (
            f"**The Project Gutenberg Etext of {title}, by {author}**\n\nPlease take a look.\n\n"
            f"*END THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n\n{body}\n\n"
            f"End of The Project Gutenberg Etext of {title}\n"
        ).encode("cp1252")
    return (
        f"The Project Gutenberg eBook of {title}\n\nTitle: {title}\n\nAuthor: {author}\n\n"
        f"Release date: May 1, 2000 [eBook #{number}]\n\n"
        f"*** START OF THE PROJECT GUTENBERG EBOOK {title.upper()} ***\n\n{body}\n\n"
        f"*** END OF THE PROJECT GUTENBERG EBOOK {title.upper()} ***\n\nSection 1. General Terms of Use\n"
    ).encode()


@dataclass
class Library:
    """What the server has and how it behaves.

    Attributes:
        files: path -> body.
        faults: path -> status codes to answer with before the body; 0 breaks the connection off halfway.
        moved: path -> where it says the file is.
        asked: how often each path was asked for.
        agents: who asked.
    """

    base: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[int]] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    agents: set[str] = field(default_factory=set)

    def put(self, number: int, body: bytes) -> str:
        """Shelve a book; return its path."""
        path = f"/cache/epub/{number}/pg{number}.txt"
        self.files[path] = body
        return path


@contextmanager
def opened() -> Iterator[Library]:
    """Serve until left."""
    library = Library()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            library.asked[self.path] += 1
            library.agents.add(self.headers.get("User-Agent", ""))
            fault = library.faults[self.path].pop(0) if library.faults.get(self.path) else None
            body = library.files.get(self.path)
            if self.path in library.moved:
                self.send_response(302)
                self.send_header("Location", library.moved[self.path])
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif fault or body is None:
                self.send_response(fault or 404)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body if fault is None else body[: len(body) // 2])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    library.base = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield library
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
