"""What every line of results says of how it was made."""

import time
from typing import TypedDict

import torch

from benchmarks.learning.fingerprint import commit, digest
from benchmarks.learning.kernels import kernels_in_use


class Provenance(TypedDict):
    """The fields of `benchmarks.learning.ledger.Made`."""

    threads: int
    digest: str
    commit: str
    torch: str
    at: str
    kernels: str


def provenance(threads: int) -> Provenance:
    """Say it of a line that is made now."""
    return Provenance(
        threads=threads,
        digest=digest(),
        commit=commit(),
        torch=str(torch.__version__),
        at=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        kernels=kernels_in_use(),
    )
