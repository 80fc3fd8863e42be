"""What an operator asks for when a run is started, before it is a spec on a host."""

import os
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from remote.actions.inherited import inherited
from remote.audit.whoami import whoami
from trainer.run.layout import new_run_id
from trainer.run.spec import Kind, Restart, RunSpec


def new_ticket() -> str:
    """A start or request id: 80 random bits."""
    return secrets.token_hex(10)


def choose_device(asked: str, devices: Sequence[str], processes: int = 0) -> str:
    """The lock's name of a configured device: `auto` takes the first accelerator, `cuda:1` is `cuda-1`.

    Of several processes, `auto` and `cuda` take the first CUDA devices, one each; `auto` where there are as
    many, else the CPU. `cuda:0,cuda:1` is `cuda-0,cuda-1`.
    """
    cuda = [name for name in devices if name.startswith("cuda-")]
    if processes > 1 and asked in ("auto", "cuda"):
        enough = asked == "cuda" or len(cuda) >= processes
        return ",".join(f"cuda-{number}" for number in range(processes)) if enough else "cpu"
    if asked == "auto":
        return next((name for name in devices if name != "cpu"), "cpu")
    return "cuda-0" if asked == "cuda" else asked.replace(":", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """A start, as asked for. Ids that are left empty are made when it is first sent.

    Attributes:
        config, origins, preset: of our trainer (kind `trainer`).
        parent: `RUN/step-NNNNNNNN`, a checkpoint on the host that it begins from; empty: at step 0.
        device: `auto`, `cpu`, `mps`, `cuda`, `cuda:N`, `cuda:N,cuda:M`; empty: what `config` names, `cpu` for
            a command.
        env: for a command, added to what it inherits.
        on_end: called on the host when the run is over; empty: nothing is.
        tags: words about it from its first moment on.
        after: a run on the host whose success it waits for in line; hold: until somebody lets it go.
        limit_s: seconds after which an attempt is asked to stop; 0: never.
        code: of code that was shipped, see `trainer.run.spec`; `cwd` is then a path below it.
        ship: a folder of this machine whose code is still to be shipped; whoever starts it does that first.
        inherit: a command gets this process's environment and umask (a local one does); of the environment
            only what stands in a list is stored, see `remote.actions.inherited`.
    """

    name: str
    kind: Kind = "trainer"
    preset: str = ""
    parent: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    argv: tuple[str, ...] = ()
    resume_argv: tuple[str, ...] = ()
    cwd: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    inherit: bool = True
    device: str = ""
    shared_device: bool = False
    stop_signal: str = "SIGTERM"
    restart: Restart = field(default_factory=Restart)
    on_end: tuple[str, ...] = ()
    limit_s: float = 0.0
    queue: bool = False
    after: str = ""
    hold: bool = False
    tags: tuple[str, ...] = ()
    code: Mapping[str, Any] = field(default_factory=dict)
    ship: str = ""
    run_id: str = ""
    start_id: str = field(default_factory=new_ticket)

    @property
    def inherits(self) -> bool:
        """Whether it gets this process's environment."""
        return self.kind == "command" and self.inherit

    def to_spec(self, devices: Sequence[str]) -> RunSpec:
        """The spec for a host that has these devices."""
        asked = self.device or str(self.config.get("device", "auto" if self.kind == "trainer" else "cpu"))
        config = dict(self.config)
        device = choose_device(asked, devices, config.get("parallel", {}).get("processes", 0))
        if self.kind == "trainer" and config:
            config["device"] = device.replace("-", ":")  # the trainer uses what is locked, not what it finds
        return RunSpec(
            run_id=self.run_id or new_run_id(self.name),
            name=self.name,
            kind=self.kind,
            device=device,
            cwd=self.cwd,
            preset=self.preset,
            parent=self.parent,
            config=config,
            origins={**self.origins, "device": "the device that is locked"} if config else {},
            argv=self.argv,
            resume_argv=self.resume_argv,
            env={**(inherited().kept if self.inherits else {}), **self.env},
            umask=_umask() if self.inherits else -1,
            shared_device=self.shared_device,
            stop_signal=self.stop_signal,
            restart=self.restart,
            on_end=self.on_end,
            limit_s=self.limit_s,
            code=self.code,
            created=time.time(),
            by=whoami(),
        )


def _umask() -> int:
    """The process's umask; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
