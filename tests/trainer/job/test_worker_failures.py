"""Which of several processes is at fault."""

import pytest

from trainer.job.worker_failures import LOST_PEER, Failure, verdict
from trainer.run.records import ExitRecord


def word(reason: str, outcome: str = "failed") -> ExitRecord:
    return ExitRecord(attempt=1, token="t", outcome=outcome, reason=reason)


LOST = word(f"{LOST_PEER} (connection closed); resume")


@pytest.mark.parametrize(
    ("failures", "left", "reason", "code"),
    [
        # the follower was killed; the leader lost it, or was ended by torchrun for it
        ([Failure(0, 1, 10.0), Failure(1, -9, 10.0)], LOST, "process 1 was killed by SIGKILL", 1),
        ([Failure(0, -15, 11.0), Failure(1, -11, 10.0)], None, "process 1 was killed by SIGSEGV", 1),
        # the leader was killed and left no word
        ([Failure(0, -9, 10.0), Failure(1, 1, 10.0)], None, "process 0 was killed by SIGKILL", 1),
        # the follower told of an error
        ([Failure(0, 1, 10.0), Failure(1, 1, 10.0, "no memory")], LOST, "process 1 failed: no memory", 1),
        # a hung leader that torchrun had to kill 30 s later is not at fault
        ([Failure(0, -9, 40.0), Failure(1, 1, 10.0, "no memory")], None, "process 1 failed: no memory", 1),
        # the leader refused, with its own word and code
        ([Failure(0, 3, 10.0), Failure(1, -15, 10.0)], word("nothing left to do"), "", 3),
        # somebody from outside ended one
        ([Failure(0, 1, 10.0), Failure(1, -15, 10.0)], LOST, "process 1 was ended by SIGTERM", 1),
        # one that left without a word
        ([Failure(0, 1, 10.0), Failure(1, 7, 9.0)], LOST, "process 1 left with 7", 1),
        # all was done and saved before one tripped on its way out
        ([Failure(1, -6, 10.0)], word("", "succeeded"), "", 0),
        ([Failure(0, -15, 10.0), Failure(1, 1, 10.0)], word("", "succeeded"), "", 0),
        ([], word("", "stopped"), "", 0),
    ],
)
def test_the_one_at_fault_is_named(
    failures: list[Failure], left: ExitRecord | None, reason: str, code: int
) -> None:
    assert verdict(failures, left) == (reason, code)
