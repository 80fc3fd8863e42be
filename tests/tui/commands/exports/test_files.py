"""What an export writes, read back by who reads such files: nothing rounded, lost, or acting."""

import csv
import io
import json
import re
import struct
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from math import isnan, nan
from pathlib import Path
from xml.dom import minidom

import pytest

from trainer.telemetry.events import (
    Checkpoint,
    Evaluation,
    Event,
    Floors,
    Metrics,
    Note,
    Resume,
    Sample,
)
from trainer.telemetry.read import EventReader
from tui.commands.exports.chart_frame import COLOURS, HEAD, HEIGHT, ChartData, charts_of
from tui.commands.exports.chart_png import BAD, png_bytes
from tui.commands.exports.chart_svg import chart, svg_bytes
from tui.commands.exports.page_html import html_bytes
from tui.commands.exports.parquet_file import parquet_bytes
from tui.commands.exports.recorded_run import RecordedRun
from tui.commands.exports.table_files import csv_bytes, jsonl_bytes
from tui.commands.exports.tensorboard_file import write_tensorboard
from tui.commands.exports.trackio_folder import write_trackio
from tui.commands.exports.wandb_folder import write_wandb

EVIL = "\"'><script>alert(1)</script><img src=http://x/y>\x1b[2J"


def row(step: int, values: Mapping[str, float | None], seq: int = 0, attempt: int = 1) -> Metrics:
    bad = tuple(name for name, value in values.items() if value is not None and value != value)
    kept = {name: None if name in bad else value for name, value in values.items()}
    t = 1_700_000_000.0 + step
    return Metrics(seq=seq or step + 1, attempt=attempt, t=t, step=step, values=kept, nonfinite=bad)


def recorded(*events: Event) -> RecordedRun:
    run = RecordedRun("demo", "demo-abcdef on box", "demo-abcdef")
    run.take(events)
    return run


@pytest.fixture
def run() -> RecordedRun:
    made = recorded(
        Floors(seq=1, attempt=1, t=0.0, unigram=3.0, bigram=2.0, trigram=1.5),
        *(row(step, {"ce": 4.0 - step / 100, "lr": 0.1 + 0.2, "mfu": None}) for step in range(0, 100, 10)),
        row(100, {"ce": nan, "lr": 1e-5}),
        Evaluation(seq=200, attempt=1, t=0.0, step=100, values={"val_ce": 3.25}),
        Sample(seq=201, attempt=1, t=0.0, step=100, text="ab\ncd", prompt="> "),
        Checkpoint(seq=202, attempt=1, t=0.0, step=100, path="step-00000100", sha256="", kind="best"),
        Note(seq=203, attempt=1, t=0.0, level="info", message="all is well"),
    )  # fmt: skip
    made.config, made.environment = {"optim.lr": "0.3"}, {"python": "3.11"}
    return made


def test_csv_has_a_line_a_row_and_reads_back_exactly(run: RecordedRun) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_bytes(run).decode())))
    assert list(rows[0]) == ["step", "attempt", "kind", "time", "ce", "lr", "mfu", "val_ce"]
    assert [int(one["step"]) for one in rows] == [*range(0, 110, 10), 100]
    assert {float(one["lr"]) for one in rows[:10]} == {0.1 + 0.2}
    assert isnan(float(rows[10]["ce"]))
    assert (rows[11]["kind"], rows[11]["val_ce"], rows[11]["ce"], rows[11]["time"]) == (
        "eval",
        "3.25",
        "",
        "",
    )
    assert rows[1]["time"] == "2023-11-14T22:13:30.000+00:00"


def test_a_name_that_a_spreadsheet_would_work_out_or_that_is_taken_is_another() -> None:
    header = csv_bytes(recorded(row(1, {"=1+1": 2.0, "step": 3.0, "a,b": 4.0}))).decode().splitlines()[0]
    assert header == 'step,attempt,kind,time,\'=1+1,metric step,"a,b"'


def test_jsonl_is_what_our_own_reader_reads(run: RecordedRun) -> None:
    reader = EventReader()
    assert reader.feed(jsonl_bytes(run)) == run.events
    assert (reader.torn, reader.malformed) == (0, 0)


