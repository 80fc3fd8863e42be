"""The Metal passes, compiled as C++: values and gradients are those of the torch form in float64.

What this cannot show is Metal's own compiler, its sines, and speed; a Mac tries the passes itself before it
takes them (`trainer/models/native/agreement.py`).
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.trainer.models.native.metal_as_cpp import ShadersAsCpp, compiled, compiler, parameters
from tests.trainer.models.native.true_forms import VALUES, applied, demand, drive, errors
from trainer.models import native
from trainer.models.gated import gated_states
from trainer.models.kuramoto.order import order_parameters
from trainer.models.kuramoto.oscillators import driven_oscillators
from trainer.models.native.agreement import TOLERANCE, largest_error
from trainer.models.native.metal import shaders as launches
from trainer.models.native.metal.shaders import (
    FORMS,
    SOURCE,
    MetalDrivenOscillators,
    MetalGatedStates,
    MetalOrderParameters,
)
from trainer.models.whole import turning

SHAPES = [(1, 5, 2), (63, 33, 2), (64, 64, 1), (512, 7, 2)]
RESERVED = {
    "thread", "threadgroup", "vertex", "fragment", "compute", "half", "access", "sampler", "texture", "mesh",
    "visible", "stitchable", "double", "std", "goto", "new", "delete", "virtual", "throw",
}  # fmt: skip
"""Words that Metal keeps for itself, or does not have."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("metal"))


@pytest.fixture
def shaders(library: Path, monkeypatch: pytest.MonkeyPatch) -> ShadersAsCpp:
    made = ShadersAsCpp(library)
    monkeypatch.setattr(launches, "passes", lambda: made)
    return made


@pytest.mark.parametrize(("tokens", "units", "batch"), SHAPES)
@pytest.mark.usefixtures("shaders")
def test_scans_and_their_gradients(tokens: int, units: int, batch: int) -> None:
    gate, phase, omega, start = drive(tokens, units, batch)
    demand(errors(applied(MetalDrivenOscillators), driven_oscillators, gate, phase, omega, start))
    demand(errors(applied(MetalGatedStates), gated_states, gate, phase))


@pytest.mark.parametrize(
    ("tokens", "group", "groups", "harmonics"),
    [(1, 2, 5, 1), (63, 2, 33, 1), (64, 4, 16, 2), (512, 2, 3, 1), (9, 5, 70, 3)],
)
@pytest.mark.usefixtures("shaders")
def test_order_parameters_and_their_gradients(tokens: int, group: int, groups: int, harmonics: int) -> None:
    draw = torch.Generator().manual_seed(2)
    states = 1.4 * torch.rand(2, 1, tokens, group * groups, generator=draw) - 0.7
    coupling = 3.0 * torch.rand(1, tokens, generator=draw) - 1.0

    def metal(z: Tensor, K: Tensor | None = None) -> Any:
        return applied(MetalOrderParameters)(z.view(2, 1, tokens, group, groups), K, harmonics)

    def true(z: Tensor, K: Tensor | None = None) -> Any:
        found = order_parameters(z, K, group, harmonics)
        return found.features, found.R, found.coherence

    for inputs in ((states, coupling), (states,)):
        demand(errors(lambda *one: metal(*one)[0], lambda *one: true(*one)[0], *inputs))
    for one, right in zip(
        metal(states, coupling)[1:], true(states.double(), coupling.double())[1:], strict=True
    ):
        assert (one - right).abs().max() < VALUES


@pytest.mark.usefixtures("shaders")
def test_rows_that_lie_elsewhere_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, phase, omega, start = drive(6, 10)
    form = applied(MetalDrivenOscillators)
    dense = form(gate.contiguous(), phase.contiguous(), omega, start)
    assert torch.equal(form(gate, phase, omega, start), dense)
    turned = gate.transpose(1, 2).contiguous().transpose(1, 2)
    assert torch.equal(form(turned, phase, omega, start), dense)
    monkeypatch.setattr(launches, "MOST_PLACES", 2 * 6 * 20)  # as if rows of 20 were too wide
    assert launches._short_rows(gate, phase)[2] == 10
    assert torch.equal(form(gate, phase, omega, start), dense)


