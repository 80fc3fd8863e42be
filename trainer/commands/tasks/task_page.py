"""What `photinus-train evaluate` shows of a model that was trained on a task."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainer.evals.tasks.share import Share
    from trainer.evals.tasks.task_evaluation import TaskEvaluation


def task_lines(found: "TaskEvaluation") -> list[str]:
    """One screen."""
    best, chance = found.best_baseline, found.chance
    return [
        f"{found.name} ({found.kind}, {found.parameters:,} parameters, step {found.step:,})",
        f"{found.sequences:,} validation sequences of {found.task}, {found.length} tokens each; "
        f"{found.accuracy.n:,} answers; [95 % intervals]",
        "",
        f"accuracy      {shown(found.accuracy)};  before the first step {shown(found.untrained)}",
        f"chance        {chance:.3f}",
        "baselines     counted on train, scored on the same answers",
        *(f"  {shown(one)}  {one.name}" for one in found.baselines),
        f"the model is {found.accuracy.value - best.value:+.3f} from the best of them ({best.name}), "
        f"which is {(best.value - chance) / (1 - chance):.0%} of the way from chance to 1",
        *(["controls      the same sequences, with something taken away"] if found.controls else []),
        *(f"  {shown(one)}  {one.name}" for one in found.controls),
    ]


def shown(one: "Share") -> str:
    """A share with its interval."""
    return f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]"
