"""What a pull over SSH sends again that was interrupted half way: counted on the wire."""

import contextlib
import os

from benchmarks.figures import Figure, report
from benchmarks.ssh_stage import SshStage, ssh_stage
from remote.session.session import connect
from remote.transfer.fetch_file import CancelledError
from remote.transfer.pull import pull
from remote.transfer.select import Choice
from remote.transfer.transfer_progress import TransferProgress
from tests.remote.transfer.saved import RUN_ID, make_run, save
from tests.sshd.delay import DelayProxy

SIZE = 64 << 20


def sent_again(stage: SshStage) -> float:
    """Share of a checkpoint's bytes that came twice: half of it, a cut, the rest. SSH's framing counts."""
    with DelayProxy(stage.sshd.port) as road:
        host, to = stage.another("box", road.port), stage.folder / "resumed"
        save(make_run(stage.sshd.home("plain") / "box"), 100, {"model.safetensors": os.urandom(SIZE)})
        with connect(host, timeout=20.0) as session:
            half: list[bool] = []

            def see(progress: TransferProgress) -> None:
                if progress.done > SIZE // 2:
                    half.append(True)

            with contextlib.suppress(CancelledError):
                pull(session, RUN_ID, Choice(), to, on_progress=see, is_cancelled=lambda: bool(half))
        assert half, "it was over before it could be interrupted"
        road.cut()
        with connect(host, timeout=20.0) as session:
            pull(session, RUN_ID, Choice(), to)
        return road.to_client / SIZE - 1.0


def main() -> None:
    """Measure on a server of its own."""
    with ssh_stage() as stage:
        again = sent_again(stage)
    report([Figure("bytes that a resumed pull sends again", 100 * again, "%", 10.0)])


if __name__ == "__main__":
    main()
