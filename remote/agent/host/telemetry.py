"""The verb `telemetry`: how busy the host is. What cannot be read is null, never zero.

Nothing is measured unless somebody asks, at most once a second however many ask, and never by the agent's
loop itself: a driver that hangs must not hold up a stop.
"""

from remote.agent.context import Context
from remote.agent.sampler import Sampler
from remote.agent.verb import Work
from remote.protocol.arguments import NoArgs
from remote.protocol.results import HostLoad
from remote.protocol.values import read_as
from remote.readings.machine import sample


def telemetry(ctx: Context, _args: NoArgs) -> Work[HostLoad]:
    """The verb. Bytes, percent, watts, degrees Celsius; processor use is since this agent's last sample.

    Raises:
        CallError: `timeout`: the host's own readings hang.
    """
    sampler = ctx.sampler
    if sampler is None:
        sampler = ctx.sampler = Sampler(lambda: sample(ctx.home.root))
    return read_as(HostLoad, (yield from sampler.take()))
