"""Whether a checkpoint may be continued under a configuration: which keys differ. No torch here."""

from collections.abc import Collection, Mapping
from typing import Any

from trainer.config.changeable_keys import FREE, ON_REQUEST
from trainer.config.keys import flatten
from trainer.config.resolve import to_values
from trainer.config.schema import RunConfig


def differences(stored: Mapping[str, Any], config: RunConfig, asked: Collection[str] = ()) -> list[str]:
    """Return a line for every key of `config` that would change the arithmetic of the run in a manifest.

    Args:
        stored: the manifest, as plain values.
        config: what is asked for now.
        asked: keys that somebody changed by name for this attempt: a learning rate may be one.
    """
    then = flatten(to_values(RunConfig())) | flatten(
        stored.get("config", {})
    )  # older than a key: its default
    now = flatten(to_values(config))
    lines = [
        f"{key}: {then[key]!r} in the checkpoint, {now.get(key)!r} now"
        for key in sorted(then)
        if not key.startswith(FREE) and then[key] != now.get(key) and not (key in ON_REQUEST and key in asked)
    ]
    if config.processes != stored.get("processes", 1):
        lines.append(f"processes: {stored.get('processes', 1)!r} in the checkpoint, {config.processes!r} now")
    if config.threads and config.threads != stored.get("threads"):
        lines.append(f"threads: {stored.get('threads')!r} in the checkpoint, {config.threads!r} now")
    if config.optim.amp != "auto" and config.optim.amp != stored.get("autocast"):
        lines.append(f"optim.amp: {stored.get('autocast')!r} in the checkpoint, {config.optim.amp!r} now")
    if config.kernels in ("native", "torch") and config.kernels != stored.get("kernels", "torch"):
        lines.append(f"kernels: {stored.get('kernels', 'torch')!r} in the checkpoint, {config.kernels!r} now")
    return lines


def platform_differences(stored: Mapping[str, Any], device: str, data: str, vocab_size: int) -> list[str]:
    """Return a line for each of device kind, data fingerprint and vocabulary that is another one now."""
    now = {"device": device, "data_fingerprint": data, "vocab_size": vocab_size}
    return [
        f"{key}: {stored.get(key)!r} in the checkpoint, {value!r} now"
        for key, value in now.items()
        if stored.get(key) != value
    ]


def refusal(name: str, lines: list[str], *, supervised: bool = False) -> str:
    """Return the sentence that refuses a resume, with what the program that was asked can do about it."""
    listed = "\n  ".join(lines)
    remedy = "undo these, or begin anew with --fresh"
    if supervised:
        remedy = "undo these (photinus resume RUN --set KEY=VALUE), or start a new run"
    return f"{name} cannot be continued under this configuration:\n  {listed}\n{remedy}"