def test_rows_that_a_resume_superseded_are_not_written() -> None:
    run = recorded(
        *(row(step, {"ce": 1.0}) for step in (10, 20, 30)),
        Resume(seq=40, attempt=2, t=0.0, step=10),
        row(20, {"ce": 9.0}, seq=41, attempt=2),
    )
    assert [(one.step, one.attempt) for one in run.rows] == [(10, 1), (20, 2)]
    assert run.series() == {"ce": [(10, 1.0), (20, 9.0)]}


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_holds_everything_and_needs_nothing(run: RecordedRun) -> None:
    page = Page(html_bytes(run))
    for said in (
        "demo-abcdef on box",
        "optim.lr",
        "0.3",
        "3.11",
        "bigram",
        "> ab\ncd",
        "step-00000100",
        "all is well",
    ):
        assert said in page.text, said
    assert page.tags.count("svg") == len(charts_of(run)) == 2  # ce with val_ce beside it, and lr
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert [value for name, value in page.attributes if name in ("src", "href") or "url(" in value] == []
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


def test_whatever_a_run_calls_itself_stays_text() -> None:
    run = recorded(
        row(1, {EVIL: 1.0}),
        row(2, {EVIL: 2.0}),
        Sample(seq=3, attempt=1, t=0.0, step=2, text=EVIL),
        Note(seq=4, attempt=1, t=0.0, level=EVIL, message=EVIL),
        Checkpoint(seq=5, attempt=1, t=0.0, step=2, path=EVIL, sha256="", kind=EVIL),
    )
    run.name = run.where = EVIL
    run.facts, run.config, run.environment = {EVIL: EVIL}, {EVIL: EVIL}, {EVIL: EVIL}
    made = html_bytes(run)
    page = Page(made)
    assert not {"script", "img"} & set(page.tags)
    assert page.text.count("<script>alert(1)</script>") > 10
    assert b"\x1b" not in made
    picture = minidom.parseString(svg_bytes(run))
    assert picture.getElementsByTagName("script") == []


def test_no_spike_is_lost_in_a_picture_and_what_is_no_number_is_a_gap_with_a_mark() -> None:
    points = [(step, 1.0) for step in range(100_000)]
    points[54_321] = (54_321, 77.0)
    points[70_000] = (70_000, nan)
    drawn = chart(ChartData("loss", {"loss": points}))
    path = re.search(r'd="([^"]*)"', drawn)
    assert path is not None
    assert len(path[1]) < 60_000
    heights = [float(y) for _, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path[1])]
    assert min(heights) < HEIGHT / 4  # the spike, at the top
    assert path[1].count("M") == 2
    assert drawn.count('class="bad"') == 1


@pytest.mark.parametrize(
    "values", [[0.0], [5.0, 5.0], [1e308, -1e308], [1e-300, 1e300], [nan], [float(1 << 60)]]
)
def test_a_picture_is_made_of_whatever_numbers_there_are(values: list[float]) -> None:
    run = recorded(*(row(step, {"x": value}) for step, value in enumerate(values)))
    minidom.parseString(svg_bytes(run))
    assert b"nan" not in svg_bytes(run).replace(b"no finite", b"")


def test_a_run_without_numbers_is_said_to_have_none() -> None:
    assert b"no numbers were told" in svg_bytes(recorded())
    assert b"no numbers were told" in html_bytes(recorded())
    assert csv_bytes(recorded()) == b"step,attempt,kind,time\n"


def test_tensorboard_reads_every_scalar(run: RecordedRun, tmp_path: Path) -> None:
    reading = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator",
        reason="TensorBoard is an extra: pip install 'photinus[tensorboard]'",
    )
    write_tensorboard(run, tmp_path)
    read = reading.EventAccumulator(str(tmp_path)).Reload()
    assert sorted(read.Tags()["scalars"]) == ["ce", "lr", "val_ce"]
    ce = read.Scalars("ce")
    assert [(one.step, one.wall_time) for one in ce] == [(n, 1_700_000_000.0 + n) for n in range(0, 110, 10)]
    assert [one.value for one in ce[:10]] == pytest.approx([4.0 - n / 100 for n in range(0, 100, 10)])
    assert isnan(ce[10].value)


