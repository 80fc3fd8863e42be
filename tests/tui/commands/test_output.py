"""Whatever goes wrong: a sentence, what mends it, and an exit code, of `photinus` and of `photinus-train`."""

import pytest

from remote.protocol.errors import CallError, ProtocolError, UnreachableError
from trainer import cli
from trainer.config.config_error import ConfigError
from trainer.data.corpora.corpus_lock import HeldError
from trainer.data.data_errors import BadFileError, CacheError, ChangedWhileReadError, DataError
from trainer.job.outcome import BusyError, RefusedError, TrainingFailedError
from trainer.run.process.signals import RefusedSignalError
from trainer.run.run_errors import CheckpointError, HomeError, LockHeldError, SpecError
from trainer.user_error import UserError
from tui.commands.output import explain

SEEN: list[tuple[UserError, int]] = [
    (SpecError("what is wrong"), 2),
    (HomeError("what is wrong"), 3),
    (LockHeldError("what is wrong"), 1),
    (CheckpointError("what is wrong"), 1),
    (RefusedSignalError("what is wrong"), 1),
    (ConfigError("what is wrong"), 2),
    (DataError("what is wrong", "mend it"), 2),
    (BadFileError("what is wrong", "mend it"), 2),
    (ChangedWhileReadError("what is wrong", "mend it"), 1),
    (CacheError("what is wrong", "mend it"), 1),
    (HeldError("what is wrong"), 4),
    (RefusedError("what is wrong"), 3),
    (BusyError("what is wrong"), 4),
    (TrainingFailedError("what is wrong"), 1),
    (CallError("device_busy", "what is wrong", "mend it"), 4),
    (UnreachableError("what is wrong", "mend it"), 5),
    (ProtocolError("what is wrong", "mend it"), 1),
]
NAMES = [type(error).__name__ for error, _ in SEEN]


@pytest.mark.parametrize(("error", "code"), SEEN, ids=NAMES)
def test_photinus_says_what_is_wrong_and_what_mends_it(
    capsys: pytest.CaptureFixture[str], error: UserError, code: int
) -> None:
    assert explain(error) == code
    said = capsys.readouterr().err.splitlines()
    assert said == ["photinus: what is wrong", *(["  remedy: mend it"] if error.remedy else [])]


@pytest.mark.parametrize(("error", "code"), SEEN, ids=NAMES)
def test_photinus_train_says_it_too_and_ends_with_the_same_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: UserError, code: int
) -> None:
    def fails(_: object) -> None:
        raise error

    monkeypatch.setattr(cli, "config_command", fails)
    assert cli.main(["config"]) == code
    assert capsys.readouterr().err.startswith("photinus-train: what is wrong")


def test_a_fault_of_ours_is_no_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what nobody foresaw keeps its traceback."""

    def fails(_: object) -> None:
        raise KeyError("nobody foresaw it")

    monkeypatch.setattr(cli, "config_command", fails)
    with pytest.raises(KeyError):
        cli.main(["config"])
    assert explain(KeyError("nobody foresaw it")) is None


def test_a_sentence_of_several_lines_keeps_them_unless_a_host_says_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    explain(ConfigError("two faults:\n  one\n  two"))
    explain(CallError("refused", "one\nphotinus: all is well"))
    assert len(capsys.readouterr().err.splitlines()) == 4
