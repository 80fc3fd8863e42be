"""Which build of torch a host gets: by its platform and driver, or as its setting `torch:` says."""

from dataclasses import dataclass

from remote.deploy.survey import Survey
from remote.hosts.torch_setting import HOST_INDEX, NAMES, NONE, SETTINGS, URL
from remote.protocol.errors import CallError
from remote.protocol.version import release

INDEX = "https://download.pytorch.org/whl/"
BUILDS = ((580, "cu130"), (525, "cu126"))
"""Oldest driver -> build. CUDA 13 needs driver 580, CUDA 12 needs 525 (NVIDIA, "Minor Version
Compatibility"); torch 2.13 is built for 12.6 and 13.0 (PyTorch, RELEASE.md)."""


@dataclass(frozen=True, slots=True)
class TorchBuild:
    """A choice.

    Attributes:
        name: `cpu`, `cu130`, ...; `pip`: whatever the host's own index gives; `none`: no torch at all.
        index: where its wheels lie; empty: in the host's own index.
        why: for the operator.
    """

    name: str
    index: str
    why: str


def choose(survey: Survey, setting: str = "") -> TorchBuild:
    """The build for a host; `setting` is its `torch:`, empty for a choice by platform and driver.

    Raises:
        CallError: `bad_request`: there is no such setting.
    """
    if setting:
        return _as_set(setting)
    if survey.system == "darwin":
        return TorchBuild(HOST_INDEX, "", "macOS: one build serves processor and MPS")
    major = (release(survey.driver) or (0,))[0]
    for oldest, name in BUILDS:
        if major >= oldest:
            return TorchBuild(name, f"{INDEX}{name}", f"NVIDIA driver {survey.driver}")
    why = "no NVIDIA driver"
    if survey.driver:
        why = f"NVIDIA driver {survey.driver} is older than {BUILDS[-1][0]}, which torch's CUDA builds need"
    return TorchBuild("cpu", f"{INDEX}cpu", why)


def _as_set(setting: str) -> TorchBuild:
    why = f"`torch: {setting}` of the host"
    if setting in (NONE, HOST_INDEX):
        return TorchBuild(setting, "", why)
    if NAMES.fullmatch(setting):
        return TorchBuild(setting, f"{INDEX}{setting}", why)
    if URL.fullmatch(setting):
        return TorchBuild("index", setting, why)
    raise CallError("bad_request", f"not a build of torch: {setting[:80]!r}", f"one of {SETTINGS}")
