"""Event files, written here byte for byte as TensorBoard's writers do."""

import struct

import pytest

from trainer.telemetry.events import Evaluation, Event, Metrics
from trainer.telemetry.formats.event_files.crc32c import crc32c, masked_crc
from trainer.telemetry.recognise import FileRecogniser


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def simple(tag: str, value: float) -> bytes:
    return field(1, field(1, tag.encode()) + varint(2 << 3 | 5) + struct.pack("<f", value))


def tensor(tag: str, value: float, *, packed: bool, plugin: str = "scalars") -> bytes:
    numbers = field(5, struct.pack("<f", value)) if packed else field(4, struct.pack("<f", value))
    told = varint(1 << 3) + b"\x01" + field(2, b"") + numbers
    return field(1, field(1, tag.encode()) + field(8, told) + field(9, field(1, field(1, plugin.encode()))))


def record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc(length)) + data + struct.pack("<I", masked_crc(data))


def event(step: int, *values: bytes, t: float = 1.9e9) -> bytes:
    return record(
        varint(1 << 3 | 1)
        + struct.pack("<d", t + step)
        + varint(2 << 3)
        + varint(step)
        + field(5, b"".join(values))
    )


VERSION = record(varint(1 << 3 | 1) + struct.pack("<d", 1.9e9) + field(3, b"brain.Event:2"))


def read(data: bytes, size: int = 1 << 20) -> tuple[FileRecogniser, list[Event]]:
    file = FileRecogniser()
    pieces = [data[place : place + size] for place in range(0, len(data), size)]
    events = [one for piece in pieces for one in file.feed(piece)]
    return file, events + file.finish()


def test_the_sum_is_that_of_the_standard() -> None:
    assert crc32c(b"123456789") == 0xE3069283


@pytest.mark.parametrize("size", [1, 100, 1 << 20])
def test_scalars_of_both_ways_of_storing_become_rows(size: int) -> None:
    data = (
        VERSION
        + event(0, simple("train/loss", 2.5))
        + event(0, tensor("train/learning_rate", 0.5, packed=False))
    )
    data += event(10, tensor("train/loss", 2.25, packed=True)) + event(10, simple("eval/loss", float("nan")))
    data += event(10, tensor("text", 1.0, packed=True, plugin="text"))
    file, events = read(data, size)
    assert file.name == "TensorBoard"
    first, second, scores = events
    assert isinstance(first, Metrics)
    assert (first.step, first.t, first.values) == (0, 1.9e9, {"loss": 2.5, "lr": 0.5})
    assert isinstance(second, Metrics)
    assert (second.step, second.values) == (10, {"loss": 2.25})
    assert isinstance(scores, Evaluation)
    assert (scores.step, scores.nonfinite) == (10, ("val_loss",))


def test_a_record_that_is_damaged_costs_itself_alone_and_one_that_is_cut_is_counted() -> None:
    good, bad = event(0, simple("loss", 2.5)), bytearray(event(10, simple("loss", 2.25)))
    bad[20] ^= 0xFF
    file, events = read(VERSION + good + bytes(bad) + event(20, simple("loss", 2.0)) + good[:9])
    assert [one.step for one in events] == [0, 20]
    assert file.torn == 2


def test_a_picture_is_passed_over_unread() -> None:
    large = event(5, field(1, field(1, b"image") + field(4, b"x" * 100_000)))
    _, events = read(VERSION + event(0, simple("loss", 2.5)) + large + event(10, simple("loss", 2.0)), 999)
    assert [one.step for one in events] == [0, 10]


def test_a_tag_that_begins_again_is_a_new_attempt_and_a_late_tag_is_none() -> None:
    late = event(0, simple("loss", 2.5)) + event(10, simple("loss", 2.4)) + event(0, simple("lr", 0.5))
    _, events = read(VERSION + late)
    assert {one.attempt for one in events} == {1}
    _, events = read(VERSION + late + event(0, simple("loss", 2.3)))
    assert events[-1].attempt == 2


def test_other_binary_files_are_none() -> None:
    file, events = read(b"\x18\0\0\0\0\0\0\0" + b"\xa3\x7f\x4b\x23" + b"x" * 40)
    assert (file.name, events) == ("", [])
