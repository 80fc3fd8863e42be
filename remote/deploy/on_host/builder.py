"""Runs on the host, out of the uploaded wheel, on the standard library: builds an environment and tries it.

Built in `envs/.building-...` and renamed: a living environment is never touched. One build at a time, by a
kernel lock that the installer inherits. It outlives the link (the next deploy meets its work); only a note
that the client leaves ends it.
"""

import os
import secrets
import shutil
import signal
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from remote.deploy.on_host.build_environment import EnvironmentBuild, EnvironmentParts
from remote.deploy.on_host.build_progress import BuildError, Reporter
from remote.deploy.on_host.installed import CAS, ENVS, LOCK, Installed, read_installed, write_installed
from remote.deploy.on_host.shebangs import repair_scripts
from trainer.run.disk.atomic import fsync_folder
from trainer.run.locks import Flock

BUILDING = ".building-"
TELL_S = 5.0


def main(order: Mapping[str, Any], reporter: Reporter | None = None) -> int:
    """Carry out an order: home, token, lock_s, and kit and record as plain values; 0 if it is built."""
    note = Path(order["home"], ENVS, stop_name(order["token"]))
    reporter = reporter or Reporter(note)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the link may go; the build goes on
    os.umask(0o077)
    reporter.start()
    try:
        done = build(order, reporter)
    except BuildError as error:
        reporter.tell(error={"code": error.code, "message": str(error), "remedy": error.remedy})
        return 1
    except OSError as error:
        remedy = "look at the disk and the rights of the state root"
        reporter.tell(error={"code": "internal", "message": f"the build failed: {error}", "remedy": remedy})
        return 1
    finally:
        note.unlink(missing_ok=True)
    reporter.tell(done=done)
    return 0


def stop_name(token: str) -> str:
    """The name of the note that ends the build of that token."""
    return f".stop-{token}"


def build(order: Mapping[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Make the environment unless it is there.

    Raises:
        BuildError: with its remedy.
        OSError: the disk refused.
    """
    kit = EnvironmentParts(**order["kit"])
    root = Path(order["home"])
    final = root / ENVS / kit.env
    record = Installed(**order["record"])
    with Flock(root / LOCK) as lock:
        take(lock, reporter, float(order["lock_s"]))
        if read_installed(final) is not None:
            reporter.say("the environment is there already")
            return {"env": kit.env, "built": False}
        tidy(root)
        draft = root / ENVS / f"{BUILDING}{kit.env}-{secrets.token_hex(4)}"
        try:
            work = EnvironmentBuild(kit, draft, root / CAS / f"{kit.wheel}.whl", reporter, lock.fd)
            work.run()
            write_installed(draft, Installed(**(asdict(record) | {"at": time.time()})))
            repair_scripts(draft, final, draft)
            settle(draft, final)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        finally:
            if kit.links:
                shutil.rmtree(kit.links, ignore_errors=True)
    origin = (
        {"torch_from": work.torch_from, "torch_hashes": work.torch_hashes}
        if work.torch_hashes and not kit.links
        else {}
    )
    return {"env": kit.env, "built": True, **origin}


def take(lock: Flock, reporter: Reporter, patience_s: float) -> None:
    """Wait for our turn.

    Raises:
        BuildError: another build took longer than `patience_s`, or the client cancelled meanwhile.
    """
    began = time.monotonic()
    while not lock.take(min(TELL_S, patience_s)):
        if reporter.is_cancelled:
            raise reporter.cancelled()
        waited = time.monotonic() - began
        if waited >= patience_s:
            raise BuildError(
                "timeout",
                f"another deploy has been at work here for {waited:.0f} s",
                "wait for it, then try again",
            )
        reporter.say(f"another deploy is at work here; waiting ({waited:.0f} s)")


def tidy(root: Path) -> None:
    """Remove what builds that died left behind. We hold the lock: nobody works on it."""
    for rest in (root / ENVS).glob(f"{BUILDING}*"):
        shutil.rmtree(rest, ignore_errors=True)


def settle(draft: Path, final: Path) -> None:
    """Give the environment its name; what lies there without a note was never one of ours, and makes room."""
    if final.exists():
        old = final.with_name(f"{BUILDING}old-{secrets.token_hex(4)}")
        final.rename(old)
        draft.rename(final)
        shutil.rmtree(old, ignore_errors=True)
    else:
        draft.rename(final)
    fsync_folder(final.parent)
