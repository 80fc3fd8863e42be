"""The verb `telemetry`: how busy the host is. What cannot be read is null, never zero."""

import os
from collections.abc import Callable
from typing import Any, TypeVar

import psutil

from remote.agent.context import Context, Result

T = TypeVar("T")


def telemetry(ctx: Context, _args: Result) -> Result:
    """The verb. Bytes, percent, watts, degrees Celsius; processor use is since this agent's last call."""
    memory = known(psutil.virtual_memory)
    disk = known(lambda: psutil.disk_usage(str(ctx.home.root)))
    return {
        "cpu_percent": known(lambda: psutil.cpu_percent(None)),
        "cpu_count": os.cpu_count(),
        "load": known(lambda: list(os.getloadavg())),
        "mem_total": memory.total if memory else None,
        "mem_used": memory.total - memory.available if memory else None,
        "disk_total": disk.total if disk else None,
        "disk_free": disk.free if disk else None,
        "gpus": gpus(),
    }


def known(read: Callable[[], T]) -> T | None:
    """A reading, or None where the host has no such thing."""
    try:
        return read()
    except (OSError, psutil.Error, AttributeError, NotImplementedError):
        return None


def gpus() -> list[dict[str, Any]] | None:
    """One entry an NVIDIA device; None where there is no way to ask."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        return [_gpu(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return None


def _gpu(nvml: Any, index: int) -> dict[str, Any]:
    device = nvml.nvmlDeviceGetHandleByIndex(index)

    def ask(read: Callable[[], T]) -> T | None:
        try:
            return read()
        except nvml.NVMLError:
            return None

    memory = ask(lambda: nvml.nvmlDeviceGetMemoryInfo(device))
    rates = ask(lambda: nvml.nvmlDeviceGetUtilizationRates(device))
    power = ask(lambda: nvml.nvmlDeviceGetPowerUsage(device))
    name = ask(lambda: nvml.nvmlDeviceGetName(device))
    return {
        "device": f"cuda-{index}",
        "name": name.decode() if isinstance(name, bytes) else name,
        "util_percent": rates.gpu if rates else None,
        "mem_total": memory.total if memory else None,
        "mem_used": memory.used if memory else None,
        "power_w": power / 1000 if power is not None else None,
        "temperature_c": ask(lambda: nvml.nvmlDeviceGetTemperature(device, nvml.NVML_TEMPERATURE_GPU)),
    }


def gpu_users() -> dict[int, int | None]:
    """pid -> accelerator bytes of every process that uses an NVIDIA device; empty where nobody can say."""
    try:
        import pynvml
    except ImportError:
        return {}
    users: dict[int, int | None] = {}
    try:
        pynvml.nvmlInit()
        for index in range(pynvml.nvmlDeviceGetCount()):
            device = pynvml.nvmlDeviceGetHandleByIndex(index)
            for one in pynvml.nvmlDeviceGetComputeRunningProcesses(device):
                users[one.pid] = one.usedGpuMemory
    except pynvml.NVMLError:
        return {}
    return users
