"""What a self-test leaves in an environment is read as it was written, and anything else is nothing."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from trainer.run.device_report import DeviceReport, read_report, report_of, report_path, write_report

GOOD = DeviceReport(device="cuda-0", is_good=True, torch="2.13.0", version="0.1.0", kinds=8, seconds=31.0)
FOUND = {
    "is_good": False,
    "seconds": 12.0,
    "kinds": [
        {"kind": "gpt", "differences": []},
        {"kind": "gated", "differences": [{"what": "loss", "remedy": "do"}, {"what": "u", "remedy": "x"}]},
    ],
}  # fmt: skip


def test_a_report_is_kept_in_the_environment_and_told_in_one_line(tmp_path: Path) -> None:
    assert read_report("cuda-0", tmp_path) is None
    assert write_report(GOOD, tmp_path) == report_path("cuda-0", tmp_path)
    assert read_report("cuda-0", tmp_path) == GOOD
    assert GOOD.sentence == "cuda-0 trains as the CPU does (torch 2.13.0, 8 kinds of model in 31 s)"
    bad = report_of(FOUND, "mps", "2.13.0", "0.1.0", "")
    assert bad.sentence.startswith("mps does not train as the CPU does: gated: loss differs, and 1 more (")
    assert (bad.remedy, bad.kinds) == ("do", 2)
    write_report(bad, tmp_path)
    assert read_report("mps", tmp_path) == bad


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"device": "cuda-0"}', '{"device": "cuda-1", "is_good": true}',
     '{"device": "cuda-0", "is_good": "yes"}', '{"device": "cuda-0", "is_good": true, "wrong": 7}',
     '{"device": "cuda-0", "is_good": true, "at": 1e300}'],
)  # fmt: skip
def test_what_makes_no_sense_is_no_report(tmp_path: Path, text: str) -> None:
    write_report(GOOD, tmp_path)
    report_path("cuda-0", tmp_path).write_text(text)
    assert read_report("cuda-0", tmp_path) is None


def test_a_later_version_may_say_more(tmp_path: Path) -> None:
    path = write_report(GOOD, tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"more": 1}))
    assert read_report("cuda-0", tmp_path) == GOOD
    assert replace(GOOD, is_good=False).sentence.startswith("cuda-0 does not train as the CPU does: it")
