"""What comes before every format: encodings, line ends, redraws, colours, and lines that are too long."""

import gzip

import pytest

from trainer.telemetry.events import Metrics
from trainer.telemetry.formats.candidates import Candidates
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.kssm.kssm_v3 import KssmV3
from trainer.telemetry.formats.log_blocks import LINE_LIMIT, LineBlocks
from trainer.telemetry.formats.scripts.nanogpt import NanoGpt
from trainer.telemetry.recogniser import LogRecogniser

ROWS = "".join(f"iter {step}: loss 2.5000, time 10.00ms, mfu 1.00%\n" for step in range(0, 50, 10))
STEPS = [0, 10, 20, 30, 40]


def steps(data: bytes, size: int = 1 << 20) -> list[int | None]:
    log = LogRecogniser()
    pieces = [data[place : place + size] for place in range(0, len(data), size)]
    events = [event for piece in pieces for event in log.feed(piece)] + log.finish()
    return [event.step for event in events if isinstance(event, Metrics)]


@pytest.mark.parametrize("size", [1, 5, 1 << 20])
@pytest.mark.parametrize(
    "data",
    [
        ROWS.encode(),
        ROWS.replace("\n", "\r\n").encode(),
        ROWS.replace("\n", "\r").encode(),
        b"\xef\xbb\xbf" + ROWS.encode(),
        b"\xff\xfe" + ROWS.encode("utf-16-le"),
        b"\xfe\xff" + ROWS.encode("utf-16-be"),
        gzip.compress(ROWS.encode()),
        gzip.compress(ROWS.encode())[:-9],
        ROWS.replace("iter", "\x1b[1;32miter\x1b[0m").encode(),
        ROWS.replace("iter", "\x1b]0;title\x07\x1b[2K\x1b[Aiter").encode(),
        ROWS.replace("iter", "half a bar\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08iter").encode(),
        ROWS.replace("iter", "[default0]:iter").encode(),
        ROWS.replace("iter", "2031-01-02T03:04:05Z INFO:train.loop: iter").encode(),
        ROWS.replace("iter", "(RayTrainWorker pid=91, ip=10.0.0.1) iter").encode(),
        b"\0" * 512 + ROWS.encode(),
    ],
    ids=[
        "plain", "crlf", "cr", "mark", "utf-16-le", "utf-16-be", "gzip", "torn-gzip", "colour", "controls",
        "backspaces", "rank", "logger", "ray", "nuls",
    ],
)  # fmt: skip
def test_a_row_is_found_however_it_is_decorated(data: bytes, size: int) -> None:
    assert steps(data, size) == STEPS


def test_a_line_that_is_too_long_is_skipped_to_its_end_and_counted() -> None:
    """What stands behind its middle is no line of its own."""
    blocks = LineBlocks()
    head = b"x" * (LINE_LIMIT + 10)
    row = b"iter 7: loss 2.5000, time 10.00ms, mfu 1.00%\n"
    assert blocks.feed(head) == []
    assert blocks.feed(row) == []
    assert blocks.feed(row) == [row]
    assert blocks.overlong == 1


def test_a_bar_without_line_ends_is_kept_in_pieces() -> None:
    """A piece costs its own bytes, whatever was kept before it: nothing is joined until a line ends."""
    blocks = LineBlocks()
    pieces = [b"50%|#####" for _ in range(1000)]
    assert [block for piece in pieces for block in blocks.feed(piece)] == []
    assert len(blocks._pieces) == 1000
    assert blocks.feed(b"\n") == [b"".join(pieces) + b"\n"]


def test_the_row_of_another_rank_is_told_once() -> None:
    rows = "".join(f"[rank{rank}]: iter {step}: loss {2 + rank}.5000, time 10.00ms, mfu 1.00%\n"
                   for step in (10, 20) for rank in (3, 0, 1))  # fmt: skip
    assert steps(rows.encode()) == [10, 20]
    bare = rows.replace("[rank3]: ", "").replace("[rank0]: ", "").replace("[rank1]: ", "")
    assert steps(bare.encode()) == [10, 20]


def test_a_restart_is_no_rank() -> None:
    log = LogRecogniser()
    events = log.feed(ROWS.encode()) + log.feed(b"loading ...\n") + log.feed(ROWS[45:].encode())
    assert [event.attempt for event in events if isinstance(event, Metrics)] == [1] * 5 + [2] * 4


def test_bars_of_a_logger_are_no_rows_of_a_format_that_is_known() -> None:
    """Only lines with a number between bars are looked at, and heads of tables; before, every bar counts."""
    row = "    20 |   3.562 |   2.915 |  0.6477 | 0.0471 |   1.043 |    1.334"
    head = "  Step |   Total |      CE |     Reg |       R |   u_val | GradNorm"
    said = "2031-01-02 03:04:05.006 | INFO     | loop:fetch:12 - a shard"
    block = "\n".join([said, row, said, " 10%|###   | 9/90 [00:10<01:00]", head, said, "K-SSM v3 TRAINING"])
    data = f"{block}\n".encode()

    def seen(*formats: Format) -> list[str]:
        walk = Candidates(data, formats)
        return [walk.line(start).decode() for start in walk]

    assert seen(KssmV3()) == [row, head, "K-SSM v3 TRAINING"]
    assert seen(KssmV3(), NanoGpt()) == block.split("\n")