def test_arrow_reads_every_column(run: RecordedRun) -> None:
    parquet = pytest.importorskip(
        "pyarrow.parquet", reason="Apache Arrow is an extra: pip install 'photinus[parquet]'"
    )
    table = parquet.read_table(io.BytesIO(parquet_bytes(run)))
    assert table.column_names == ["step", "attempt", "kind", "time", "ce", "lr", "mfu", "val_ce"]
    rows = table.to_pylist()
    assert [one["step"] for one in rows] == [*range(0, 110, 10), 100]
    assert (rows[3]["lr"], rows[3]["mfu"], rows[11]["val_ce"]) == (0.1 + 0.2, None, 3.25)
    assert isnan(rows[10]["ce"])
    assert json.dumps(rows[1]["time"].isoformat()) == '"2023-11-14T22:13:30+00:00"'


def test_a_picture_of_pixels_shows_the_same_charts(run: RecordedRun) -> None:
    pillow = pytest.importorskip("PIL.Image", reason="Pillow is an extra: pip install 'photinus[png]'")
    picture = pillow.open(io.BytesIO(png_bytes(run)))
    assert picture.size == (2240, 2 * (HEIGHT + HEAD))
    seen = {colour for _, colour in picture.getcolors(1 << 20)}
    assert {pillow.new("RGB", (1, 1), colour).getpixel((0, 0)) for colour in (*COLOURS[:2], BAD)} <= seen
    pillow.open(io.BytesIO(png_bytes(recorded())))


def test_an_offline_run_of_wandb_holds_every_step(run: RecordedRun, tmp_path: Path) -> None:
    records = pytest.importorskip(
        "wandb.proto.wandb_internal_pb2", reason="wandb is an extra: pip install 'photinus[wandb]'"
    )
    write_wandb(run, tmp_path)
    (log,) = tmp_path.glob("run-*.wandb")
    assert {path.name for path in tmp_path.iterdir()} <= {log.name, "files", "logs", "tmp"}
    history = []
    for data in leveldb_records(log.read_bytes()[7:], 7):
        record = records.Record()
        record.ParseFromString(data)
        if record.WhichOneof("record_type") == "history":
            entry = {
                (item.key or item.nested_key[0]): json.loads(item.value_json) for item in record.history.item
            }
            history.append(entry)
    assert [entry["_step"] for entry in history] == list(range(0, 110, 10))
    assert [entry["ce"] for entry in history[:10]] == pytest.approx(
        [4.0 - n / 100 for n in range(0, 100, 10)]
    )
    assert (isnan(history[10]["ce"]), history[10]["val_ce"]) == (True, 3.25)


def test_trackio_reads_every_row_with_its_time(run: RecordedRun, tmp_path: Path) -> None:
    """Two runs in one process: each folder has its own."""
    store = pytest.importorskip(
        "trackio.sqlite_storage", reason="trackio is an extra: pip install 'photinus[trackio]'"
    )
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_trackio(run, tmp_path / name)
        assert [path.name for path in (tmp_path / name).iterdir()] == ["photinus.db"]
    store.TRACKIO_DIR = tmp_path / "other"
    told = store.SQLiteStorage.get_logs("photinus", "demo")
    assert [one["step"] for one in told] == [*range(0, 110, 10), 100]
    assert [one["ce"] for one in told[:10]] == pytest.approx([4.0 - n / 100 for n in range(0, 100, 10)])
    assert (isnan(told[10]["ce"]), told[11]["val_ce"]) == (True, 3.25)
    assert told[1]["timestamp"] == "2023-11-14T22:13:30.000+00:00"
    assert store.SQLiteStorage.get_run_config("photinus", "demo") == {"optim.lr": "0.3"}


def leveldb_records(data: bytes, place: int) -> Iterator[bytes]:
    """Records of LevelDB's log, `place` bytes into its first block."""
    held, at = b"", 0
    while at + 7 <= len(data):
        if (left := 32768 - (place + at) % 32768) < 7:
            at += left
            continue
        _, size, kind = struct.unpack_from("<IHB", data, at)
        held, at = held + data[at + 7 : at + 7 + size], at + 7 + size
        if kind in (1, 4):
            yield held
            held = b""
