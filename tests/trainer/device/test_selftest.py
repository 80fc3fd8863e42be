"""The trial of a device: one that computes wrongly is found out."""

import subprocess
import sys

import pytest
import torch
from torch import Tensor

from trainer.device.selftest import compare, matmul_and_backward

CPU = torch.device("cpu")


def test_this_processor_computes() -> None:
    verdict = compare(CPU)
    assert verdict.is_good
    assert verdict.error < 1e-4


def wrong_loss(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    loss, one, other = matmul_and_backward(left, right)
    return loss * 1.05, one, other


def wrong_row(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    loss, one, other = matmul_and_backward(left, right)
    other[3] += 0.1 * other.abs().max()
    return loss, one, other


def no_number(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    loss, one, other = matmul_and_backward(left, right)
    one[0, 0] = float("nan")
    return loss, one, other


def no_gradient(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    loss, one, other = matmul_and_backward(left, right)
    return loss, torch.zeros_like(one), other


def other_shape(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    loss, one, other = matmul_and_backward(left, right)
    return loss, one[:, 1:], other


@pytest.mark.parametrize("faulty", [wrong_loss, wrong_row, no_number, no_gradient, other_shape])
def test_a_device_that_computes_wrongly_is_found_out(faulty: object) -> None:
    assert not compare(CPU, faulty).is_good  # type: ignore[arg-type]


def test_ten_bits_of_mantissa_are_no_fault() -> None:
    def coarse(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        def cut(one: Tensor) -> Tensor:
            return (one.view(torch.int32) & ~0x1FFF).view(torch.float32)

        return matmul_and_backward(cut(left), cut(right))

    assert compare(CPU, coarse).is_good


def test_a_device_that_is_not_there_is_a_sentence() -> None:
    words = ["--device", "cpu", "--device", "cuda-77"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "trainer.device.selftest", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    rows = done.stdout.splitlines()
    assert rows[0].startswith("torch ")
    assert rows[1].startswith("cpu: matmul and backward agree")
    assert "no device cuda:77 here" in rows[2]
    assert "Traceback" not in done.stdout + done.stderr
