"""The Kuramoto state-space model and its controls, behind one interface."""

from trainer.models.base import LanguageModel
from trainer.models.create import ModelSpecError, build, create
from trainer.models.outputs import U_HIGH, U_LOW, Features, LossOutput, Output, StepOutput

__all__ = [
    "U_HIGH",
    "U_LOW",
    "Features",
    "LanguageModel",
    "LossOutput",
    "ModelSpecError",
    "Output",
    "StepOutput",
    "build",
    "create",
]
