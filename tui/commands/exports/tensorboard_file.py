"""A run as a TensorBoard event file, written by TensorBoard's own writer."""

import tempfile
from pathlib import Path

from tui.commands.exports.missing_library import needs
from tui.commands.exports.recorded_run import RecordedRun, numbers


def write_tensorboard(run: RecordedRun, folder: Path) -> None:
    """Fill a folder with one event file: a scalar for each metric, step and time as they were told.

    Raises:
        CallError: TensorBoard is not installed.
    """
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError as error:
        raise needs("tensorboard", "tensorboard", error) from error
    plugin = SummaryMetadata.PluginData(plugin_name="scalars")
    writer = EventFileWriter(str(folder))
    try:
        for row in run.rows:
            summary = Summary()
            for name, value in numbers(row):
                summary.value.add(
                    tag=name, simple_value=_single(value), metadata=SummaryMetadata(plugin_data=plugin)
                )
            writer.add_event(Event(wall_time=row.t, step=row.step or 0, summary=summary))
    finally:
        writer.close()


def _single(value: float) -> float:
    """A number that a single float holds: what is beyond it is inf."""
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def draft_folder(beside: Path) -> "tempfile.TemporaryDirectory[str]":
    """A folder that will be renamed into its place."""
    return tempfile.TemporaryDirectory(prefix=f".{beside.name}-", dir=beside.parent)
