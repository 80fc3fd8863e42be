"""What is chosen for which host, and what is refused with which remedy."""

from dataclasses import replace

import pytest

from remote.deploy.plan import demand_disk, make_plan
from remote.deploy.survey import FoundPython, Survey
from remote.deploy.torch_builds import choose
from remote.deploy.wheel import pack
from remote.hosts.host import Host
from remote.protocol.errors import CallError
from tests.remote.deploy.here import python, survey

HOST = Host("box", address="box")
WHEEL = pack({"remote/a.py": b""}, "1.0")
OTHER = pack({"remote/a.py": b"x"}, "1.0")
TORCH = {"torch": "2.12.0", "numpy": "2.2.0", "safetensors": "0.7"}


def refusal(found: Survey, host: Host = HOST, torch: str = "") -> CallError:
    with pytest.raises(CallError) as caught:
        make_plan(found, host, WHEEL, torch)
    return caught.value


def test_the_first_python_of_the_path_that_is_new_enough() -> None:
    plan = make_plan(
        survey(python("3.9.6", "/usr/bin/python3"), python("3.11.2", "/opt/a"), python("3.13.0", "/opt/b")),
        HOST,
        WHEEL,
    )
    assert plan.python.path == "/opt/a"
    assert plan.torch == "torch==2.13.0"
    assert plan.installer == "venv"


def test_without_one_the_refusal_names_what_was_found() -> None:
    error = refusal(survey(python("3.9.6", "/usr/bin/python3"), python("3.10.1", "/opt/b")))
    assert error.code == "refused"
    assert "3.9.6 (/usr/bin/python3), 3.10.1 (/opt/b)" in error.message
    assert "uv python install" in error.remedy


def test_one_that_can_make_environments_goes_before_one_that_cannot() -> None:
    bare = python("3.12.1", "/usr/bin/python3", tools=frozenset({"venv"}))
    assert make_plan(survey(bare, python("3.11.1", "/opt/a")), HOST, WHEEL).python.path == "/opt/a"
    error = refusal(survey(bare))
    assert "lacks ensurepip and pip" in error.message
    assert "python3.12-venv" in error.remedy


def test_uv_and_the_pip_of_the_base_are_ways_out() -> None:
    bare = python("3.12.1", tools=frozenset())
    assert make_plan(survey(bare, uv="/usr/local/bin/uv"), HOST, WHEEL).installer == "uv"
    assert make_plan(survey(python(tools=frozenset({"venv", "pip"}))), HOST, WHEEL).installer == "bare"
    assert "the module venv" in refusal(survey(bare)).message


def test_a_named_python_with_torch_downloads_nothing_of_it() -> None:
    have = TORCH | {"msgspec": "0.21", "pyyaml": "6.0.2", "psutil": "7.0", "filelock": "3.20"}
    named = python("3.12.1", "/opt/torch/bin/python", asked=True, packages=have)
    host = Host("box", address="box", python="/opt/torch/bin/python")
    plan = make_plan(survey(python(), named), host, WHEEL)
    assert (plan.torch, plan.needs, plan.installer) == ("", (), "none")
    assert plan.borrowed == named.site
    assert plan.build.name == "borrowed"
    partly = python("3.12.1", "/opt/torch/bin/python", asked=True, packages=TORCH | {"numpy": "1.26.4"})
    assert "numpy==2.4.6" in make_plan(survey(partly), host, WHEEL).needs


@pytest.mark.parametrize(
    ("named", "words"),
    [
        (None, "no Python that runs there"),
        (python("3.9.6", "/opt/x", asked=True), "3.11 or newer"),
        (python("3.12.1", "/opt/x", asked=True, packages={"torch": "2.5.1"}), "2.11 or newer"),
        (python("3.12.1", "/opt/x y/$(id)", asked=True), "characters that a shell may read"),
    ],
)
def test_a_named_python_that_will_not_do(named: FoundPython | None, words: str) -> None:
    found = survey(python(), *([named] if named else []))
    error = refusal(found, Host("box", address="box", python="/opt/x"))
    assert words in error.message
    assert "python:" in error.remedy


