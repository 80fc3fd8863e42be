"""The verbs `deploy-check` and `deploy-clean`: what lies on this host, and what of it may go."""

from remote.agent.background import in_thread
from remote.agent.context import Context
from remote.agent.starts.environment import own
from remote.agent.verb import Work
from remote.deploy.on_host.garbage import clean, look
from remote.protocol.arguments import DeployCheckArgs, DeployCleanArgs
from remote.protocol.results import DeployCleaned, DeployState, EnvironmentRow
from remote.protocol.version import judge


def check(ctx: Context, args: DeployCheckArgs) -> Work[DeployState]:
    """The verb: is what runs here what the client would deploy? And what else lies here, and why."""
    mine = own()
    environments = yield from in_thread(lambda: look(ctx.home, mine.env))
    return DeployState(
        verdict=judge(args.wheel, args.version, mine.wheel, mine.version),
        env=mine.env,
        wheel_sha256=mine.wheel,
        version=mine.version,
        environments=[
            EnvironmentRow(
                env=one.name,
                at=one.at,
                version=one.installed.version if one.installed else "",
                torch=one.installed.torch if one.installed else "",
                by=one.installed.by if one.installed else "",
                kept=list(one.why),
            )
            for one in environments[:64]
        ],
    )


def clean_up(ctx: Context, args: DeployCleanArgs) -> Work[DeployCleaned]:
    """The verb: remove environments and wheels that nothing needs; with `dry_run` only tell."""
    env = own().env
    cleaned = yield from in_thread(lambda: clean(ctx.home, env, dry_run=args.dry_run))
    return DeployCleaned(**cleaned.to_json())
