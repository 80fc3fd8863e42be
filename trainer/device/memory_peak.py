"""The most memory that was in use between two readings: what predicts that it will run out."""

import torch


class MemoryPeak:
    """Of CUDA, torch's own count. MPS has none: it is looked at inside a step, between forward and backward.

    That is where most is held. Looking costs nothing and waits for nothing: the host does the allocating.
    """

    def __init__(self, place: torch.device) -> None:
        self._place = place
        self._seen = 0

    def sample(self) -> None:
        """Look, inside a step."""
        if self._place.type == "mps":
            self._seen = max(self._seen, torch.mps.current_allocated_memory())

    def read(self) -> int:
        """Return the peak in bytes since the last reading, and begin anew; 0 on a CPU."""
        if self._place.type == "cuda":
            peak = int(torch.cuda.max_memory_allocated(self._place))
            torch.cuda.reset_peak_memory_stats(self._place)
            return peak
        if self._place.type != "mps":
            return 0
        peak, self._seen = max(self._seen, torch.mps.current_allocated_memory()), 0
        return peak
