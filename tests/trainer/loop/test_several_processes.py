"""How many processes, on which devices: what fits together, and what is refused with its remedy."""

import pytest

from remote.actions.start_request import StartRequest, choose_device
from trainer.config.config_error import ConfigError
from trainer.config.parallel import device_of, process_count
from trainer.config.resolve import resolve
from trainer.job.rank import STORE_VARIABLE, rank_from
from trainer.run.layout import check_devices
from trainer.run.run_errors import SpecError


@pytest.mark.parametrize(
    ("device", "processes", "count"),
    [
        ("auto", 0, 1),
        ("cpu", 2, 2),
        ("cuda", 4, 4),
        ("cuda:3", 0, 1),
        ("cuda:0,cuda:2", 0, 2),
        ("cuda:0,cuda:2", 2, 2),
    ],
)
def test_processes_are_counted_by_the_key_or_by_the_devices(device: str, processes: int, count: int) -> None:
    assert process_count(device, processes, 8) == count


@pytest.mark.parametrize(
    ("device", "processes", "batch", "remedy"),
    [
        ("cpu", 3, 8, "set batch to a multiple of 3"),
        ("cuda:0", 2, 8, "device=cuda:0,cuda:1"),
        ("mps", 2, 8, "parallel.processes=1"),
        ("cuda:0,cuda:0", 0, 8, "name each once"),
        ("cuda:0,cuda:1", 4, 8, "0 for one each"),
    ],
)
def test_what_does_not_fit_together_is_refused(device: str, processes: int, batch: int, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        process_count(device, processes, batch)
    sets = [f"device={device}", f"parallel.processes={processes}", f"batch={batch}"]
    with pytest.raises(ConfigError, match=remedy):
        resolve(None, overrides=sets)


def test_each_process_has_its_own_device() -> None:
    assert [device_of("cuda:1,cuda:3", rank, 2) for rank in (0, 1)] == ["cuda:1", "cuda:3"]
    assert [device_of("cuda", rank, 2) for rank in (0, 1)] == ["cuda:0", "cuda:1"]
    assert [device_of("cpu", rank, 2) for rank in (0, 1)] == ["cpu", "cpu"]
    assert device_of("cuda", 0, 1) == "cuda"


def test_a_device_of_no_such_kind_is_refused_in_words() -> None:
    with pytest.raises(ConfigError) as refusal:
        resolve(None, overrides=["device=tpu"])
    assert "auto, cpu, mps, cuda, cuda:N" in str(refusal.value)
    assert "regex" not in str(refusal.value)


@pytest.mark.parametrize(
    ("asked", "devices", "processes", "locks"),
    [
        ("cuda:0,cuda:1", ["cpu"], 0, "cuda-0,cuda-1"),
        ("cuda", ["cuda-0", "cuda-1", "cpu"], 2, "cuda-0,cuda-1"),
        ("auto", ["cuda-0", "cuda-1", "cpu"], 2, "cuda-0,cuda-1"),
        ("auto", ["cuda-0", "cpu"], 2, "cpu"),
        ("auto", ["cuda-0", "cpu"], 1, "cuda-0"),
        ("cpu", ["cuda-0", "cpu"], 2, "cpu"),
    ],
)
def test_every_device_of_a_run_is_locked(asked: str, devices: list[str], processes: int, locks: str) -> None:
    assert choose_device(asked, devices, processes) == locks
    config = resolve(None, overrides=[f"device={asked}", f"parallel.processes={processes}"]).values()
    spec = StartRequest(name="x", config=config).to_spec(devices)
    assert spec.devices == tuple(locks.split(","))
    assert spec.config["device"] == locks.replace("-", ":")
    assert spec.processes == max(processes, len(spec.devices))


@pytest.mark.parametrize("text", ["cpu,cuda-0", "cuda-0,cuda-0", "mps,mps", "cuda-0,", "../cpu", "cuda:0"])
def test_a_text_that_names_no_devices_reaches_no_lock(text: str) -> None:
    assert check_devices("cuda-0,cuda-12") == ("cuda-0", "cuda-12")
    with pytest.raises(SpecError):
        check_devices(text)


def test_a_process_knows_who_it_is_from_torchrun_alone() -> None:
    told = {"RANK": "1", "WORLD_SIZE": "2", STORE_VARIABLE: "/tmp/meeting"}
    rank = rank_from(told)
    assert (rank.number, rank.size, rank.leads) == (1, 2, False)
    for name in told:
        with pytest.raises(ValueError, match="leave it out"):
            rank_from({key: value for key, value in told.items() if key != name})
