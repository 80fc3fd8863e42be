"""Counts aloud, as a supervised trainer speaks: `talker.py RUN_DIR ATTEMPT LIMIT [LINES]`."""

import os
import sys
import time
from pathlib import Path

from trainer.job.log_rotation import OwnLog
from trainer.job.reporter import RunReporter
from trainer.run.layout import RunDir
from trainer.run.logs import begin_log
from trainer.telemetry.write import EventWriter

PAUSE_S = 1e-4  # so that whoever follows keeps up: a trainer says far less


def main(run: RunDir, attempt: int, limit: int, lines: int = 1 << 40) -> None:
    fd = begin_log(run, attempt)
    for one in (1, 2):
        os.dup2(fd, one)
    with EventWriter(run.events, attempt) as events:
        reporter = RunReporter(events, OwnLog(run, limit))
        for number in range(lines):
            reporter.say(f"{attempt}:{number}")
            time.sleep(PAUSE_S)


if __name__ == "__main__":
    main(RunDir(Path(sys.argv[1])), *map(int, sys.argv[2:]))
