"""A spec that came from another machine, with its paths as they are on this one."""

from dataclasses import replace
from pathlib import Path

from remote.protocol.errors import CallError
from trainer.config.config_error import ConfigError
from trainer.config.data_source import CORPUS, NAMED_SOURCES, demand_source
from trainer.run.home import HOME_VARIABLE
from trainer.run.spec import RunSpec


def grounded(spec: RunSpec) -> RunSpec:
    """The same with an absolute working directory: `~` and what is relative are the user's home here."""
    if not spec.cwd or spec.code or spec.cwd.startswith("/"):
        return spec
    return replace(spec, cwd=str(_here(spec.cwd, Path.home())))


def demand_data(spec: RunSpec, root: Path) -> None:
    """Refuse a run of our trainer whose text is not on this host, whose state root is `root`.

    Raises:
        CallError: `bad_request`, naming the path.
    """
    data = spec.config.get("data")
    source = data.get("source") if isinstance(data, dict) else None
    if spec.kind != "trainer" or not isinstance(source, str) or source in NAMED_SOURCES:
        return
    if source.startswith(CORPUS):
        try:
            demand_source(source, "on this host", {HOME_VARIABLE: str(root)})
        except ConfigError as error:
            raise CallError("bad_request", str(error)) from error
        return
    path = _here(source, Path(spec.cwd) if spec.cwd else Path.home())
    try:
        is_there = path.exists()
    except (OSError, ValueError):  # no right to look, a null byte
        is_there = False
    if not is_there:
        raise CallError(
            "bad_request",
            f"data.source = {source!r}: there is no {path} on this host, or it may not be read",
            "--data names a path of the host itself ('~/books' in quotes), python-docs or recall",
        )


def _here(text: str, base: Path) -> Path:
    try:
        return base / Path(text).expanduser()
    except RuntimeError:  # the home of nobody
        return base / text