def test_no_thread_hears_of_another(shaders: ShadersAsCpp) -> None:
    gate, phase, omega, start = drive(130, 9)
    leaves = [one.detach().requires_grad_() for one in (gate, phase, omega, start)]

    def told() -> list[Tensor]:
        states = applied(MetalDrivenOscillators)(*leaves)
        features = applied(MetalOrderParameters)(states.view(2, 2, 130, 3, 3), gate[..., 0].contiguous(), 2)[
            0
        ]
        return [features, *torch.autograd.grad(features.square().sum(), leaves)]

    before = told()
    shaders.backwards = True
    assert all(torch.equal(one, other) for one, other in zip(before, told(), strict=True))


@pytest.mark.usefixtures("shaders")
def test_a_chunk_that_does_not_hear_of_the_others_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert largest_error(torch.device("cpu"), FORMS) < TOLERANCE / 10
    real = launches._run

    def silent(name: str, threads: int, *arguments: Any) -> None:
        real(name, threads, *arguments)
        if name == "chunk_ends":
            arguments[3].zero_()

    monkeypatch.setattr(launches, "_run", silent)
    assert largest_error(torch.device("cpu"), FORMS) > TOLERANCE


def test_what_reads_beside_a_tensor_or_is_given_wrongly_is_seen(shaders: ShadersAsCpp) -> None:
    gate, omega = torch.zeros(1, 4, 3), torch.zeros(3)
    ends, decays = torch.zeros(2, 1, 1, 3), torch.zeros(1, 1, 3)

    def ran(*sizes: int) -> bool:
        shaders.chunk_ends(gate, gate, omega, ends, decays, *sizes, threads=[3], group_size=[64])
        return bool(ends.isfinite().all())

    assert ran(3, 1, 4, 3, 1, 1)
    assert not ran(4, 1, 4, 3, 1, 1)
    with pytest.raises(AssertionError, match="takes 11 arguments"):
        ran(3, 1, 4, 3, 1)


def test_an_index_beyond_32_bits_ends_the_process(library: Path) -> None:
    script = (
        "import ctypes, sys\n"
        "tokens = int(sys.argv[2])\n"
        "floats = [(ctypes.c_float * 8)() for _ in range(5)]\n"
        "longs = [ctypes.c_long(n) for n in (4, 2, tokens, 1, 1, 0)]\n"
        "given = (ctypes.c_void_p * 11)(*map(ctypes.addressof, floats + longs))\n"
        "ctypes.CDLL(sys.argv[1]).run_chunk_ends(given, 2, 0)\n"
    )

    def ran(tokens: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-S", "-c", script, str(library), str(tokens)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert ran(1).returncode == 0
    assert "signed integer overflow" in ran(2**29).stderr


def test_the_source_says_what_the_launches_and_the_frame_say() -> None:
    source = SOURCE.read_text(encoding="utf-8")
    numbers = dict(re.findall(r"^constant \w+ (\w+) = ([\d.e-]+)f?;", source, re.MULTILINE))
    assert float(numbers["TAU_COARSE"]) == turning.TAU_COARSE
    assert abs(float(numbers["TAU_REST"]) - turning.TAU_REST) < 1e-15
    assert int(numbers["LENGTH"]) == launches.LENGTH
    assert len(parameters(source)) == source.count("kernel void ") == 6


def test_no_word_of_metals_own_is_a_name_and_every_pointer_has_its_memory() -> None:
    source = re.sub(r"//.*|\[\[\w+\]\]|#.*|using namespace metal;", "", SOURCE.read_text(encoding="utf-8"))
    assert not RESERVED & set(re.findall(r"\w+", source))
    assert re.findall(r"\w+\*", source) == ["float*"] * len(re.findall(r"device (?:const )?float\*", source))


def test_a_tensor_whose_places_do_not_fit_32_bits_is_left_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.models.native.library._on_devices", {"meta": FORMS})

    def serves(units: int, beside: int = 0, dtype: torch.dtype = torch.float32) -> bool:
        return native.serves(torch.empty(4, 1024, units, device="meta", dtype=dtype), beside)

    assert serves(2**18 - 1)
    assert not serves(2**18)
    assert serves(16, 2**31 - 1)
    assert not serves(16, 2**31)
    assert not serves(16, dtype=torch.float64)


def test_a_host_without_a_compiler_says_so_and_fails_where_nothing_may_be_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="untested without a C"):
        compiler()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="untested without a C"):
        compiler()
