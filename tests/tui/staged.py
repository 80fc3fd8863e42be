"""The cockpit with something on every screen, and the way to each screen and dialog."""

from dataclasses import dataclass

from textual.pilot import Pilot

from remote.protocol.errors import Question
from remote.protocol.trained import FeedReport, RetentionAnswer
from remote.protocol.values import read_as
from tests.tui.driving import connected, settle
from tests.tui.fake import WALL, FakeActs, FakeSession, FakeShelves, cockpit, events, view
from tests.tui.screens.test_checkpoints import BROKEN, MIDDLE, NEWEST, SHELF
from tests.tui.screens.test_compare import told
from tests.tui.screens.test_processes import FOREIGN, LIVE, LOCKS, ORPHAN
from tests.tui.screens.test_queue import HELD, NEXT
from tui.app import Cockpit
from tui.store.kept.put_away import PutAwayRun

RUN = "demo-aaaaaa"
LONG = "a-run-with-a-name-that-is-longer-than-any-column-has-room-for"
SIZES = ((160, 50), (100, 30), (80, 24))
KEY = Question(
    "host_key", "lab", "jump:22", "ssh-ed25519", "SHA256:uNiVztksCsDhcc0u9e8BrrQrXvF0ZzZ3vRZ2n5dQx3E"
)
FED = {
    "shards": [
        {"shard": "0001-a", "state": "done", "admitted": {"name": "monday.txt"}, "begun": {}, "ended": {}},
        {"shard": "0002-b", "state": "waiting", "admitted": {"name": f"{LONG}.txt", "examples": 12}},
    ],
    "waiting": ["0002-b"],
    "refused": [{"name": "photo.jpg", "reason": "it is no text"}],
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A screen or a dialog: the keys to it from the Fleet, and words that then stand on it at every size."""

    name: str
    keys: tuple[str, ...]
    words: tuple[str, ...]


SCENES = (
    Scene("fleet", (), ("demo", "running", "? help")),
    Scene("filter", ("slash", *"demo"), ("demo", "filter")),
    Scene("run", ("2",), ("running", "step 395")),
    Scene("log", ("3",), ("a line of the log", "? help")),
    Scene("compare", ("4",), ("demo", "step")),
    Scene("processes", ("5",), ("◇ orphan", "● live")),
    Scene("checkpoints", ("6",), ("✔ here", "300")),
    Scene("queue", ("7",), ("◷ waits", "‖ held")),
    Scene("feed", ("7", "f"), ("photo.jpg", "monday.txt")),
    Scene("hosts", ("8",), ("local", "box", "lab")),
    Scene("help", ("question_mark",), ("Keys of Fleet",)),
    Scene("alerts", ("A",), ("Alerts", "acknowledges")),
    Scene("stop", ("x",), ("Stop demo-aaaaaa", "again: stop it", "leave it alone")),
    Scene("kill", ("K",), ("KILL demo-aaaaaa", "again: kill it", "leave it alone")),
    Scene("several", ("asterisk", "K"), ("KILL", "leave it alone")),
    Scene("start", ("s",), ("Start a run", "What will run", "starts it")),
    Scene("config", ("i",), ("optim.lr",)),
    Scene("palette", ("ctrl+p",), ("stop",)),
    Scene("retention", ("6", "w"), ("into its trash?", "stays", "leave them")),
    Scene("branch", ("6", "j", "b"), ("Start a run from", "starts it")),
    Scene("choose", ("4", "n"), ("demo",)),
    Scene("metric", ("2", "m"), ("grad_norm",)),
    Scene("name", ("n",), ("Another name for", "names it so", "leaves it")),
    Scene("clone", ("c",), ("A new run like", "starts it")),
    Scene("put away", ("u",), ("Bring back a run of local", "in the trash")),
    Scene("move", ("M",), ("goes from local to", "box")),
    Scene("move it", ("M", "enter"), ("to box?", "again: move it", "leave it alone")),
    Scene("await", ("7", "w"), ("waits until this run has succeeded",)),
    Scene("add host", ("8", "n"), ("address",)),
    Scene("question", ("exclamation_mark",), ("First contact with lab", "accepts it")),
)


def staged() -> tuple[Cockpit, FakeSession]:
    """The cockpit, and the session that has yet to tell of the run."""
    (local, box, lab), acts, shelves = connected("box", "lab"), FakeActs(), FakeShelves()
    acts.results["local", "processes"] = {"processes": [LIVE, ORPHAN, FOREIGN], "locks": LOCKS}
    acts.results["local", "queue"] = {"runs": [NEXT, HELD]}
    acts.results["local", f"details {RUN}"] = told(RUN, 0.004)
    acts.away = (PutAwayRun("gone-dddddd", LONG, "failed", "trash", WALL - 600),)
    shelves.shelf = SHELF
    shelves.planned = RetentionAnswer(
        keep={NEWEST.name: "latest", BROKEN.name: "unreadable"}, remove=[MIDDLE.name], plan="0123456789abcdef"
    )
    shelves.fed = read_as(FeedReport, FED)
    waiting = [view(str(row["run_id"]), name=str(row["name"]), state="queued") for row in (NEXT, HELD)]
    local.connect(
        view(),
        view("over-bbbbbb", name="over", state="stopped", resumable=True, why_not=""),
        view("long-cccccc", name=LONG, state="failed", reason="out of memory on cuda:0", code=1),
        *waiting,
    )
    box.connect()
    lab.link_is("key_unknown", question=KEY, reason="lab is not known yet")
    app = cockpit(local, box, lab, acts=acts, shelves=shelves)
    return app, local


def tell(local: FakeSession, *, anew: bool = True) -> bool:
    """What the run has to say, once somebody listens to it; whether somebody does."""
    live = {
        what for key, (run, what, _) in local.followed.items() if run == RUN and key not in local.unfollowed
    }
    if "events" in live and anew:
        local.send(RUN, "events", events(range(0, 400, 5)))
    if "log" in live:
        local.send(RUN, "log", "".join(f"a line of the log, number {n}\n" for n in range(80)))
    return {"events", "log"} <= live


async def begin(pilot: Pilot[str], app: Cockpit, local: FakeSession) -> None:
    """Open the run once, so that its history is there, and come back."""
    await settle(pilot, app)
    app.screen.query_one("#fleet").choose(f"run local {RUN}")  # type: ignore[attr-defined]
    await pilot.press("2")
    await settle(pilot, app)
    assert tell(local)
    await home(pilot, app)


async def home(pilot: Pilot[str], app: Cockpit) -> None:
    """Back on the Fleet, with no filter, no mark and nothing in the corner."""
    while len(app.screen_stack) > 1:
        app.pop_screen()
    app.clear_notifications()
    await settle(pilot, app)
    await pilot.press("escape", "escape")
    app.clear_notifications()
    await settle(pilot, app)


async def go(pilot: Pilot[str], app: Cockpit, local: FakeSession, scene: Scene) -> None:
    """From the Fleet to a scene; a log that is opened anew is told anew."""
    for key in scene.keys:
        await pilot.press(key)
        await settle(pilot, app)
        if key in ("2", "3"):
            tell(local, anew=False)
    app.clear_notifications()
    await settle(pilot, app)
