"""What `ssh -G` says becomes a target: a real OpenSSH reads a real configuration."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from remote.protocol.errors import CallError
from remote.ssh.config.effective import target_of
from remote.ssh.config.openssh import Asker
from tests.sshd.client import Laptop


def test_every_field_that_is_honoured_is_taken_over(laptop: Laptop) -> None:
    laptop.add_config(
        """
        Host box
          HostName 192.0.2.7
          Port 2200
          User me
          IdentityFile ~/.ssh/id_%n
          IdentityFile /keys/other
          IdentitiesOnly yes
          IdentityAgent ~/agent.sock
          CertificateFile ~/.ssh/cert.pub
          HostKeyAlias lab-box
          UserKnownHostsFile ~/known /etc/known2
          GlobalKnownHostsFile /etc/none
        """
    )
    target = target_of("box", "desk")
    assert (target.alias, target.hostname, target.port, target.user) == ("desk", "192.0.2.7", 2200, "me")
    assert target.identity_files == (f"{laptop.home}/.ssh/id_box", "/keys/other")
    assert target.identities_only
    assert target.identity_agent == f"{laptop.home}/agent.sock"
    assert target.certificate_files == (f"{laptop.home}/.ssh/cert.pub",)
    assert target.host_key_alias == "lab-box"
    assert target.user_known_hosts == (f"{laptop.home}/known", "/etc/known2")
    assert target.global_known_hosts == ("/etc/none",)
    assert (target.hops, target.proxy_command, target.not_honoured, target.note) == ((), "", (), "")


def test_an_address_wins_over_the_configuration(laptop: Laptop) -> None:
    laptop.add_config("Host *\n  Port 2200\n  User me")
    assert target_of("you@box:99").where == "you@box:99"
    assert target_of("box").where == "me@box:2200"
    assert target_of("[2001:db8::1]:99").where == "me@[2001:db8::1]:99"


def test_what_is_not_honoured_is_listed_and_the_usual_is_not(laptop: Laptop) -> None:
    laptop.add_config("Host box\n  Compression yes\n  ForwardAgent yes\n  SendEnv LANG\n  HashKnownHosts yes")
    assert target_of("box").not_honoured == ("compression yes", "forwardagent yes")
    assert target_of("other").not_honoured == ()


def test_a_match_block_that_must_not_match_does_not(laptop: Laptop) -> None:
    """paramiko#2632: its own parser would apply it."""
    laptop.add_config("Match host other\n  Port 1\nMatch host box\n  Port 2\nMatch exec false\n  User x")
    assert target_of("me@box").where == "me@box:2"


def test_jumps_are_resolved_each_by_itself(laptop: Laptop) -> None:
    laptop.add_config(
        """
        Host gate
          HostName gate.lab
          User keeper
        Host inner
          HostName 10.0.0.2
          ProxyJump gate
        Host far
          ProxyJump me@[::1]:2022,inner
        """
    )
    assert [hop.where for hop in target_of("me@inner").hops] == ["keeper@gate.lab:22"]
    far = target_of("me@far")
    assert [hop.hostname for hop in far.hops] == ["::1", "10.0.0.2"], (
        "what is named replaces inner's own jump"
    )
    assert far.hops[0].where == "me@[::1]:2022"
    laptop.add_config("Host deep\n  ProxyJump inner")
    assert [hop.hostname for hop in target_of("deep").hops] == ["gate.lab", "10.0.0.2"]


def test_a_jump_has_its_tokens(laptop: Laptop) -> None:
    laptop.add_config("Host *.lab\n  HostName %h\n  Port 2200\nHost gate-*\n  User keeper")
    laptop.add_config("Host box.lab\n  User me\n  ProxyJump gate-%h")
    assert [hop.where for hop in target_of("box.lab").hops] == ["keeper@gate-box.lab:2200"]


def test_two_names_of_one_place_are_no_circle(laptop: Laptop) -> None:
    """A port of the loopback at either end, say; OpenSSH goes by the names as well."""
    for name, rest in (("gate", ""), ("inner", "ProxyJump gate")):
        laptop.add_config(f"Host {name}\n  HostName 127.0.0.1\n  Port 2222\n  User me\n  {rest}")
    assert [hop.where for hop in target_of("inner").hops] == ["me@127.0.0.1:2222"]


