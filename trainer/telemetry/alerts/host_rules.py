"""Every rule on a host and on the ends of its runs."""

from collections.abc import Collection, Mapping

from trainer.telemetry.alerts.occasion import Firing, Occasion, Quiet

MEMORY_FULL, MEMORY_WELL = 95.0, 90.0  # percent
DISK_FULL, DISK_WELL = 1e9, 2e9  # bytes that are free
READINGS = 2  # in a row
LINK_REST_S = 60.0  # a link that comes back for less than this has not come back
ENDS = {
    "succeeded": "information", "stopped": "information", "failed": "error", "died": "error",
    "died_reboot": "error", "unkillable": "error",
}  # fmt: skip


class HostRules:
    """The rules of one host."""

    def __init__(self) -> None:
        self._memory = Occasion(begins=READINGS, ends=READINGS)
        self._disk = Occasion(begins=READINGS, ends=READINGS)
        self._links = Quiet(LINK_REST_S)
        self._orphans = Quiet(0.0)
        self._seen: set[tuple[str, str]] = set()
        self._ends = Quiet(0.0)

    def load(self, memory_percent: float | None, disk_free: float | None) -> list[Firing]:
        """A reading of the machine; None is unknown and changes nothing."""
        found = []
        if memory_percent is not None and self._memory.fires(
            memory_percent >= MEMORY_FULL, good=memory_percent < MEMORY_WELL
        ):
            found.append(Firing("memory", "error", f"memory is {memory_percent:.0f} % full"))
        if disk_free is not None and self._disk.fires(disk_free < DISK_FULL, good=disk_free >= DISK_WELL):
            found.append(Firing("disk", "error", f"{disk_free / 1e9:.2g} GB free on its disk"))
        return found

    def orphans(self, left: Mapping[str, Collection[str]], now: float) -> dict[str, Firing]:
        """The processes that runs which are over left behind, a firing a run once each of them is seen again.

        A run that has just ended may still be ending its children.
        """
        seen = {(run_id, name) for run_id, names in left.items() for name in names}
        for gone in self._seen - seen:
            self._orphans.ends(gone, now)
        new: dict[str, list[str]] = {}
        for run_id, name in sorted(seen & self._seen):
            if self._orphans.begins((run_id, name), now):
                new.setdefault(run_id, []).append(name)
        self._seen = seen
        return {
            run_id: Firing("orphan", "warning", f"left behind and still alive: {', '.join(names)}")
            for run_id, names in new.items()
        }

    def link(self, phase: str, now: float, reason: str = "") -> list[Firing]:
        """A state of the link: `lost` or `refused` once, until it was up for a minute."""
        if phase in ("lost", "retrying", "refused"):
            name = "refused" if phase == "refused" else "lost"
            if not self._links.begins(name, now):
                return []
            return [Firing(name, "warning", f"link {name}{f': {reason}' if reason else ''}")]
        for name in ("lost", "refused"):
            self._links.ends(name, now)
        return []

    def ended(self, run_id: str, attempt: int, state: str, reason: str, now: float) -> list[Firing]:
        """A state of a run: an ending once an attempt."""
        if state not in ENDS or not self._ends.begins((run_id, attempt, state), now):
            return []
        message = f"{state.replace('_', ' ')}{f': {reason}' if reason else ''}"
        return [Firing("ended", ENDS[state], message)]  # type: ignore[arg-type]  # the table's words are levels
