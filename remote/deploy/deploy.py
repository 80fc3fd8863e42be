"""Deploy: look at the host, carry our wheel there, build an environment beside the living ones, try it."""

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

from remote.audit.audit_writer import AUDIT_WRITER
from remote.audit.whoami import whoami
from remote.deploy.hello_check import ask_hello
from remote.deploy.on_host.build_environment import EnvironmentParts
from remote.deploy.on_host.installed import ENVS, Installed
from remote.deploy.plan import DeployPlan, demand_disk, make_plan
from remote.deploy.remote_python import GivenUp, Hearing, perform
from remote.deploy.requirements import PINS, locked
from remote.deploy.survey import Survey, probe
from remote.deploy.torch_record import known_torch, record_torch
from remote.deploy.upload import Client, ask_to_stop, bring_wheels, upload
from remote.deploy.wheel import Wheel, our_wheel
from remote.hosts.host import Host
from remote.hosts.placement import Placement, write_placement
from remote.hosts.torch_setting import NONE
from remote.protocol.errors import CallError
from remote.protocol.permission import demand_may_act
from remote.transport.base import ConnectAttempt

LOCK_S = 1800.0
BUILD = b"""
import json, sys
order = json.loads(%r)
sys.path.insert(0, order["path"])
from remote.deploy.on_host.builder import main
main(order)
"""
CLEAN = b"""
import json
from remote.deploy.on_host.garbage import tell_clean
tell_clean(**json.loads(%r))
"""


class Connect(Protocol):
    """How a host is reached; see `remote.ssh.client.connect`."""

    def __call__(self, host: Host, dial: ConnectAttempt, /) -> "DeployConnection":
        """Reach it."""


