"""`photinus-train plan`: what a run would need, before anything starts."""

import argparse
import json
import re
from dataclasses import asdict

from trainer.commands.run import configuration
from trainer.config.config_error import ConfigError
from trainer.config.resolve import resolve
from trainer.config.schema import RunConfig
from trainer.job.environment import granted_threads
from trainer.job.outcome import ExitCode

SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", re.IGNORECASE)
BYTE_TOKENS = 256
Commands = argparse._SubParsersAction


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "plan", help="parameters, memory by part and time of a run, before it starts"
    )
    parser.set_defaults(command=run)
    configuration(parser)
    parser.add_argument(
        "--device", default="", help="cpu, mps, cuda ... to measure on (default: what there is)"
    )
    parser.add_argument(
        "--device-memory", default="", metavar="SIZE", help="of the device that will train, such as 24G"
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON on stdout")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Work one sequence, and print what the whole would need."""
    limit = size_of(arguments.device_memory) if arguments.device_memory else 0
    if not (arguments.preset or arguments.config):
        raise ConfigError("nothing says what to plan; give --preset NAME (`photinus-train presets`)")
    resolved = resolve(arguments.preset, files=arguments.config, overrides=arguments.set, data=arguments.data)
    config = resolved.config
    from trainer.evals.subject import device_for
    from trainer.loop.checks.budget import budget

    vocab = config.data.vocab if config.data.tokenizer == "bpe" else BYTE_TOKENS
    device = device_for(arguments.device or "auto", config.threads or granted_threads())
    found = budget(config, device, vocab, limit)
    if arguments.json:
        print(json.dumps({**asdict(found), "bytes": found.bytes, "limit": limit or None}))
        return ExitCode.OK
    print(f"{config.model.kind}, {found.parameters:,} parameters, vocabulary of at most {vocab:,}")
    for part, size in found.memory.items():
        print(f"  {part:28} {in_mib(size):>14}")
    rows = f"micro-batch {found.micro_batch} of {config.context} tokens"
    print(f"  {'in all':28} {in_mib(found.bytes):>14}, {rows}")
    for line in verdict(found.fits, config, limit):
        print(line)
    print(
        f"{found.step_s * 1e3:,.0f} ms a step, {found.tokens_per_s:,.0f} tokens/s, "
        f"{found.total_s / 3600:,.2f} h for {config.steps:,} steps: a guess from one sequence on "
        f"{device.place}, {found.kernels} kernels, without evaluation and saving"
    )
    return ExitCode.OK


def verdict(fits: int | None, config: RunConfig, limit: int) -> list[str]:
    """Say whether that fits."""
    if fits is None:
        return []
    if fits == 0:
        return [f"does not fit into {in_mib(limit)}: lower context or model.dim, or --set recompute=true"]
    if fits < min(config.micro_batch or config.batch, config.batch):
        return [f"fits into {in_mib(limit)} with --set micro_batch={fits}"]
    return [f"fits into {in_mib(limit)}"]


def size_of(text: str) -> int:
    """Return the bytes of `24G`, `512M`, ...

    Raises:
        ConfigError: that is no size.
    """
    match = SIZE.fullmatch(text.strip())
    if match is None or float(match[1]) == 0:
        raise ConfigError(f"--device-memory {text!r} is no size; write it as 24G or 16384M")
    return int(float(match[1]) * (1 << 10 * " KMGT".index(match[2].upper() or " ")))


def in_mib(size: int) -> str:
    """Return bytes in MiB, for people."""
    return f"{size / (1 << 20):,.1f} MiB"
