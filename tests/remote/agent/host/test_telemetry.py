"""How busy a host is: null for what nobody can say, nothing measured unasked, the loop never held up."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from remote.agent.sampler import Sampler
from remote.protocol.errors import CallError
from remote.readings import apple
from remote.readings.machine import _Processor, accelerators, parse_stalls, pressure
from tests.remote.driving import drive
from tests.remote.raw_agent import RawAgent
from tests.remote.readings import apple_samples


def tools(**outputs: bytes) -> apple.Run:
    def run(argv: Sequence[str]) -> bytes:
        return outputs.get(Path(argv[0]).name, b"")

    return run


def test_apples_accelerator_is_read_from_ioreg() -> None:
    run = tools(ioreg=apple_samples.IOREG, sysctl=apple_samples.SYSCTL)
    assert apple.accelerators(run) == [
        {
            "device": "mps",
            "name": "Apple M2 Ultra",
            "util_percent": 97,
            "mem_used": 40 << 30,
            "mem_allocated": 45 << 30,
            "mem_total": 192 << 30,
            "power_w": None,
            "temperature_c": None,
        }
    ]


@pytest.mark.parametrize(
    "output", [b"", b"garbage", b"<plist", b"<plist><dict/></plist>", b"bplist00\xff" * 9]
)
def test_what_ioreg_does_not_say_is_unknown_and_not_zero(output: bytes) -> None:
    assert apple.accelerators(tools(ioreg=output)) is None


def test_an_accelerator_without_statistics_has_a_name_and_nulls() -> None:
    rows = apple.accelerators(tools(ioreg=apple_samples.IOREG_WITHOUT_STATISTICS))
    assert rows is not None
    assert rows[0]["name"] == "Intel Iris Plus"
    assert {rows[0][key] for key in ("util_percent", "mem_used", "mem_total")} == {None}


@pytest.mark.parametrize("sysctl", [apple_samples.SYSCTL, apple_samples.SYSCTL_WITH_COMMAS])
def test_apples_memory_pressure(sysctl: bytes) -> None:
    found = apple.pressure(tools(sysctl=sysctl, vm_stat=apple_samples.VM_STAT))
    assert found["level"] == "warning"
    assert found["swap_used"] == int(1536.5 * (1 << 20))
    assert (found["wired"], found["compressed"]) == (400000 * 16384, 500000 * 16384)
    assert set(apple.pressure(tools()).values()) == {None}


def test_a_tool_that_hangs_or_is_missing_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apple, "PATIENCE_S", 0.1)
    assert apple.run_tool(["sleep", "20"]) == b""
    assert apple.run_tool(["/no/such/tool"]) == b""
    assert apple.run_tool(["false"]) == b""
    assert apple.run_tool(["echo", "hello"]) == b"hello\n"


def test_linux_stalls(tmp_path: Path) -> None:
    text = (
        "some avg10=1.53 avg60=0.20 avg300=0.01 total=123\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1\n"
    )
    assert parse_stalls(text) == 1.53
    (tmp_path / "memory").write_text(text)
    assert pressure("linux", tmp_path / "memory")["stalled_percent"] == 1.53
    assert pressure("linux", tmp_path / "none")["stalled_percent"] is None
    assert accelerators("linux") is None or isinstance(accelerators("linux"), list)


def test_processor_use_is_unknown_at_the_first_look() -> None:
    processor = _Processor()
    assert processor.percent() is None
    until = time.monotonic() + 0.05
    while time.monotonic() < until:  # some of it is used
        pass
    used = processor.percent()
    assert used is not None
    assert 0.0 < used <= 100.0


def test_many_askers_share_one_sample_and_nobody_asking_takes_none() -> None:
    now = [100.0]
    sampler = Sampler(lambda: {"x": 1}, clock=lambda: now[0])
    assert sampler.taken == 0
    first = drive(sampler.take())
    assert first["x"] == 1
    assert first["cost_ms"] >= 0
    for _ in range(5):
        drive(sampler.take())
    assert sampler.taken == 1
    now[0] += 1.0
    drive(sampler.take())
    assert sampler.taken == 2


def test_a_reading_that_hangs_is_a_time_out_and_holds_up_nobody() -> None:
    gate, read = threading.Event(), list[bool]()

    def hang() -> dict[str, object]:
        read.append(gate.wait(30))
        return {"x": read[-1]}

    sampler = Sampler(hang, patience_s=0.1)
    work = sampler.take()
    next(work)
    assert not read, "the loop has its turn back while the reading hangs"
    with pytest.raises(CallError, match="took longer") as caught:
        drive(work)
    assert caught.value.code == "timeout"
    with pytest.raises(CallError):
        drive(sampler.take())
    assert threading.active_count() < 20  # the hanging reading was not begun anew
    gate.set()
    assert drive(sampler.take())["x"] is True


def test_the_verb_says_what_it_costs(raw_agent: Callable[..., RawAgent]) -> None:
    agent = raw_agent()
    agent.greet()
    first: dict[str, Any] = agent.ask("telemetry")["result"]
    again = agent.ask("telemetry")["result"]
    assert again == first
    assert first["cpu_percent"] is None
    assert first["mem_total"] > first["mem_used"] > 0
    assert first["disk_free"] > 0
    assert first["gpus"] is None or isinstance(first["gpus"], list)
    assert set(first["pressure"]) == {"level", "stalled_percent", "swap_used", "compressed", "wired"}
