"""What the published trainer did around its gate: functions of the epoch and of when lambda engaged."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AroundGate:
    """Oracle writes that fade, a cooldown of writes and a rate that starts again.

    Attributes:
        warm_start: epochs of oracle writes alone; `ramp`: epochs in which they fade to `mix_min`.
        post_gate, post_start, post_min: epochs after the engagement in which their share is lifted once more,
            from `post_start` down to `post_min`. (A `post_min` below `mix_min` is never reached.)
        scale_min, scale: of the memory: the first while the oracle writes, the second when it does not.
        cooldown: batches after the engagement that write nothing.
        restart, restart_epochs: factor of the rate from the engagement on, and for how long.
        after_warm: factor of the rate from the end of the warm start on.
    """

    warm_start: int = 3
    ramp: int = 5
    mix_min: float = 0.5
    post_gate: int = 3
    post_start: float = 0.6
    post_min: float = 0.35
    scale_min: float = 0.0
    scale: float = 0.6
    cooldown: int = 2
    restart: float = 0.5
    restart_epochs: int = 3
    after_warm: float = 0.65

    def mix(self, epoch: int, engaged_at: int) -> float:
        """Return the share of oracle writes in an epoch, in [mix_min, 1].

        Args:
            epoch: counted from 1.
            engaged_at: the epoch at which lambda first was above 0; 0: not yet.
        """
        past = max(epoch - self.warm_start, 0)
        share = min(past / self.ramp, 1.0) if self.ramp else float(past > 0)
        mix = 1 - (1 - self.mix_min) * share
        since = epoch - engaged_at
        if engaged_at and 0 <= since < self.post_gate:
            lifted = self.post_start + (self.post_min - self.post_start) * since / self.post_gate
            mix = max(mix, lifted)
        return mix

    def memory_scale(self, mix: float) -> float:
        """Return what reads are multiplied by: the less the oracle writes, the more they count."""
        share = (1 - mix) / (1 - self.mix_min) if self.mix_min < 1 else 0.0
        return self.scale_min + share * (self.scale - self.scale_min)

    def may_write(self, batches_since: int | None) -> bool:
        """Whether a batch writes; `batches_since`: those since lambda engaged, None where it has not."""
        return batches_since is None or batches_since >= self.cooldown

    def rate_factor(self, epoch: int, engaged_at: int) -> float:
        """Return what the rate of an epoch is multiplied by."""
        factor = self.after_warm if epoch > self.warm_start else 1.0
        restarts = engaged_at and engaged_at <= epoch < engaged_at + self.restart_epochs
        return factor * (self.restart if restarts else 1.0)
