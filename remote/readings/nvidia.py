"""What NVIDIA's own library says of its devices; nothing where `nvidia-ml-py` or the driver is missing."""

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def gpus() -> list[dict[str, Any]] | None:
    """One entry a device; None where there is no way to ask."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        return [_gpu(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return None


def gpu_processes() -> list[tuple[str, int, int | None]]:
    """Device, pid and bytes there of every process that computes on one; empty where nobody can say."""
    try:
        import pynvml
    except ImportError:
        return []
    users: list[tuple[str, int, int | None]] = []
    try:
        pynvml.nvmlInit()
        for index in range(pynvml.nvmlDeviceGetCount()):
            device = pynvml.nvmlDeviceGetHandleByIndex(index)
            running = pynvml.nvmlDeviceGetComputeRunningProcesses(device)
            users += [(f"cuda-{index}", one.pid, one.usedGpuMemory) for one in running]
    except pynvml.NVMLError:
        return []
    return users


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
