"""A store that speaks S3 on a loopback port, stricter than the real one: signed or refused, short pages.

An object is there once its whole body is. Every request is kept, so that a test can say what came after what.
"""

import hashlib
import hmac
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

KEY, SECRET, REGION, BUCKET = "stand-in", "not-a-secret", "us-east-1", "bucket"
PAGE = 3


class S3StandIn(ThreadingHTTPServer):
    """One bucket.

    Attributes:
        objects: key -> bytes.
        asked: method, key and status of every request that was answered.
        cut: the connection of a PUT to a key that ends so is dropped in the middle; empty: of none.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.asked: list[tuple[str, str, int]] = []
        self.cut = ""

    @property
    def url(self) -> str:
        """Its endpoint."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no matter."""


@contextmanager
def serving() -> Iterator[S3StandIn]:
    """A store that is there for a while."""
    with S3StandIn() as store:
        thread = threading.Thread(target=store.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield store
        store.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: S3StandIn

    def _route(self) -> None:
        split = urlsplit(self.path)
        self.query = dict(parse_qsl(split.query, keep_blank_values=True))
        bucket, _, self.key = unquote(split.path).lstrip("/").partition("/")
        if self.command == "PUT" and self.server.cut and self.key.endswith(self.server.cut):
            self.rfile.read(int(self.headers["Content-Length"]) // 2)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = _decoded(self.rfile.read(int(self.headers.get("Content-Length", 0))), self.headers)
        if not _is_signed(self.command, split.path, split.query, self.headers):
            self._fault(403, "SignatureDoesNotMatch")
        elif bucket != BUCKET:
            self._fault(404, "NoSuchBucket")
        elif body is None:
            self._fault(400, "IncompleteBody")
        else:
            getattr(self, f"_{self.command.lower()}")(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _route  # noqa: N815

    def _get(self, _body: bytes) -> None:
        if not self.key:
            self._list()
        elif (data := self.server.objects.get(self.key)) is None:
            self._fault(404, "NoSuchKey")
        elif wanted := self.headers.get("Range"):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            end = min(int(last or len(data)), len(data) - 1)
            place = {"Content-Range": f"bytes {first}-{end}/{len(data)}"}
            self._answer(206, data[int(first) : end + 1], place)
        else:
            self._answer(200, data)

    def _head(self, _body: bytes) -> None:
        data = self.server.objects.get(self.key) if self.key else b""
        if data is None:
            self._fault(404, "NoSuchKey")
        else:
            self._answer(200, data)

    def _put(self, body: bytes) -> None:
        if "uploadId" in self.query:
            self.server.parts[self.query["uploadId"]][int(self.query["partNumber"])] = body
        else:
            self.server.objects[self.key] = body
        self._answer(200, b"")

    def _post(self, body: bytes) -> None:
        if "uploads" in self.query:
            number = f"u{len(self.server.parts)}"
            self.server.parts[number] = {}
            self._answer(200, _xml("InitiateMultipartUploadResult", f"<UploadId>{number}</UploadId>"))
        elif "uploadId" in self.query:
            parts = self.server.parts.pop(self.query["uploadId"])
            self.server.objects[self.key] = b"".join(parts[number] for number in sorted(parts))
            self._answer(200, _xml("CompleteMultipartUploadResult", f"<Key>{escape(self.key)}</Key>"))
        elif "delete" in self.query:
            gone = [piece.partition("</Key>")[0] for piece in body.decode().split("<Key>")[1:]]
            for key in gone:
                self.server.objects.pop(key, None)
                self.server.asked.append(("DELETE", key, 204))
            said = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in gone)
            self._answer(200, _xml("DeleteResult", said))
        else:
            self._fault(400, "InvalidRequest")

    def _delete(self, _body: bytes) -> None:
        self.server.objects.pop(self.key, None)
        self._answer(204, b"")

    def _list(self) -> None:
        """Keys and common prefixes in order, a few at a time."""
        prefix, delimiter = self.query.get("prefix", ""), self.query.get("delimiter", "")
        rows: dict[str, str] = {}
        for key in sorted(key for key in self.server.objects if key.startswith(prefix)):
            below, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            if found:
                name = f"{prefix}{below}{delimiter}"
                rows[name] = f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>"
            else:
                data = self.server.objects[key]
                rows[key] = (
                    f"<Contents><Key>{escape(key)}</Key><Size>{len(data)}</Size><ETag>{_etag(data)}</ETag>"
                    "<LastModified>2026-11-30T00:00:00.000Z</LastModified></Contents>"
                )
        after = [name for name in rows if name > self.query.get("continuation-token", "")]
        page = after[: min(PAGE, int(self.query.get("max-keys", PAGE)))]
        told = "".join(rows[name] for name in page)
        told += f"<IsTruncated>{'true' if after[len(page) :] else 'false'}</IsTruncated>"
        if after[len(page) :]:
            told += f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>"
        head = f"<Name>{BUCKET}</Name><KeyCount>{len(page)}</KeyCount>"
        self._answer(200, _xml("ListBucketResult", head + told))

    def _answer(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.server.asked.append((self.command, self.key, status))
        self.send_response(status)
        plain = {"Content-Length": str(len(data)), "ETag": _etag(data)}
        stamp = {"Last-Modified": "Mon, 30 Nov 2026 00:00:00 GMT"}
        for name, value in {**plain, **stamp, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _fault(self, status: int, code: str) -> None:
        self._answer(status, _xml("Error", f"<Code>{code}</Code><Message>{code} said the stand-in</Message>"))

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


def _xml(root: str, inner: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><{root}>{inner}</{root}>'.encode()


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _decoded(data: bytes, headers: Message) -> bytes | None:
    """The body without the framing of `aws-chunked`; None where it is not as long as it said."""
    long = headers.get("x-amz-decoded-content-length")
    if long is None:
        return data
    out, rest = b"", data
    while True:
        head, _, rest = rest.partition(b"\r\n")
        size = int(head.partition(b";")[0] or b"0", 16)
        if not size:
            return out if len(out) == int(long) else None
        out, rest = out + rest[:size], rest[size + 2 :]


def _is_signed(method: str, path: str, query: str, headers: Message) -> bool:
    """Whether the request bears the signature (version 4) of the one key that there is."""
    told = headers.get("Authorization", "")
    kind, _, rest = told.partition(" ")
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    scope = fields.get("Credential", "").split("/")
    if kind != "AWS4-HMAC-SHA256" or len(scope) != 5 or scope[0] != KEY:
        return False
    names = fields["SignedHeaders"].split(";")
    lines = [f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in names]
    pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parse_qsl(query, True))
    body = headers.get("x-amz-content-sha256", "")
    asked = "\n".join(
        (method, quote(unquote(path), safe="/-_.~"), "&".join(f"{k}={v}" for k, v in pairs), "".join(lines),
         ";".join(names), body)
    )  # fmt: skip
    digest = hashlib.sha256(asked.encode()).hexdigest()
    text = "\n".join((kind, headers.get("x-amz-date", ""), "/".join(scope[1:]), digest))
    key = f"AWS4{SECRET}".encode()
    for part in scope[1:]:
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), fields.get("Signature", ""))
