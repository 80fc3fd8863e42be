"""`HOST:RUN` and `HOST/RUN`."""

import argparse

import pytest

from remote.hosts.host import Host
from remote.protocol.errors import CallError
from tui.commands import target
from tui.commands.target import settle_target, split_run

KNOWN = ("local", "studio", "a:b", "box", "rack")


@pytest.fixture(autouse=True)
def hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "load_hosts", lambda: [Host(name, "x") for name in KNOWN])


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("lr:0.1", ("", "lr:0.1")),  # no host is called so: it is a run's name
        ("a/b", ("", "a/b")),
        ("studio:lr:0.1", ("studio", "lr:0.1")),
        ("studio/a/b:c", ("studio", "a/b:c")),
        ("kssm-x7k2p1", ("", "kssm-x7k2p1")),
        ("studio:kssm", ("studio", "kssm")),
        ("studio/kssm", ("studio", "kssm")),
        ("a:b:kssm", ("a:b", "kssm")),
        (":kssm", ("", ":kssm")),
        ("studio:", ("studio", "")),
        ("", ("", "")),
    ],
)
def test_a_run_may_name_its_host(text: str, split: tuple[str, str]) -> None:
    assert split_run(text, KNOWN) == split


@pytest.mark.parametrize(
    ("host", "run", "settled"),
    [
        ("local", "r", ("local", "r")),
        ("box", "r", ("box", "r")),
        ("local", "box:r", ("box", "r")),
        ("box", "box/r", ("box", "r")),
        (None, "box:r", ("box", "r")),
    ],
)
def test_the_host_is_named_either_way(host: str | None, run: str, settled: tuple[str, str]) -> None:
    args = argparse.Namespace(host=host, run=run)
    settle_target(args)
    assert (args.host, args.run) == settled


def test_two_hosts_are_one_too_many() -> None:
    with pytest.raises(CallError) as caught:
        settle_target(argparse.Namespace(host="rack", run="box:r"))
    assert caught.value.exit_code == 2


def test_commands_without_a_run_are_left_alone() -> None:
    args = argparse.Namespace(host="box", path="a:b")
    settle_target(args)
    assert args == argparse.Namespace(host="box", path="a:b")
