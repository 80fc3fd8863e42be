"""What is fuzzed: each target takes bytes from outside, and may answer with its own typed errors only."""

import contextlib
import csv
import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.dom import minidom

from remote.agent.checkup.files import count_malformed
from remote.agent.run_views import Views, readable
from remote.hosts.address import Address
from remote.hosts.hosts_file import parse_hosts
from remote.protocol.errors import CallError, ProtocolError
from remote.protocol.framing import FrameReader
from remote.protocol.messages import MAGIC, Reply, decode_request
from remote.protocol.results import CheckpointRow, FilesFound, RunList
from remote.protocol.sanitise import steers
from remote.protocol.trained import FeedReport, RetentionAnswer
from remote.protocol.values import read_as
from remote.protocol.verbs import RUNS
from remote.protocol.views import RunView
from remote.session.pending_calls import answer_to
from remote.session.updates import Bytes, RunsSeen
from remote.session.watching.watched_runs import WatchedRuns
from remote.ssh.config.effective import target_of
from remote.ssh.config.openssh import Asker, fields_of
from remote.transfer.catalog import RemoteCheckpoint
from tests.tui.fake import START, WALL, FakeSession, view
from trainer.config.config_error import ConfigError
from trainer.data.data_errors import DataError
from trainer.data.tokenizers.stored import tokenizer_from
from trainer.foreign.pickle_shape import check_shape
from trainer.foreign.tokenizer_files import read_tokenizer
from trainer.run.checkpoints.manifest import parse_manifest
from trainer.run.disk.file_tree import FileTree
from trainer.run.disk.small_record import decode_record
from trainer.run.home import Home
from trainer.run.run_errors import CheckpointError, RecordError, RunError
from trainer.run.spec import RunSpec
from trainer.telemetry.recognise import FileRecogniser
from trainer.telemetry.recogniser import LogRecogniser
from tui.commands.exports.chart_svg import svg_bytes
from tui.commands.exports.page_html import html_bytes
from tui.commands.exports.recorded_run import RecordedRun
from tui.commands.exports.table_files import csv_bytes, jsonl_bytes
from tui.commands.runs.summary import brief, brief_words
from tui.keys import PLACES, keys_of, put_in_force, shown
from tui.keys.keys_file import take_own_keys
from tui.notices.notice_channel import KINDS
from tui.notices.notice_journal import NoticeJournal
from tui.notices.notices_file import parse_settings
from tui.own_rules import own_rules
from tui.remembered.chosen_charts import NAMES_MAX, load
from tui.store.edge import cleaned
from tui.store.log_ring import LogRing
from tui.store.store import Store
from tui.widgets.feed_rows import feed_head, feed_rows
from tui.widgets.retention_rows import retention_rows

SEEDS = Path(__file__).with_name("seeds")


@dataclass(frozen=True)
class Target:
    """Something that reads bytes. `allowed`: the errors that it may answer with."""

    name: str
    read: Callable[[bytes], object]
    allowed: tuple[type[Exception], ...] = ()

    @property
    def seeds(self) -> list[bytes]:
        """The sound inputs that it begins with."""
        return [path.read_bytes() for path in sorted((SEEDS / self.name).iterdir())]

    def try_one(self, data: bytes) -> bool:
        """Whether it was taken; False where it was refused as it may be."""
        try:
            self.read(data)
        except self.allowed:
            return False
        return True


def protocol(data: bytes) -> None:
    """The first line is a request, what follows an agent's answers."""
    request, _, answers = data.partition(b"\n")
    decode_request(request)
    for message in FrameReader().feed(MAGIC + answers):
        if isinstance(message, Reply) and message.error is None and "runs" in message.result:
            listed = answer_to(RUNS, message)
            if isinstance(listed, RunList):
                assert not any(steers(run.name + run.reason) for run in listed.runs)


def run_folder(data: bytes) -> None:
    """The first lines are the run's records; whatever they are, the run is a view or a sentence."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), "host")
        home.runs_dir.mkdir()
        run = home.run("demo-abcdef").create()
        parts = [*data.split(b"\n", 4), b"", b"", b"", b""]
        for path, part in zip((run.spec, run.state, run.process, run.exit), parts, strict=False):
            path.write_bytes(part)
        saved = run.checkpoints / "step-00000010"
        saved.mkdir()
        (saved / "state.json").write_bytes(parts[4])
        run.events.write_bytes(data)
        shown = readable(Views(home), run)
        assert isinstance(shown, RunView | RunError), shown
        if isinstance(shown, RunView):
            RunView.from_json(json.loads(json.dumps(shown.to_json(), allow_nan=False)))
        count_malformed(run.events, 1 << 16)


def events(data: bytes) -> None:
    store = Store(["local"])
    store.apply("local", RunsSeen((view(),), WALL), START, WALL)
    store.apply("local", Bytes(1, "demo-aaaaaa", "events", 1, 0, data + b"\n"), START, WALL)
    (run,) = store.runs.values()
    said = [brief_words(brief("local", run)), run.sample_text, run.u_stat, *run.row, *run.series]
    said += [alert.text for alert in store.alerts]
    assert not [text for text in said if steers(text)]
    assert not any("could not be taken" in alert.text for alert in store.alerts), store.alerts


def specs(data: bytes) -> None:
    spec = RunSpec.from_json(decode_record(data, "spec.json"))
    json.dumps(spec.to_json(), allow_nan=False)
    assert spec.processes >= 0


def charts(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "charts.json"
        path.write_bytes(data)
        chosen, _ = load(path)
    assert not [text for kind, choice in chosen.items() for text in (kind, *choice.names) if steers(text)]
    assert all(len(choice.names) <= NAMES_MAX for choice in chosen.values())


def checkpoints(data: bytes) -> None:
    """The first line is a manifest, the second what a host says of one."""
    manifest, _, row = data.partition(b"\n")
    parse_manifest(manifest, "step-00000010")
    RemoteCheckpoint.of(read_as(CheckpointRow, decode_record(row, "a row")))


def trees(data: bytes) -> None:
    """The list of a tree's files, as it comes to a host or from one; what is taken can be written again."""
    tree = FileTree.parse(data)
    assert FileTree.parse(tree.encoded).sha256 == tree.sha256
    assert not any(
        path.startswith("/") or ".." in path.split("/") for path in (one.path for one in tree.files)
    )


