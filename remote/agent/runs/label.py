"""The verb `label`: another name, tags and a note for a run, live or over."""

import unicodedata
from dataclasses import replace

from remote.agent.context import Context
from remote.agent.kept.labels import TAGS_MAX, read_labels, write_labels
from remote.protocol.errors import CallError
from remote.protocol.keeping import LabelArgs
from remote.protocol.sanitise import clean_line
from remote.protocol.views import RunView


def label(ctx: Context, args: LabelArgs) -> RunView:
    """The verb.

    Raises:
        CallError: `not_found`, or `bad_request`: too many tags.
    """
    run = ctx.run(args.run_id)
    with ctx.critical():
        ctx.view(run)
        before = read_labels(run)
        tags = [tag for tag in before.tags if tag not in args.remove]
        tags += [tag for tag in map(_plain, args.add) if tag not in tags]
        if len(tags) > TAGS_MAX:
            raise CallError(
                "bad_request", f"a run has at most {TAGS_MAX} tags", "take some away: --remove WORD"
            )
        write_labels(
            run,
            replace(
                before,
                name=before.name if args.name is None else _plain(args.name),
                note=before.note if args.note is None else _plain(args.note),
                tags=tuple(tags),
            ),
        )
    ctx.index.look(run.run_id)
    return ctx.view(run)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", clean_line(text)).strip()
