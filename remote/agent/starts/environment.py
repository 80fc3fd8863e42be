"""The environment that this agent runs from, and those that its runs are started in."""

from dataclasses import replace
from pathlib import Path

from remote.deploy.on_host.installed import ENVS, Installed, read_installed
from trainer.run.home import Home
from trainer.run.requirements import REMEDY
from trainer.run.spec import RunSpec

DEPLOYED_REMEDY = "photinus hosts deploy HOST, with another `torch:` than none in hosts.yaml"
UNDEPLOYED = Installed(home="", env="", wheel="", version="")


def own() -> Installed:
    """What this agent runs from; empty texts in a checkout."""
    return read_installed() or UNDEPLOYED


def pinned(spec: RunSpec) -> RunSpec:
    """The spec with the hash of the environment that its run is started in; what it names already stands."""
    env = own().env
    return replace(spec, env_hash=env) if env and not spec.env_hash else spec


def standing(home: Home, spec: RunSpec) -> RunSpec:
    """The spec without a pin whose environment is gone: a run that is over is resumed in the agent's own."""
    gone = bool(spec.env_hash) and not (home.root / ENVS / spec.env_hash).is_dir()
    return replace(spec, env_hash="") if gone else spec


def deployed_root() -> Path | None:
    """The state root that a deploy made this environment for; None elsewhere: `$PHOTINUS_HOME` decides.

    It goes before the variable: runs, pins and environments of one state root must not be told apart by
    what a shell on the host happens to export.
    """
    home = own().home
    return Path(home) if home else None


def training_remedy() -> str:
    """What gives this interpreter what it lacks for training; what was deployed is never changed."""
    return DEPLOYED_REMEDY if own().env else REMEDY
