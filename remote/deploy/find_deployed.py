"""Finding what another laptop has deployed: the newest environment on the host whose agent answers."""

import time

from remote.deploy.hello_check import ask_hello
from remote.deploy.on_host.installed import ENVS
from remote.deploy.remote_python import PythonRunner
from remote.deploy.survey import Survey, probe
from remote.hosts.host import Host
from remote.hosts.placement import Placement, write_placement
from remote.protocol.errors import CallError

TRIED = 3


def locate(client: PythonRunner, host: Host) -> Placement | None:
    """An environment on the host, remembered for next time; None where there is none that answers.

    Raises:
        OSError: the link broke.
        CallError: the host cannot be looked at.
    """
    return locate_in(client, host, probe(client, host))


def locate_in(client: PythonRunner, host: Host, survey: Survey) -> Placement | None:
    """The same, of a host that was looked at already."""
    for env in survey.environments[:TRIED]:
        placement = Placement(
            python=f"{survey.home}/{ENVS}/{env}/bin/python", home=survey.home, env=env, at=time.time()
        )
        try:
            hello = ask_hello(client, placement)
        except CallError:
            continue
        found = Placement(
            python=placement.python,
            home=survey.home,
            env=env,
            wheel=hello.wheel_sha256,
            version=hello.version,
            host_id=hello.host_id,
            at=placement.at,
        )
        write_placement(host, found)
        return found
    return None
