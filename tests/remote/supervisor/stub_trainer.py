"""A trainer of a hundred lines: hello, steps, hashed checkpoints, stop, last word, as its config says."""

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from trainer.run.checkpoints.manifest import MANIFEST, checkpoint_name, manifest_sha256, seal
from trainer.run.control import Ack, pending, put_ack
from trainer.run.disk.atomic import write_bytes, write_json
from trainer.run.layout import RunDir
from trainer.run.records import ExitRecord, read_changed_spec, write_exit, write_hello

STOP = False


def _stop(*_: object) -> None:
    global STOP
    STOP = True


def save(run: RunDir, step: int) -> str:
    folder = run.checkpoints / checkpoint_name(step)
    if folder.is_dir():
        return folder.name
    draft = run.checkpoints / f".tmp-{step}-{os.getpid()}"
    draft.mkdir()
    weights = f"weights after {step} steps".encode() * 10
    write_bytes(draft / "model.safetensors", weights)
    proof = {"bytes": len(weights), "sha256": hashlib.sha256(weights).hexdigest()}
    write_json(
        draft / MANIFEST, seal({"step": step, "kind": "periodic", "files": {"model.safetensors": proof}})
    )
    draft.rename(folder)
    return folder.name


def spawn_workers(config: dict[str, Any]) -> None:
    """`forked` ones share the lock, `spawned` ones only token and session, `setsid` ones only the token."""
    for _ in range(config.get("forked", 0)):
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN if config.get("deaf") else signal.SIG_DFL)
            while True:
                time.sleep(60)
    sleep = [sys.executable, "-c", "import time\nwhile True: time.sleep(60)"]
    for _ in range(config.get("spawned", 0)):
        subprocess.Popen(sleep)
    for _ in range(config.get("setsid", 0)):
        subprocess.Popen(sleep, start_new_session=True)


def hang(how: str) -> None:
    """Stand still as trainings do: held by SIGSTOP, in a dead lock, in a loop without an end."""
    if how == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif how == "lock":
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()
    while how == "loop":
        pass


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--spec", type=Path)
    parser.add_argument("--from", dest="source", default="")
    args = parser.parse_args()
    run = RunDir(args.spec)
    config = dict(read_changed_spec(run).config)
    attempt, token = int(os.environ["PHOTINUS_ATTEMPT"]), os.environ["PHOTINUS_RUN_TOKEN"]
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, _stop)
    time.sleep(config.get("hello_delay", 0.0))
    write_hello(run, attempt, token, os.getpid())
    print(f"attempt {attempt} from {args.source or 'scratch'}", flush=True)
    return train(run, config, attempt, token, args.source)


def train(run: RunDir, config: dict[str, Any], attempt: int, token: str, source: str) -> int:
    spawn_workers(config)
    first = step = int(source.removeprefix("step-")) if source else 0
    name: str | None = source or None
    outcome = "succeeded"
    while step < config["steps"]:
        if attempt in config.get("crash_before_step", ()):
            os.kill(os.getpid(), signal.SIGKILL)
        heard = [] if config.get("overlooks_requests") else pending(run, attempt, token)
        if STOP or any(request.verb == "stop" for request in heard):
            outcome = "stopped"
            break
        if step == config.get("fails_at", -1):
            outcome = "failed"
            config["code"] = 1
            break
        time.sleep(config.get("step_s", 0.005))
        step += 1
        with run.events.open("a") as file:
            row = {"type": "metrics", "attempt": attempt, "seq": step, "step": step, "t": time.time()}
            file.write(json.dumps(row) + "\n")
        if step % config.get("every", 5) == 0:
            name = save(run, step)
        if attempt in config.get("hangs", ()) and step > first + 5:
            hang(config["how"])
        if attempt in config.get("crash_after_step", ()) and step > first + 5:
            os.kill(os.getpid(), signal.SIGKILL)
    if step > first:
        name = save(run, step)
    return end(run, attempt, token, outcome, step, step - first, name, config)


def end(
    run: RunDir,
    attempt: int,
    token: str,
    outcome: str,
    step: int,
    done: int,
    name: str | None,
    config: dict[str, Any],
) -> int:
    sha256 = manifest_sha256(run.checkpoints / name) if name else None
    asked = {"stopped": "SIGTERM received", "failed": "boom"}.get(outcome, "")
    for request in pending(run, attempt, token):
        asked = f"stop requested by {request.by}"
        put_ack(
            run,
            Ack(
                req_id=request.req_id, attempt=attempt, token=token, step=step, checkpoint=name, sha256=sha256
            ),
        )
    word = ExitRecord(
        attempt=attempt,
        token=token,
        outcome=outcome,
        reason=asked,
        step=step,
        steps_done=0 if config.get("claims_no_steps") else done,
        checkpoint=name,
        sha256=sha256,
        at=time.time(),
        hopeless=bool(config.get("hopeless")),
    )
    if not config.get("leaves_no_word"):
        write_exit(run, word)
    code: int = config.get("code", 0)
    return code


if __name__ == "__main__":
    sys.exit(main())