class DeployConnection(Client, Protocol):
    """A connection that can be ended."""

    def close(self) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deploy: the host, its connection, and who is told.

    Attributes:
        trust_index: compare no hashes of packages. wheels: a folder here whose wheels are brought over.
        skip_selftest: train on no accelerator; they multiply as ever.
    """

    host: Host
    client: Client
    hearing: Hearing
    trust_index: bool = False
    wheels: Path | None = None
    skip_selftest: bool = False


def deploy(
    host: Host,
    dial: ConnectAttempt,
    say: Callable[[str], None],
    *,
    force: bool = False,
    trust_index: bool = False,
    wheels: Path | None = None,
    skip_selftest: bool = False,
    connect: Connect | None = None,
) -> Placement:
    """Make `host` able to run our agent and trainer, and remember where. Environments in use stay untouched.

    Args:
        say: told a line of progress at a time, cleaned for a terminal; called on this thread.
        force: build a new environment although the host has what we would build.
        trust_index: install what the host's index gives, without comparing hashes.
        wheels: a folder on this machine; its wheels are brought over, and no index is asked.
        skip_selftest: train on no accelerator of the host (`photinus doctor` then says so).

    Raises:
        OSError: the host cannot be reached now, or the link broke; deploying again goes on where it was.
        CallError: the host cannot be deployed to, or this client only looks (`refused`, with the remedy),
            `disk_low`, `timeout`; or a
            `QuestionError` of the connection.
    """
    if host.is_local:
        raise CallError("bad_request", "this machine needs no deploy: it runs this installation", "")
    demand_may_act("deploy")
    client = (connect or _connect)(host, dial)
    try:
        asked = {"force": force, "trust_index": trust_index, "wheels": str(wheels or "")}
        with AUDIT_WRITER.audited_act(host.name, "deploy", asked):
            hearing = Hearing(say, dial.gave_up)
            deployment = Deployment(host, client, hearing, trust_index, wheels, skip_selftest)
            return carry_out(deployment, force=force)
    finally:
        client.close()


def carry_out(deployment: Deployment, *, force: bool = False) -> Placement:
    """The steps, over a connection that is there. Raises as `deploy` does."""
    host, client, hearing = deployment.host, deployment.client, deployment.hearing
    hearing.say(f"looking at {host.name}")
    survey, wheel = probe(client, host), our_wheel()
    plan = make_plan(survey, host, wheel, host.torch)
    if force:
        plan = _afresh(plan)
    for line in describe(survey, plan):
        hearing.say(line)
    if plan.env in survey.environments:
        hearing.say(f"environment {plan.env} is there already")
        try:
            return _settle(deployment, survey, plan, wheel)
        except CallError as error:  # somebody has damaged it; what may be in use is not mended in place
            hearing.say(f"it does not work ({error.message}); making another")
            plan = _afresh(plan)
    if not survey.environments:  # else the host may take the packages of one over
        demand_disk(survey, host, plan)
    upload(client, plan.python.path, survey.home, wheel, hearing.say)
    _build(deployment, survey, plan, wheel)
    return _settle(deployment, survey, plan, wheel)


def _afresh(plan: DeployPlan) -> DeployPlan:
    """The same under another name, taking nothing over."""
    return replace(plan, env=secrets.token_hex(8), packages="")


def describe(survey: Survey, plan: DeployPlan) -> list[str]:
    """What was found and chosen, a line each."""
    lines = [
        f"{survey.release}, {survey.disk_free / 1e9:,.1f} GB free at {survey.home} ({survey.filesystem})",
        f"Python {plan.python.label}, torch {plan.build.name}: {plan.build.why}",
        *(f"accelerator: {gpu}" for gpu in survey.gpus),
    ]
    return lines + [f"note: {note}" for note in plan.notes]


def _build(deployment: Deployment, survey: Survey, plan: DeployPlan, wheel: Wheel) -> None:
    token = secrets.token_hex(8)
    kit = _kit(deployment, survey, plan, wheel)
    order = {
        "path": f"{survey.home}/cas/{wheel.sha256}.whl",
        "home": survey.home,
        "token": token,
        "lock_s": LOCK_S,
        "kit": asdict(kit),
        "record": asdict(_record(survey, plan, wheel)),
    }
    program = BUILD % json.dumps(order)
    try:
        built = perform(deployment.client, plan.python.path, program, deployment.hearing)
        record_torch(plan.torch, plan.python.version, survey.platform, built)
    except (KeyboardInterrupt, GivenUp):
        ask_to_stop(deployment.client, plan.python.path, survey.home, token)
        raise


def _kit(deployment: Deployment, survey: Survey, plan: DeployPlan, wheel: Wheel) -> EnvironmentParts:
    links = ""
    if deployment.wheels is not None and plan.installer != "none":
        links = bring_wheels(deployment.client, survey.home, deployment.wheels, deployment.hearing.say)
    return EnvironmentParts(
        env=plan.env,
        packages=plan.packages,
        wheel=wheel.sha256,
        python=plan.python.path,
        installer=plan.installer,
        uv=survey.uv,
        needs=plan.needs,
        torch=plan.torch,
        index=plan.build.index,
        borrowed=plan.borrowed,
        devices=plan.devices,
        pins=PINS.read_text(),
        disk=plan.disk,
        locked=locked(plan.needs, plan.torch),
        known_torch=known_torch(plan.torch, plan.python.version, survey.platform),
        trust_index=deployment.trust_index,
        links=links,
        selftest=not deployment.skip_selftest,
    )


def _record(survey: Survey, plan: DeployPlan, wheel: Wheel) -> Installed:
    return Installed(
        home=survey.home,
        env=plan.env,
        wheel=wheel.sha256,
        version=wheel.version,
        torch=plan.build.name,
        python=plan.python.path,
        packages=plan.packages,
        by=whoami(),
    )


def _settle(deployment: Deployment, survey: Survey, plan: DeployPlan, wheel: Wheel) -> Placement:
    """The last proof, the note of where it lies, and what is no longer needed."""
    host, client, hearing = deployment.host, deployment.client, deployment.hearing
    placement = Placement(
        python=f"{survey.home}/{ENVS}/{plan.env}/bin/python",
        home=survey.home,
        env=plan.env,
        wheel=wheel.sha256,
        version=wheel.version,
        at=time.time(),
    )
    hello = ask_hello(client, placement)
    devices = ", ".join(hello.devices) if plan.build.name != NONE else "no torch: commands only"
    hearing.say(f"the agent answers: photinus {hello.version}, Python {hello.python}, {devices}")
    placement = replace(placement, host_id=hello.host_id)
    write_placement(host, placement)
    clean = CLEAN % json.dumps({"home": survey.home, "keep": plan.env, "who": whoami()})
    try:
        perform(client, placement.python, clean, Hearing(hearing.say))
    except (OSError, CallError) as error:
        hearing.say(f"old environments were not cleaned away: {error}")
    return placement


def _connect(host: Host, dial: ConnectAttempt) -> DeployConnection:
    from remote.ssh.client import connect

    return connect(host, dial)
