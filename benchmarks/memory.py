"""Peak memory of a training step of the 46M original at 4 x 512: chunked cross-entropy against the plain.

Each form has a process of its own, for a peak never goes down; what torch and the weights take is in both.
"""

import resource
import subprocess
import sys
from typing import cast

import torch
from torch.nn.functional import cross_entropy, linear

from benchmarks.figures import Figure, report
from trainer.device.device import open_device
from trainer.models import create
from trainer.models.published import PublishedV3

BATCH, CONTEXT, VOCAB = 4, 512, 100_277
AIM = 0.6
FORMS = ("plain", "chunked")


def one_step(form: str) -> None:
    """One forward and backward pass of the whole model and an AdamW step; prints the peak in MiB."""
    torch.manual_seed(0)
    open_device("cpu", 1)
    model = cast(PublishedV3, create("kssm-v3-original", VOCAB))
    optimizer = torch.optim.AdamW(model.parameter_groups(0.1, decay_omega=True), lr=4e-4, fused=True)
    tokens = torch.randint(VOCAB, (BATCH, CONTEXT + 1))
    inputs, targets = tokens[:, :-1], tokens[:, 1:]
    if form == "chunked":
        loss = model.loss(inputs, targets).total
    else:
        seen = model.features(inputs)
        logits = linear(seen.hidden, model.embedding.weight).float()
        loss = cross_entropy(logits.flatten(0, 1), targets.flatten()) + model.config.reg * seen.penalty
        del logits
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak / 2**20 if sys.platform == "darwin" else peak / 2**10)


def main() -> None:
    """Measure both, one after the other."""
    if len(sys.argv) > 1:
        one_step(sys.argv[1])
        return
    peaks = {}
    for form in FORMS:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "benchmarks.memory", form],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        peaks[form] = float(done.stdout)
    report(
        [
            Figure(
                what=f"peak RSS, 46M original, {BATCH}x{CONTEXT}, one step",
                value=peaks["chunked"] / peaks["plain"],
                unit="of plain",
                aim=AIM,
                baseline=f"plain ({peaks['plain']:,.0f} MiB; chunked {peaks['chunked']:,.0f} MiB)",
                ratio=peaks["chunked"] / peaks["plain"],
            )
        ]
    )


if __name__ == "__main__":
    main()