def test_who_is_asked_about_a_key_hears_of_a_known_hosts_command(laptop: Laptop) -> None:
    laptop.add_config("Host box\n  KnownHostsCommand /usr/bin/corp-keys %H")
    assert "KnownHostsCommand" in target_of("box").note
    assert target_of("other").note == ""


@pytest.mark.parametrize(
    "text",
    [
        "Host a\n  ProxyJump b\nHost b\n  ProxyJump a",
        "Host a\n  ProxyJump a",
        "Host *\n  ProxyJump gate",
        "\n".join(f"Host h{n}\n  ProxyJump h{n + 1}" for n in range(40)) + "\nHost a\n  ProxyJump h0",
    ],
)
def test_jumps_in_a_circle_are_refused(laptop: Laptop, text: str) -> None:
    laptop.add_config(text)
    with pytest.raises(CallError, match="circle") as caught:
        target_of("a")
    assert "ProxyJump" in caught.value.remedy


def test_a_proxy_command_has_its_tokens_and_no_jump(laptop: Laptop) -> None:
    laptop.add_config("Host box\n  HostName b.lab\n  User me\n  ProxyCommand nc -x 100%% %h %p %r %n")
    target = target_of("box:99")
    assert target.proxy_command == "nc -x 100% b.lab 99 me box"
    assert target.hops == ()
    laptop.add_config("Host none\n  ProxyCommand none")
    assert target_of("none").proxy_command == ""


@pytest.mark.parametrize("name", ["-oProxyCommand=id", "box;id", "$(id)", "a b"])
def test_a_hostile_name_never_reaches_ssh(laptop: Laptop, name: str, tmp_path: Path) -> None:
    spy = tmp_path / "spy"
    spy.write_text(f"#!/bin/sh\necho called >> {tmp_path}/called\nexit 1\n")
    spy.chmod(0o755)
    with pytest.raises(CallError, match="no address"):
        target_of(name, asker=Asker(program=str(spy)))
    assert not (tmp_path / "called").exists()
    with pytest.raises(CallError, match="OpenSSH"):
        target_of("box", asker=Asker(program=str(spy)))
    assert (tmp_path / "called").exists(), "the spy would have noticed"


def test_a_hostile_hostname_in_the_configuration_is_refused(laptop: Laptop) -> None:
    laptop.add_config("Host box\n  HostName $(id)")
    with pytest.raises(CallError) as caught:
        target_of("box")
    assert caught.value.code == "refused"


def test_a_configuration_that_openssh_cannot_read_is_told(laptop: Laptop) -> None:
    laptop.add_config("Nonsense yes")
    with pytest.raises(CallError, match="nonsense") as caught:
        target_of("box")
    assert "~/.ssh/config" in caught.value.remedy


def test_an_ssh_that_hangs_is_given_up(tmp_path: Path) -> None:
    slow = tmp_path / "ssh"
    slow.write_text("#!/bin/sh\nexec sleep 30\n")
    slow.chmod(0o755)
    with pytest.raises(CallError, match="ssh -G"):
        target_of("box", asker=Asker(program=str(slow), timeout_s=0.2))


def test_without_an_ssh_program_only_the_address_counts_and_that_is_said(tmp_path: Path) -> None:
    asker = Asker(program=None, environment={"HOME": str(tmp_path), "SSH_AUTH_SOCK": "/a"})
    target = target_of("me@box:99", asker=asker)
    assert target.where == "me@box:99"
    assert f"{tmp_path}/.ssh/id_ed25519" in target.identity_files
    assert target.user_known_hosts[0] == f"{tmp_path}/.ssh/known_hosts"
    assert target.identity_agent == "/a"
    assert "no ssh program" in target.note


def test_home_is_where_the_environment_says_even_to_a_plain_openssh(laptop: Laptop) -> None:
    """Without the test laptop's shim: OpenSSH itself would read the home of the password file."""
    laptop.add_config("Host box\n  Port 2200")
    search = os.environ["PATH"].split(":", 1)[1]
    program = next(f"{folder}/ssh" for folder in search.split(":") if Path(folder, "ssh").exists())
    asker = replace(Asker(), program=program)
    target = target_of("box", asker=asker)
    assert target.port == 2200
    assert target.user_known_hosts[0] == f"{laptop.home}/.ssh/known_hosts"
    (laptop.ssh_folder / "config").unlink()
    assert target_of("box", asker=asker).port == 22
