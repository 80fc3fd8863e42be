"""Whether a host's key may be trusted: by our own known_hosts, or the user's, which is never written."""

import base64
import errno
import os
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from remote.hosts.address import Address
from remote.hosts.client_state import client_folder, make_client_folder, read_own
from remote.protocol.errors import CallError, Question, QuestionError
from remote.ssh.config.effective import Target
from remote.ssh.known_hosts import (
    KeyStanding,
    KnownHostsLine,
    fingerprint,
    host_name,
    judge,
    known_line,
    known_types,
    read_known_hosts,
    type_of,
)
from remote.transport.base import Answers

NO_AUTHORITY = " (its @cert-authority line is not supported here)"
KRL = b"SSHKRL\n\0"


class Trust:
    """The known keys of one target, read once a dial."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._names = (host_name(target.host_key_alias or target.hostname, target.port),)
        if target.host_key_alias:
            self._names = (target.host_key_alias.lower(),)
        bare = target.hostname.lower()
        self._other_names = (bare, host_name(bare, target.port))
        files = map(Path, (*target.user_known_hosts, *target.global_known_hosts))
        self._troubles: list[str] = []
        self._entries = [*read_known_hosts(read_own(own_file()), str(own_file())), *self._read(files)]

    @property
    def types(self) -> tuple[str, ...]:
        """The key types that are known of it."""
        return known_types(self._entries, self._names)

    def check(self, key: bytes, answers: Answers) -> None:
        """Let a known key pass, and one that the operator has just accepted, which is then stored.

        Raises:
            QuestionError: `key_unknown`: the operator decides.
            CallError: `key_changed`: another key than the known one, or a revoked one: a hard stop;
                `refused`: the list of revoked keys cannot be read.
        """
        shown, kind, name = fingerprint(key), type_of(key), self._target.where
        for file in self._target.revoked_host_keys:
            _demand_not_listed(file, key, f"{name} shows a key that is revoked: {kind} {shown}")
        verdict = judge(self._entries, self._names, key, also_revoked_as=self._other_names)
        if verdict.is_ == "known":
            return
        if verdict.is_ == "revoked" and verdict.entry is not None:
            raise CallError(
                "key_changed",
                f"{name} shows a key that is revoked: {kind} {shown} ({_place(verdict.entry)})",
                "do not connect; ask whoever runs the host which key it has now",
                {"fingerprint": shown, "file": verdict.entry.file, "line": verdict.entry.line},
            )
        if verdict.is_ == "changed" and verdict.entry is not None:
            raise _changed(name, self._names[0], kind, shown, verdict)
        if shown in answers.accepted_keys:
            self._store(key)
            return
        notes = NO_AUTHORITY if verdict.has_authority else ""
        notes += "".join(f" ({trouble})" for trouble in (*self._troubles, self._target.note) if trouble)
        raise QuestionError(
            "key_unknown",
            f"{name} is not known yet; it shows the key {kind} {shown}{notes}",
            f"compare it with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then accept it: "
            f"--accept-host-key {shown}",
            Question(
                "host_key",
                self._target.alias,
                str(Address(self._target.hostname, port=self._target.port)),
                kind,
                shown,
            ),
        )

    def _read(self, files: Iterable[Path]) -> Iterator[KnownHostsLine]:
        for file in files:
            try:
                yield from read_known_hosts(file.read_text("utf-8", "replace"), str(file))
            except FileNotFoundError:
                continue  # as OpenSSH: a file that is not there knows nobody
            except OSError as error:  # as OpenSSH too, but whoever is asked to accept a key is told
                self._troubles.append(f"{file} cannot be read: {error.strerror}")

    def _store(self, key: bytes) -> None:
        make_client_folder()
        line = known_line(self._names[0], key).encode()
        handle = os.open(own_file(), os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":
                line = b"\n" + line
            try:
                if os.write(handle, line) != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(own_file()))
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, size)  # half a key would look like another one: a false alarm
                raise
        finally:
            os.close(handle)


def own_file() -> Path:
    """Where the keys that the operator accepted stand."""
    return client_folder("known_hosts")


def _demand_not_listed(file: str, key: bytes, message: str) -> None:
    """RevokedHostKeys: a list of public keys. As with OpenSSH, one that cannot be read revokes every key."""
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        data, trouble = b"", f"cannot be read: {error.strerror}"
    else:
        trouble = "is a KRL, which Photinus does not read" if data.startswith(KRL) else ""
    if trouble:
        raise CallError(
            "refused", f"{file}, your RevokedHostKeys, {trouble}", "list the keys as text, one a line"
        )
    if any(_decoded(word) == key for word in data.split()):
        raise CallError(
            "key_changed",
            f"{message} ({file})",
            "do not connect; ask whoever runs the host which key it has now",
            {"fingerprint": fingerprint(key), "file": file},
        )


def _decoded(word: bytes) -> bytes:
    try:
        return base64.b64decode(word, validate=True)
    except ValueError:
        return b""


def _place(entry: KnownHostsLine) -> str:
    return f"{entry.file} line {entry.line}"


def _changed(name: str, listed: str, kind: str, shown: str, verdict: KeyStanding) -> CallError:
    """`listed`: the host's name as known_hosts has it."""
    entry = verdict.entry
    assert entry is not None
    notes = NO_AUTHORITY if verdict.has_authority else ""  # `ssh` may go by it, and let one in
    known = fingerprint(entry.key)
    is_plain = not any(set(pattern) & set("*?!") for pattern in entry.patterns)
    forget = (
        shlex.join(["ssh-keygen", "-f", entry.file, "-R", listed])
        if is_plain  # of a line with wildcards ssh-keygen removes nothing
        else f"delete that line of {entry.file}"
    )
    return CallError(
        "key_changed",
        f"the key of {name} has changed: it shows {kind} {shown}, known is {entry.key_type} {known} "
        f"({_place(entry)}){notes}",
        "someone may be listening in, or the host was set up anew: ask whoever runs it, and only then: "
        f"{forget}",
        {"shown": shown, "known": known, "file": entry.file, "line": entry.line},
    )