def test_a_state_root_that_cannot_be_used_is_refused() -> None:
    assert "nfs4" in refusal(survey(home_trouble="/home/ada is on nfs4; give the host a `home:`")).message
    assert "characters that a shell" in refusal(survey(home="/home/a b")).message


def test_a_small_disk_is_told_with_numbers() -> None:
    found = survey(disk_free=10**9)
    plan = make_plan(found, HOST, WHEEL)
    with pytest.raises(CallError, match=r"1\.0 GB are free .* 1\.6 GB are needed") as caught:
        demand_disk(found, HOST, plan)
    assert caught.value.code == "disk_low"
    demand_disk(replace(found, disk_free=10**10), HOST, plan)


def test_the_hash_is_of_all_that_matters() -> None:
    base = make_plan(survey(), HOST, WHEEL)
    assert make_plan(survey(), HOST, WHEEL) == base
    assert make_plan(survey(disk_free=5), HOST, WHEEL).env == base.env, "not of what changes by itself"
    others = [
        make_plan(survey(python("3.12.5")), HOST, WHEEL),
        make_plan(survey(python(path="/opt/p")), HOST, WHEEL),
        make_plan(survey(arch="aarch64"), HOST, WHEEL),
        make_plan(survey(driver="580.1"), HOST, WHEEL),
        make_plan(survey(), HOST, WHEEL, "none"),
    ]
    assert len({base.env, *(plan.env for plan in others)}) == 6
    other = make_plan(survey(), HOST, OTHER)
    assert other.env != base.env
    assert other.packages == base.packages, "a new wheel needs no new packages"


@pytest.mark.parametrize(
    ("found", "name", "devices"),
    [
        (survey(), "cpu", ("cpu",)),
        (survey(driver="580.65.06", gpus=("H200", "H200")), "cu130", ("cpu", "cuda-0", "cuda-1")),
        (survey(driver="550.54", gpus=("A100",)), "cu126", ("cpu", "cuda-0")),
        (survey(driver="470.1", gpus=("K80",)), "cpu", ("cpu",)),
        (survey(system="darwin", arch="arm64"), "pip", ("cpu", "mps")),
        (survey(system="darwin", arch="x86_64"), "pip", ("cpu",)),
    ],
)
def test_torch_by_platform_and_driver(found: Survey, name: str, devices: tuple[str, ...]) -> None:
    plan = make_plan(found, HOST, WHEEL)
    assert (plan.build.name, plan.devices) == (name, devices)
    assert any(need.startswith("nvidia-ml-py") for need in plan.needs) == bool(found.driver)


@pytest.mark.parametrize(
    "setting", ["cpu", "cu130", "rocm7.2", "pip", "none", "https://mirror.example/torch"]
)
def test_a_setting_goes_before_the_choice(setting: str) -> None:
    build = choose(survey(driver="550.54"), setting)
    assert setting in (build.name, build.index)


@pytest.mark.parametrize("setting", ["cuda", "cu12", "--index-url=x", "http://x/$(id)", "cpu;id"])
def test_what_is_no_setting_is_refused(setting: str) -> None:
    with pytest.raises(CallError, match="not a build of torch") as caught:
        choose(survey(), setting)
    assert caught.value.code == "bad_request"


def test_notes_tell_what_will_bite() -> None:
    found = survey(
        python(),
        python("3.12.1", "/opt/conda/bin/python3", packages=TORCH),
        kill_user_processes=True,
        unreadable=("/Users/ada/Documents",),
    )
    notes = " ".join(make_plan(found, HOST, WHEEL).notes)
    assert "`python: /opt/conda/bin/python3`" in notes
    assert "loginctl enable-linger" in notes
    assert "Full Disk Access" in notes
    assert make_plan(survey(), HOST, WHEEL).notes == ()
