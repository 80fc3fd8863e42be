"""A run whose events are an enemy's, in a real terminal: no byte of theirs steers it, and nothing ends."""

from dataclasses import replace

from tests.end_to_end.conftest import Operator
from tests.end_to_end.terminal import Terminal
from tests.remote.transfer.saved import make_run
from tests.tui import forged
from trainer.run.disk.atomic import write_json
from trainer.run.records import read_spec


def test_no_byte_of_a_hostile_run_steers_a_real_terminal(operator: Operator) -> None:
    run = make_run(operator.home)
    mine = replace(read_spec(run), kind="trainer", argv=(), config={"steps": 5000}, preset="kssm-v3-tiny")
    write_json(run.spec, mine.to_json())
    last = '{"type":"metrics","seq":99,"attempt":1,"t":5.0,"step":4321,"ce":2.5}'
    run.events.write_text("".join(f"{line}\n" for line in (*forged.lines(), *forged.absurd(), last)))
    with Terminal(operator.argv(), operator.env, columns=200) as terminal:
        terminal.see(run.run_id)
        terminal.type("\r")
        terminal.see("step 4,321")
        terminal.type("q")
        assert terminal.leave() == 0
        raw = terminal.raw
    assert run.run_id.encode() in raw, "the control: the bytes are there to be searched"
    assert b"\x1b]52" not in raw
    assert b"\x1b]2;" not in raw
    assert not [sign for sign in ("\x9b", "\u202e", "\u2066") if sign.encode() in raw]
    with Terminal(operator.argv("read", str(run.events)), operator.env) as terminal:
        assert terminal.leave() == 0
        raw = terminal.raw
    assert b"4321" in raw, "the control: it was read to its end"
    assert not [sign for sign in ("\x1b", "\x9b", "\u202e", "\u2066") if sign.encode() in raw]
