"""An auxiliary loss behind its gate: all that a run remembers of it, and what its alarm does.

An epoch is what lies between two validations. `begin_epoch` and `end_epoch` are asked once each.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from trainer.step.gate.drop_alarm import AlarmRules, DropAlarm, SustainedDrop
from trainer.step.gate.lambda_gate import CorrectedAverage, GateRules, GateTransition, LambdaGate
from trainer.step.self_defence import PLATEAU_FACTOR, SelfDefence, Trouble

AlarmAction = Literal["log", "lower", "rollback", "stop"]


@dataclass(frozen=True, slots=True)
class AlarmResponse:
    """What an alarm comes to.

    Attributes:
        told: a sentence without a stop.
        trouble: what the run steps back for; None where it goes on.
        stops: whether the run is to end early, with a checkpoint.
    """

    told: str
    trouble: Trouble | None = None
    stops: bool = False


@dataclass(slots=True)
class GatedLoss:
    """The state of one gated loss; `to_json` tells all of it, and a checkpoint can hold that.

    Attributes:
        read: the average that the gate reads.
        before: the newest good checkpoint of the last validation before lambda was above 0; empty: none.
        is_shut: the run has stepped back to before the gate, which stays closed from there on.
    """

    gate: LambdaGate = field(default_factory=LambdaGate)
    read: CorrectedAverage = field(default_factory=CorrectedAverage)
    alarm: DropAlarm = field(default_factory=DropAlarm)
    before: str = ""
    is_shut: bool = False

    @property
    def weight(self) -> float:
        """Lambda: what the loss weighs in the steps of this epoch."""
        return 0.0 if self.is_shut else self.gate.used()

    def begin_epoch(self, rules: GateRules) -> GateTransition | None:
        """Decide the weight of the next epoch; return the change of status, where there is one."""
        return None if self.is_shut else self.gate.advance(self.read.value, rules)

    def end_epoch(
        self, accuracy: float, n: int, read: float, good: str, rules: GateRules, alarm: AlarmRules
    ) -> SustainedDrop | None:
        """Take what the epoch came to; return the drop that has lasted, where one has.

        Args:
            accuracy, n: of its validation, and how many sequences that scored.
            read: what the average takes, as the cosine of what is read with what was written.
            good: the newest good checkpoint; empty where there is none.
        """
        engaged = bool(self.gate.engaged_at) and not self.is_shut
        if not engaged:
            self.before = good
        drop = self.alarm.observe(accuracy, n, engaged=engaged, rules=alarm)
        self.gate.take(accuracy, rules)
        self.read.take(read)
        return drop

    def respond(
        self, action: AlarmAction, drop: SustainedDrop, step: int, defence: SelfDefence
    ) -> AlarmResponse:
        """Do what was asked for against a drop, as far as it is a matter of state; say what is left to do.

        Whatever it is, as many low validations as before must follow until the alarm goes off again.
        """
        self.alarm.streak = 0
        if action == "lower":
            defence.plateau *= PLATEAU_FACTOR
            told = f"{drop.reason}: the rate is {defence.plateau:g} of what the schedule says, from here on"
            return AlarmResponse(told)
        if action == "rollback":
            self.is_shut = True
            defence.anchor = self.before
            return AlarmResponse(drop.reason, Trouble(drop.reason, step, 0))
        return AlarmResponse(drop.reason, stops=action == "stop")

    def step_back(self, before: "GatedLoss") -> None:
        """Take over what was learnt by the one that is stepped back from: a gate that harmed stays shut."""
        self.is_shut = self.is_shut or before.is_shut
        if self.is_shut:
            self.gate = LambdaGate(accuracies=list(self.gate.accuracies))

    def to_json(self) -> dict[str, Any]:
        """Return plain values, exact to the last bit."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "GatedLoss":
        """Read what `to_json` returned."""
        return cls(
            LambdaGate.from_json(raw["gate"]),
            CorrectedAverage(**raw["read"]),
            DropAlarm.from_json(raw["alarm"]),
            str(raw["before"]),
            bool(raw["is_shut"]),
        )
