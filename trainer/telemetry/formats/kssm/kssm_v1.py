"""K-SSM v1: a line an epoch, `Epoch  1/10 | Loss: 2.477/6.991 | PPL: 1087.1 | R: 0.147±0.010 [...] | ...`."""

import re
from collections.abc import Sequence

from trainer.telemetry.formats.format import PatternFormat, Take
from trainer.telemetry.formats.numbers import NUMBER, number
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Row

_ROW = lazy(
    rf"\s*Epoch\s+(\d{{1,9}})/(\d{{1,9}}) \| Loss: ({NUMBER})/({NUMBER}) \| PPL: ({NUMBER}) \| "
    rf"R: ({NUMBER})±({NUMBER}) \[({NUMBER}),\s?({NUMBER})\] \| [^|]{{1,40}} \| ({NUMBER})s\s*"
)


class KssmV1(PatternFormat):
    """Its steps are epochs."""

    name = "kssm-v1"
    example = (
        "Epoch  1/10 | Loss: 2.477/6.991 | PPL: 1087.1 | R: 0.147±0.010 [0.09,0.19] | ☾ Intimacy | 145.9s"
    )
    axis = "epoch"
    needles = (b" | PPL: ",)

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """See `PatternFormat`."""
        return ((_ROW, _row),)


def _row(found: re.Match[str]) -> Sequence[Row]:
    epoch, epochs, loss, val_loss, ppl, R, R_std, R_min, R_max, seconds = found.groups()
    trained = {"loss": loss, "R": R, "R_std": R_std, "R_min": R_min, "R_max": R_max, "epoch_s": seconds}
    scores = {"val_loss": val_loss, "val_ppl": ppl}
    return (
        Row(int(epoch), {name: number(text) for name, text in trained.items()}, total=int(epochs)),
        Row(int(epoch), {name: number(text) for name, text in scores.items()}, is_eval=True),
    )
