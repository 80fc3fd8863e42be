"""The cockpit in a real browser: read, a run opened, a stop answered, loaded again: `make browser`."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser.chromium import chromium
from tests.end_to_end.conftest import Operator
from tests.waiting import wait_until

PROGRAM = os.environ.get("PHOTINUS_CHROMIUM", "")
pytestmark = pytest.mark.skipif(not PROGRAM, reason="the cockpit in a browser: `make browser` tests it")

SCRIPT = "print('firefly', flush=True)\nimport signal\nsignal.pause()\n"


@dataclass(frozen=True)
class Server:
    """`photinus serve`, as it was started."""

    process: "subprocess.Popen[str]"
    said: str
    opener: Path


@pytest.fixture
def server(operator: Operator) -> Iterator[Server]:
    process = subprocess.Popen(
        operator.argv("serve", "--no-open"), env=operator.env, text=True, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        yield Server(process, said, next((operator.home / "client" / "browser").glob("open-*.html")))
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.timeout(420)
async def test_a_run_is_read_opened_stopped_and_kept_in_a_browser(
    operator: Operator, server: Server, tmp_path: Path
) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    run_id: str = operator.start_script(script, "--wait", "running")["run_id"]
    token = server.opener.read_text().partition("#")[2].partition('"')[0]
    assert len(token) > 30
    async with chromium(PROGRAM, tmp_path) as page:
        blank = len(await page.picture())
        await page.call("Page.navigate", url=server.opener.as_uri())
        await page.see("Fleet", run_id, "running")
        assert not server.opener.exists(), "it opens once"
        await page.until(lambda: page.sockets == 1, "one socket")
        await page.is_typed_into()

        await page.press("Enter", "\r")
        await page.see("firefly")
        assert len(await page.picture()) > 4 * blank, "something is drawn for a person, too"

        await page.press("x", "x")
        await page.see(f"pid {operator.process(run_id)['trainer']['pid']}")
        assert operator.state(run_id) == "running"
        await page.press("x", "x")
        await page.see("stopped")
        wait_until(lambda: operator.state(run_id) == "stopped", 30.0, "the run to be stopped")

        await page.call("Page.reload")
        await page.until(lambda: page.sockets == 2, "a second socket")
        await page.see("firefly", run_id, "stopped")

        assert all(token not in one for one in page.requests), "in no address that was asked for"
        ours = urlsplit(page.requests[-1]).netloc
        hosts = {urlsplit(one).netloc for one in page.answers if one.startswith("http")}
        assert hosts == {ours}, "nothing came from elsewhere"
        assert any("/static/" in one for one in page.answers), "the control"

        await page.is_typed_into()
        await page.press("q", "q")
        wait_until(lambda: len(_cockpits(operator.home)) == 0, 30.0, "the page's cockpit to leave")
    assert server.process.poll() is None, "the server stays for the next page"


@pytest.mark.timeout(420)
async def test_a_browser_without_the_token_sees_nothing(
    operator: Operator, server: Server, tmp_path: Path
) -> None:
    address = server.said.split()[4].rstrip(";")
    async with chromium(PROGRAM, tmp_path) as page:
        for place in ("/", "/enter", "/enter#x"):
            await page.call("Page.navigate", url="about:blank")
            await page.call("Page.navigate", url=address + place)
            await page.reads("photinus serve")
        assert page.sockets == 0
    assert server.opener.exists()


def _cockpits(home: Path) -> list[int]:
    """Processes that hold this state root and know of a page."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"PHOTINUS_HOME={home}".encode() in words and any(w.startswith(b"PHOTINUS_PAGE=") for w in words):
            found.append(int(entry.name))
    return found
