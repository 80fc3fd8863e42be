"""The formats of logs that are at hand: the user's own in `client/formats/` before those that we know."""

from collections.abc import Callable, Sequence

from remote.hosts.client_state import client_folder
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.registry import FORMATS
from trainer.telemetry.formats.user_format import FormatFileError, load_formats


def formats_at_hand() -> tuple[Sequence[Callable[[], Format]], list[FormatFileError]]:
    """The formats, and what is wrong with files of the user's that cannot be used."""
    own, faults = load_formats(client_folder("formats"))
    return (*own, *FORMATS), faults
