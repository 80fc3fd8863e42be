"""notices.yaml: what it may say, who may read it, and that no fault shows a secret."""

from pathlib import Path

import pytest

from trainer.config.config_error import ConfigError, UntrustedError
from tui.notices.notices_file import EXAMPLE, notices_path, parse_settings, read_settings

SECRET = "T0KEN-of-mine"
URL = f"https://hooks.example.org/{SECRET}"


def fault(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_settings(text.encode(), "notices.yaml")
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_the_example_that_is_shown_can_be_used() -> None:
    found = parse_settings(EXAMPLE.encode(), "x")
    assert [(one.name, one.kind, one.level) for one in found.channels] == [
        ("phone", "ntfy", "warning"), ("team", "slack", "information"), ("bell", "command", "information"),
    ]  # fmt: skip
    assert found.channels[1].rules == {"ended", "nan"}
    assert (found.quiet.begins, found.quiet.ends, found.quiet.but) == (1320, 420, "error")


def test_what_stands_at_the_top_is_for_every_channel_that_says_nothing_else() -> None:
    text = f"level: error\nhosts: [gpu]\nchannels:\n  a: {{kind: webhook, url: '{URL}'}}\n"
    text += f"  b: {{kind: webhook, url: '{URL}', level: warning, hosts: []}}"
    a, b = parse_settings(text.encode(), "x").channels
    assert (str(a.level), sorted(a.hosts)) == ("error", ["gpu"])
    assert (str(b.level), sorted(b.hosts)) == ("warning", [])
    assert SECRET not in repr(a)
    assert SECRET not in str(parse_settings(text.encode(), "x"))


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        (f"{{kind: webhook, url: 'http://far.example.org/{SECRET}'}}", "plain http"),
        (f"{{kind: webhook, url: 'https://ada:{SECRET}@x.example.org/'}}", "put it into `token:`"),
        (f"{{kind: webhook, url: 'ftp://x/{SECRET}'}}", "must begin with https://"),
        (f"{{kind: webhook, url: 'https://x:port/{SECRET}'}}", "is no address"),
        (f"{{kind: webhook, url: '{URL} x'}}", "without spaces"),
        ("{kind: webhook}", "has no `url:`"),
        (f"{{kind: pigeon, url: '{URL}'}}", "must be one of webhook, ntfy"),
        (f"{{kind: slack, url: '{URL}', levle: error}}", "did you mean 'level'?"),
        (f"{{kind: slack, url: '{URL}', rules: [{SECRET}]}}", "must be a list of some of ended, nan"),
        (f"{{kind: command, command: 'notify {SECRET}'}}", "must be a list of words"),
        (f"{{kind: slack, url: '{URL}', token: [{SECRET}]}}", "token of channel a must be a text"),
        (f"{{kind: slack, url: '{URL}', {SECRET}: 1}}", "has a key that is unknown"),
        (SECRET, "must have `kind:`"),
        (f"{{kind: slack, url: '{URL}', level: 0x{'f' * 9000}}}", "must be one of information"),
    ],
)
def test_a_fault_is_told_without_its_value(channel: str, said: str) -> None:
    assert said in fault(f"channels:\n  a: {channel}")


def test_what_is_no_yaml_is_told_by_its_line_alone() -> None:
    assert "line 3" in fault(f"channels:\n  a:\n   url: {URL}: {SECRET}: [\n")
    assert "not YAML" in fault(f"? {{url: {URL}}}\n: 1")
    assert "not YAML" in fault("a: &a [*a]")


def test_plain_http_is_for_this_machine_or_where_it_is_allowed() -> None:
    for url in ("http://127.0.0.1:80/x", "http://[::1]/x", "http://localhost/x"):
        assert parse_settings(f"channels: {{a: {{kind: ntfy, url: '{url}'}}}}".encode(), "x").channels
    allowed = "channels: {a: {kind: ntfy, url: 'http://nas.lan/x', allow_http: true}}"
    assert parse_settings(allowed.encode(), "x").channels
    assert "plain http" in fault("channels: {a: {kind: ntfy, url: 'http://127.0.0.1.example.org/x'}}")


def test_a_file_that_others_may_read_or_write_is_refused_and_named(root: Path) -> None:
    path = notices_path()
    assert read_settings(path).channels == ()
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_text(EXAMPLE)
    path.chmod(0o600)
    assert len(read_settings(path).channels) == 3  # the control
    for mode in (0o644, 0o620, 0o604):
        path.chmod(mode)
        with pytest.raises(UntrustedError, match="chmod"):
            read_settings(path)
    path.chmod(0o600)
    path.parent.chmod(0o777)
    with pytest.raises(UntrustedError, match="other users"):
        read_settings(path)