def tokenizers(data: bytes) -> None:
    """A file that somebody names as the tokenizer of weights; what is taken can be stored and read again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokens"
        path.write_bytes(data)
        read = read_tokenizer(path, "gpt2", 0)
    assert tokenizer_from(read.to_json()).vocab_size == read.vocab_size
    with contextlib.suppress(DataError):
        assert read.decode(read.encode("a b")) == b"a b"


def pickles(data: bytes) -> None:
    """The pickle of a foreign checkpoint, before anything is made of it."""
    check_shape(data)


def hosts(data: bytes) -> None:
    parse_hosts(data.decode("utf-8", "replace"), "hosts.yaml")


def ssh_settings(data: bytes) -> None:
    class Said(Asker):
        """OpenSSH that says what it was told to."""

        def settings(self, address: Address, *, blank: bool = False) -> dict[str, list[str]]:
            return fields_of(data.decode("utf-8", "replace"))

    target = target_of("box", asker=Said())
    assert 0 < target.port < 1 << 16


def log_lines(data: bytes) -> None:
    ring, recogniser = LogRing(), LogRecogniser()
    for start in range(0, len(data), 4096):
        ring.feed(data[start : start + 4096])
        for event in recogniser.feed(data[start : start + 4096]):
            cleaned(event)
    assert not [line for line in (ring.line(n) for n in range(len(ring))) if steers(line)]


def found_files(data: bytes) -> None:
    """What a host says of its files: runs whose names steer nothing, of files that it named."""
    answer = read_as(FilesFound, decode_record(data, "an answer"))
    watched = WatchedRuns(FakeSession(), ("/out", "/exp/*/train.log"), lambda *_: None, lambda: START)
    watched.take(answer)
    paths = {file.path for file in answer.files}
    for files in watched.runs.values():
        assert {*files.metrics, files.log} - {""} <= paths
    (seen,) = watched.through([RunsSeen((), WALL)])
    assert isinstance(seen, RunsSeen)
    assert not [run for run in seen.runs if steers(run.run_id + run.name + run.dir)]


def exports(data: bytes) -> None:
    """A file of anybody, as a run of each export."""
    reader, run = FileRecogniser(), RecordedRun("demo", "here", "demo")
    for start in range(0, len(data), 4096):
        run.take(reader.feed(data[start : start + 4096]) + reader.settle())
    run.take(reader.finish())
    minidom.parseString(svg_bytes(run))
    assert not steers(html_bytes(run).decode())
    list(csv.reader(io.StringIO(csv_bytes(run).decode())))
    jsonl_bytes(run)


def notices(data: bytes) -> None:
    """A file of the alerts of a client, as each of those that it has."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        rules, faults = own_rules(path)
        assert not any(steers(fault) for fault in faults)
        assert all(rule.rows >= 1 and rule.beyond(0.0) is not None for rule in rules)
        journal = NoticeJournal(path)
        told = [entry.notice.text for entry in journal.entries.values()]
        assert not any(steers(text) for text in [*told, journal.trouble])
        journal.look("host", 1.0)
        journal.encoded()
        with contextlib.suppress(ConfigError):
            assert all(channel.kind in KINDS for channel in parse_settings(data, "file").channels)


def own_keys_file(data: bytes) -> None:
    """Whatever stands in an operator's file of keys: on no screen two actions have one key."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "keys.yaml"
        path.write_bytes(data)
        try:
            faults = take_own_keys(path)
            for where in PLACES:
                pressed = [name for key in keys_of(where) for name in key.keys.split(",")]
                assert len(set(pressed)) == len(pressed), where
            assert shown("help").isprintable()
            assert not any(steers(fault) for fault in faults)
        finally:
            put_in_force({})


def trained(data: bytes) -> None:
    """The first line is a retention's plan, the second a feed's ledger, as a host prints them."""
    plan, _, feed = data.partition(b"\n")
    answer = read_as(RetentionAnswer, decode_record(plan, "a plan"))
    report = read_as(FeedReport, decode_record(feed, "a feed"))
    rows = [*retention_rows(answer, ()), feed_head("a run", report)]
    rows += [cell for row in feed_rows(report).values() for cell in row.values()]
    assert not any(steers(row.plain) for row in rows)


TARGETS = (
    Target("found_files", found_files, (RecordError, ProtocolError)),
    Target("exports", exports),
    Target("protocol", protocol, (ProtocolError,)),
    Target("run_folder", run_folder),
    Target("events", events),
    Target("specs", specs, (RunError,)),
    Target("checkpoints", checkpoints, (CheckpointError, RecordError, ProtocolError, CallError)),
    Target("trees", trees, (RecordError,)),
    Target("tokenizers", tokenizers, (ConfigError,)),
    Target("pickles", pickles, (ValueError,)),
    Target("charts", charts),
    Target("own_keys", own_keys_file),
    Target("trained", trained, (RecordError, ProtocolError)),
    Target("hosts", hosts, (ConfigError,)),
    Target("ssh_settings", ssh_settings, (CallError,)),
    Target("log_lines", log_lines),
    Target("notices", notices),
)
