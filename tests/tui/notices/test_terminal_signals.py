"""Bell and desktop notices of the cockpit: by level, and with nothing of a host's in them that steers."""

from pathlib import Path

from tui.notices.notices_file import cockpit_signals, notices_path, parse_settings
from tui.notices.terminal_signals import TerminalSignals


def test_each_has_its_level_and_none_is_the_usual() -> None:
    assert TerminalSignals().of("x", "error") == ""
    some = TerminalSignals(bell="error", osc9="warning", osc777="information")
    assert some.of("x", "error").startswith("\a\x1b]9;x\x1b\\")
    assert some.of("x", "warning") == "\x1b]9;x\x1b\\\x1b]777;notify;Photinus;x\x1b\\"
    assert some.of("x", "information") == "\x1b]777;notify;Photinus;x\x1b\\"


def test_a_text_cannot_leave_its_sequence_also_through_tmux() -> None:
    signals = TerminalSignals(osc9="information")
    said = signals.of("a\x07b\x1b\\c\x9cd;e\n", "error")
    assert (said[:4], said[-2:]) == ("\x1b]9;", "\x1b\\")
    assert said[4:-2].isprintable()
    assert ";" not in said[4:]
    through = signals.of("x", "error", in_tmux=True)
    assert through == "\x1bPtmux;\x1b\x1b]9;x\x1b\x1b\\\x1b\\"


def test_the_file_turns_them_on_and_a_fault_in_it_is_told(root: Path) -> None:
    signals, fault = cockpit_signals()
    assert (signals("x", "error"), fault) == ("", "")
    path = notices_path()
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_text("cockpit: {bell: error}")
    path.chmod(0o600)
    signals, fault = cockpit_signals()
    assert (signals("x", "error"), signals("x", "warning"), fault) == ("\a", "", "")
    path.write_text("cockpit: {bel: error}")
    signals, fault = cockpit_signals()
    assert signals("x", "error") == ""
    assert "did you mean 'bell'?" in fault
    assert parse_settings(b"cockpit: {osc9: warning}", "x").cockpit.osc9 == "warning"
