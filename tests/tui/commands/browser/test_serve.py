"""`photinus serve`: what it needs, says, shows and leaves."""

import io
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.waiting import wait_until
from tui.cli import main
from tui.commands.browser import serve as serving
from tui.commands.browser.entry_page import write_opener
from tui.commands.browser.page_access import PageAccess
from tui.commands.browser.serve import announce, has_display, listen
from tui.commands.browser.served_page import end_with_server
from tui.commands.output import BUSY, OK, REFUSED, USAGE

WATCHED = """
import os, subprocess, sys
program = (
    "import sys, time; from tui.commands.browser.served_page import end_with_server;"
    "end_with_server(every_s=0.01); print('ready', flush=True); time.sleep(600)"
)
child = subprocess.Popen([sys.executable, "-P", "-c", program], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.read()
"""


def test_without_textual_serve_it_says_how_to_have_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    assert main(["serve"]) == REFUSED
    assert "pip install 'photinus[serve]'" in capsys.readouterr().err


def test_the_command_line_needs_none_of_it() -> None:
    program = (
        "import sys\n"
        "for name in ('aiohttp', 'textual_serve', 'jinja2'): sys.modules[name] = None\n"
        "from tui.cli import main\n"
        "sys.exit(main(['serve', '--help']))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == OK, done.stderr
    assert "--no-open" in done.stdout


def test_a_port_that_is_taken_is_told_and_another_is_free(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    with listen(0) as taken:
        assert main(["serve", "--no-open", "--port", str(taken.getsockname()[1])]) == BUSY
        said = capsys.readouterr().err
        assert "something else listens there" in said
        assert "photinus serve --port N" in said
    assert main(["serve", "--port", "0"]) == USAGE
    assert main(["serve", "--port", "65536"]) == USAGE


def test_it_listens_on_this_machine_alone() -> None:
    with listen(0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_token_is_shown_on_a_terminal_and_stands_in_no_log_and_no_argument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = PageAccess(4711)
    token = access.address.partition("#")[2]
    opener = tmp_path / "open.html"
    write_opener(opener, access.address)
    assert token in opener.read_text()
    assert opener.stat().st_mode & 0o777 == 0o600
    shown: list[str] = []
    for out, is_told in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stdout", out)
        announce(access, opener, opens=True, show=shown.append)
        assert (token in out.getvalue()) == is_told
        assert str(access.port) in out.getvalue()
    wait_until(lambda: len(shown) == 2, 10.0, "the browser to be asked")
    assert shown == [opener.as_uri()] * 2, "what a browser's argument list would show"
    assert token not in serving.COMMAND


def test_no_browser_is_opened_where_nobody_would_see_it() -> None:
    assert has_display({"DISPLAY": ":0"}, "linux")
    assert has_display({}, "darwin")
    assert not has_display({"SSH_CONNECTION": "a"}, "darwin")
    assert not has_display({"SSH_CONNECTION": "a"}, "linux")


def test_it_says_where_it_is_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "tui", "serve", "--no-open"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PHOTINUS_HOME": str(home)},
    )  # fmt: skip
    try:
        assert server.stdout is not None
        said = server.stdout.readline()
        opener = next((home / "client" / "browser").glob("open-*.html"))
        assert str(opener) in said
        assert "#" not in said
        server.send_signal(signal.SIGINT)
        _, talk = server.communicate(timeout=120)
        assert (server.returncode, "runs go on" in talk) == (OK, True), talk
        assert list((home / "client" / "browser").iterdir()) == []
    finally:
        server.kill()
        server.wait()


def test_the_cockpit_of_a_page_ends_with_its_server_even_when_that_is_killed() -> None:
    server = subprocess.Popen(
        [sys.executable, "-P", "-c", WATCHED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    page = int(server.stdout.readline())
    assert Path(f"/proc/{page}").exists() or not Path("/proc/1").exists()
    server.kill()
    server.wait()
    wait_until(lambda: _is_gone(page), 10.0, "the page's cockpit to leave")


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_while_its_server_lives_it_stays_and_hands_on_no_word_of_the_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEXTUAL_DRIVER", "a page")
    left = threading.Event()
    watching = end_with_server(left.set, every_s=0.001)
    assert watching.is_alive()
    assert not left.is_set()
    assert "TEXTUAL_DRIVER" not in os.environ
