"""From bytes cut anywhere to blocks of whole lines: without marks, redraws, colours and what is too long."""

import codecs
import re
import zlib

LINE_LIMIT = 1 << 20
INFLATED = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_GZIP = b"\x1f\x8b\x08"
_HEAD = 3  # bytes that tell an encoding
_ESCAPES = re.compile(
    rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b\n]{0,4096}(?:\x07|\x1b\\)"
    rb"|[PX^_][^\x1b\n]{0,4096}\x1b\\|[ -/]{0,4}[0-~])"
)
_BACKSPACES = re.compile(rb"\x08+")


class LineBlocks:
    """Bytes in, blocks of whole lines out: UTF-8 without a mark, every line ended by one newline.

    A redraw (what stands between two carriage returns, or behind backspaces) is a line of its own. Escape
    sequences and NULs are taken out. A line over `LINE_LIMIT` is skipped up to its end.

    Attributes:
        overlong: lines that were skipped.
    """

    def __init__(self) -> None:
        self.overlong = 0
        self._head: bytes | None = b""  # until the encoding is known
        self._decoder: codecs.IncrementalDecoder | None = None
        self._gzip: zlib._Decompress | None = None
        self._pieces: list[bytes] = []
        self._size = 0
        self._skipping = False
        self._after_return = False

    def feed(self, data: bytes) -> list[bytes]:
        """Blocks of the lines that `data` completes."""
        if self._head is not None:
            self._head += data
            if len(self._head) < _HEAD:
                return []
            data, self._head = self._open(self._head), None
        return [block for part in self._plain(data) if (block := self._cut(part))]

    def finish(self) -> tuple[list[bytes], bytes]:
        """The end: blocks that were still to come, and the text after the last line end."""
        blocks: list[bytes] = []
        if self._head:
            head, self._head = self._head, None
            blocks = [block for part in self._plain(head) if (block := self._cut(part))]
        rest = b"" if self._skipping else b"".join(self._pieces)
        self._pieces, self._size = [], 0
        return blocks, _clean(rest)

    def _open(self, head: bytes) -> bytes:
        """Choose the decoder by the first bytes; what is left of them."""
        if head.startswith(_GZIP):
            self._gzip = zlib.decompressobj(wbits=31)
            return head
        for mark, name in _BOMS:
            if head.startswith(mark):
                if name != "utf-8":
                    self._decoder = codecs.getincrementaldecoder(name)("replace")
                return head[len(mark) :]
        return head

    def _plain(self, data: bytes) -> list[bytes]:
        """`data` as UTF-8, in parts that are bounded even where it was packed."""
        if self._decoder is not None:
            return [self._decoder.decode(data).encode("utf-8", "replace")]
        if self._gzip is None:
            return [data]
        parts = []
        try:
            while data and not self._gzip.eof:
                parts.append(self._gzip.decompress(data, INFLATED))
                data = self._gzip.unconsumed_tail
        except zlib.error:
            self._gzip = zlib.decompressobj(wbits=31)  # a torn archive: what was whole of it has been read
        return parts

    def _cut(self, data: bytes) -> bytes:
        """The whole lines of what is kept and `data`; the beginning of the next line is kept."""
        if self._after_return and data:
            data = data.removeprefix(b"\n")
            self._after_return = False
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if not end:
            self._keep(data)
            return b""
        self._after_return = data[end - 1] == 13
        whole, rest = data[:end], data[end:]
        if self._skipping:
            first = _FIRST_END.search(whole)
            whole = whole[first.end() :] if first else b""
            self._skipping = False
        elif self._pieces:
            whole = b"".join((*self._pieces, whole))
        self._pieces, self._size = [], 0
        self._keep(rest)
        return _clean(whole)

    def _keep(self, data: bytes) -> None:
        if self._skipping or not data:
            return
        self._pieces.append(data)
        self._size += len(data)
        if self._size > LINE_LIMIT:
            self._pieces, self._size, self._skipping = [], 0, True
            self.overlong += 1


_FIRST_END = re.compile(rb"[\r\n]")


def _clean(block: bytes) -> bytes:
    """Whole lines with plain newlines, without escape sequences, backspaces and NULs."""
    if b"\x1b" in block:
        block = _ESCAPES.sub(b"", block)
    if b"\x08" in block:
        block = _BACKSPACES.sub(b"\r", block)
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\0" in block:
        block = block.replace(b"\0", b"")
    return block
