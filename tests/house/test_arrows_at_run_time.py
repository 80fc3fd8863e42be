"""The import arrows at run time: what import-linter reads off the source, seen in a real interpreter."""

import json
import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest

HEAVY = ("torch", "numpy", "safetensors", "textual", "rich", "paramiko")
SSH = (
    "remote.ssh.client",
    "remote.ssh.auth.login",
    "remote.ssh.bulk",
    "remote.ssh.sftp_internals",
    "remote.session.link.ssh_pipe",
)
"""What is imported when the first host is reached over SSH, and not before."""

LISTING = """
import json, sys
from importlib import import_module
for name in {names!r}:
    import_module(name)
print(json.dumps(sorted(name.split(".")[0] for name in sys.modules)))
"""


def modules_of(*packages: str) -> list[str]:
    names = []
    for package in packages:
        root = import_module(package)
        names.append(package)
        names += [
            info.name
            for info in pkgutil.walk_packages(root.__path__, package + ".")
            if not info.name.endswith("__main__") and info.name not in SSH
        ]
    return names


def loaded_after_importing(names: list[str]) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", LISTING.format(names=names)], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("packages", "forbidden"),
    [
        (("trainer.config", "trainer.run", "trainer.telemetry"), HEAVY),
        (("remote",), HEAVY),
        (("tui.store", "tui.commands"), HEAVY),
        (("tui",), ("torch", "numpy", "safetensors", "paramiko")),
    ],
)
def test_a_room_loads_nothing_that_it_may_not(packages: tuple[str, ...], forbidden: tuple[str, ...]) -> None:
    loaded = loaded_after_importing(modules_of(*packages))
    assert loaded.isdisjoint(forbidden), f"{packages} loads {sorted(loaded & set(forbidden))}"


def test_paramiko_comes_with_the_first_host_over_ssh_and_no_sooner() -> None:
    assert "paramiko" in loaded_after_importing(["remote.session.link.ssh_pipe"]), (
        "the check above would notice it"
    )


def test_the_agent_loads_neither_telemetry_nor_what_trains() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            "import sys, remote.agent.__main__, remote.supervisor.__main__; print(' '.join(sys.modules))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = done.stdout.split()
    assert not [
        name
        for name in loaded
        if name.startswith(("trainer.telemetry", "trainer.loop.train", "trainer.models", "tui"))
    ]


def test_the_check_above_would_notice_torch() -> None:
    assert "torch" in loaded_after_importing(["trainer.models"])


def test_the_command_line_starts_without_torch_installed() -> None:
    program = (
        "import sys\n"
        "for name in ('torch', 'numpy', 'safetensors'): sys.modules[name] = None\n"
        "from tui.cli import main\n"
        "sys.exit(main(['--help']))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "photinus" in done.stdout
