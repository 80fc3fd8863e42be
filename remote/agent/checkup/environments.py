"""Environments on the host that nothing needs any more."""

from collections.abc import Iterator

from remote.agent.context import Context
from remote.protocol.finding import Finding


def check(ctx: Context, _deep: bool) -> Iterator[Finding]:
    """Environments that the next deploy would remove."""
    from remote.agent.starts.environment import own
    from remote.deploy.on_host.garbage import look, size

    spare = [one for one in look(ctx.home, own().env) if not one.why]
    if spare:
        total = sum(size(one.path) for one in spare)
        yield Finding(
            level="note",
            about="environments",
            what=f"{len(spare)} environments are needed by nothing ({total / 1e9:.2f} GB): "
            + ", ".join(one.name for one in spare[:3]),
            why="kept are the last two, and whatever a run that is not over or a living process needs",
            remedy="photinus hosts deploy HOST --clean",
        )
