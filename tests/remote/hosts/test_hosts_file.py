"""hosts.yaml: where it lies, what it may say, and what is said of its faults."""

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote.hosts.address import split_address
from remote.hosts.host import LOCAL, Host
from remote.hosts.hosts_file import KEYS, NAME, hosts_path, parse_hosts, read_hosts
from remote.hosts.lookup import find_host, load_hosts
from remote.protocol.errors import CallError
from trainer.config.config_error import ConfigError
from trainer.config.locate import configs_dir


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_hosts(text, "hosts.yaml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("env", "path"),
    [
        ({"HOME": "/h"}, "/h/.config/photinus/hosts.yaml"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}, "/x/photinus/hosts.yaml"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "relative"}, "/h/.config/photinus/hosts.yaml"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/x", "PHOTINUS_HOME": "/p"}, "/p/config/hosts.yaml"),
    ],
)
def test_where_the_file_lies(env: dict[str, str], path: str) -> None:
    assert hosts_path(env) == Path(path)


def test_without_a_file_there_is_this_machine(tmp_path: Path) -> None:
    assert read_hosts(tmp_path / "none.yaml") == [LOCAL]
    assert parse_hosts("# nothing yet\n", "h") == [LOCAL]


def test_a_line_is_a_host_and_so_is_a_mapping() -> None:
    text = "studio: ada@studio.local:2222\ngpu: {address: gpu, confirm: name, caffeinate: false}\nalias:\n"
    assert parse_hosts(text, "h") == [
        LOCAL,
        Host("studio", "ada@studio.local:2222"),
        Host("gpu", "gpu", confirm="name", caffeinate=False),
        Host("alias", "alias"),
    ]


def test_every_setting_can_be_said() -> None:
    text = """
box:
  address: ada@box
  home: /fast/photinus
  python: ~/venv/bin/python
  torch: cu126
  checkpoints: ~/checkpoints from the box
  auto_pull: best
  confirm: name
  caffeinate: false
  watch: [~/exp/*/train.log, /data]
"""
    (_, box) = parse_hosts(text, "h")
    assert box == Host(
        "box", "ada@box", "/fast/photinus", "~/venv/bin/python", "cu126", "~/checkpoints from the box",
        "best", "name", False, ("~/exp/*/train.log", "/data"),
    )  # fmt: skip
    assert {field.name for field in fields(Host)} == {*KEYS, "name"}


def test_one_path_to_watch_needs_no_list() -> None:
    assert [host.watch for host in parse_hosts("local: {watch: ~/a/*.log}\nb: {watch: }", "h")] == [
        ("~/a/*.log",),
        (),
    ]


def test_local_has_settings_and_no_address() -> None:
    assert parse_hosts("local: {confirm: none}", "h") == [Host("local", confirm="none")]
    assert parse_hosts("a: b\nlocal: {confirm: none}", "h")[0].confirm == "none"
    assert "no address" in faults("local: me@here")[0]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("box:\n  adress: x\n", 2, "unknown key 'adress' of host 'box'; did you mean 'address'?"),
        ("box: {addres: x, confirm: none}\n", 1, "did you mean 'address'?"),
        ("box:\n  zzzz: x\n", 2, "there are: address, home, python"),
        ("box: a\nrack:\n  confirm: perhaps\n", 3, "must be one of none, twice, name"),
        ("box:\n  caffeinate: 1\n", 2, "must be true or false"),
        ("box:\n  home: relative/path\n", 2, "must be an absolute path"),
        ("box:\n  home: /a b\n", 2, "plain characters"),
        ("box:\n  python: /opt/$(reboot)/python\n", 2, "plain characters"),
        ("box:\n  torch: cuda\n", 2, "must be one of cpu, cu126"),
        ("box:\n  address: 22:22\n", 2, "put it in quotes"),
        ("box: 22:22\n", 1, "put '22:22' in quotes"),
        ("box: [a, b]\n", 1, "must have settings, or an address"),
        ("box:\n  address: {a: b}\n", 2, "must be text"),
        ("10: x\n", 1, "put 10 in quotes"),
        ("null: x\n", 1, "must be text"),
        ("-box: x\n", 1, "is no name for a host"),
        ("../box: x\n", 1, "is no name for a host"),
        ("? [a]\n: x\n", 1, "a key must be text"),
        ("box: a b\n", 1, "is no address of a host"),
        ("box: '-oProxyCommand=reboot'\n", 1, "is no address of a host"),
        ("box: me@-oProxyCommand=reboot\n", 1, "is no address of a host"),
        ("box: me@box:70000\n", 1, "is no address of a host"),
        ("box: a\nBox: b\n", 2, "differ by case only"),
        ("box: a\nbox: b\n", 2, "stands twice"),
        ("[a]\n", 1, "must be a mapping of names"),
        ("box:\n  watch: {a: b}\n", 2, "must be a path, or a list of paths"),
        ("box:\n  watch: [[/a]]\n", 2, "must be a path, or a list of paths"),
        ("box:\n  watch: [/a, exp/*.log]\n", 2, "'exp/*.log' does not"),
        ('box:\n  watch: ["/a\\e[2J"]\n', 2, "has control characters"),
        (f"box:\n  watch: [{', '.join(['/a'] * 65)}]\n", 2, "has 65 paths, more than 64"),
    ],
)
def test_a_fault_is_told_with_its_line_and_a_remedy(text: str, line: int, said: str) -> None:
    (only,) = faults(text)
    assert said in only
    assert f"line {line}" in only


def test_every_fault_is_told_at_once() -> None:
    told = faults("a:\n  home: b\n  x: y\nb: 'c d'\n")
    assert [line.split(":")[0] for line in told] == [
        "hosts.yaml line 2",
        "hosts.yaml line 3",
        "hosts.yaml line 4",
    ]


def test_what_is_no_yaml_or_no_text_is_told(tmp_path: Path) -> None:
    assert "is not YAML" in faults("box: {a")[0]
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "huge.yaml").write_bytes(b"#" * (1 << 20) + b"##")
    for name in ("bytes.yaml", "huge.yaml"):
        with pytest.raises(ConfigError, match=name):
            read_hosts(tmp_path / name)
    with pytest.raises(ConfigError, match="cannot read"):
        read_hosts(tmp_path)


def test_the_example_is_sound_and_shows_every_setting() -> None:
    path = configs_dir() / "hosts.example.yaml"
    names = [host.name for host in read_hosts(path)]
    assert names[0] == "local"
    assert len(names) > 2
    assert [key for key in KEYS if f"{key}:" not in path.read_text()] == []


def test_a_host_is_found_by_name_and_the_nearest_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path))
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "hosts.yaml").write_text("studio: s\n")
    assert find_host("studio").address == "s"
    assert [host.name for host in load_hosts()] == ["local", "studio"]
    with pytest.raises(CallError) as caught:
        find_host("stduio")
    assert (caught.value.exit_code, "did you mean 'studio'?" in caught.value.remedy) == (6, True)


@given(st.text(max_size=300))
@settings(max_examples=60)
def test_whatever_the_file_says_it_is_hosts_or_a_typed_error(text: str) -> None:
    for shape in (text, f"{text}: x", f"box: {text}", f"box:\n  address: {text}", f'"{text}": {{}}'):
        try:
            hosts = parse_hosts(shape, "h")
        except ConfigError:
            continue
        for host in hosts[1:]:
            assert NAME.fullmatch(host.name)
            split_address(host.address)
