"""Documents that reset the state: what a model makes of one is what it makes of it alone."""

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.trainer.models.texts import small, text
from trainer.models import LanguageModel, native
from trainer.models.forms import small_forms, small_kinds
from trainer.step.kernels import default_kernel_cache

FIRST, SECOND, REST = 300, 9, 331
"""Together longer than a frame of the oscillators (512); the second document is short."""
ENDS = (FIRST, FIRST + SECOND)
FORMS: dict[str, dict[str, object]] = {
    "kssm-v3": {},
    "kssm-v3, ema": {"dynamics": "ema"},
    "kssm-v3, uncoupled": {"coupled": False},
    "gated": {"kind": "gated"},
    "gpt": {"kind": "gpt"},
}
forms = pytest.mark.parametrize("form", FORMS)


def packed(seed: int) -> Tensor:
    """Three documents in a row, `[2, T]`; only the last is alike for all seeds."""
    return torch.cat((text(2, FIRST + SECOND, seed), text(2, REST, 99)), dim=1)


def marked(ids: Tensor) -> Tensor:
    begins = torch.zeros_like(ids)
    begins[:, list(ENDS)] = 1
    return torch.stack((ids, begins), dim=-1)


def last_logits(model: LanguageModel[Any], tokens: Tensor) -> Tensor:
    with torch.no_grad():
        out: Tensor = model(tokens).logits[:, ENDS[1] :]
    return out


@forms
def test_logits_of_a_document_do_not_depend_on_those_before(form: str) -> None:
    model = small(**FORMS[form])  # type: ignore[arg-type]
    with torch.no_grad():
        alone = model(packed(1)[:, ENDS[1] :]).logits
    for seed in (1, 2):
        torch.testing.assert_close(last_logits(model, marked(packed(seed))), alone, atol=2e-5, rtol=0)


@forms
def test_without_marks_they_do(form: str) -> None:
    model = small(**FORMS[form])  # type: ignore[arg-type]
    one, other = (last_logits(model, packed(seed)) for seed in (1, 2))
    assert float((one - other).abs().max()) > 1e-3


@forms
def test_gradients_are_those_of_the_documents_apart(form: str) -> None:
    model = small(**FORMS[form])  # type: ignore[arg-type]
    ids = packed(1)
    weight = torch.randn(*ids.shape, 32, generator=torch.Generator().manual_seed(3))

    def gradients(*texts: tuple[Tensor, Tensor]) -> list[Tensor]:
        model.zero_grad()
        for tokens, weights in texts:
            torch.autograd.backward((model.features(tokens).hidden * weights).sum())
        return [one.grad for one in model.parameters() if one.grad is not None]

    spans = [slice(0, ENDS[0]), slice(*ENDS), slice(ENDS[1], None)]
    apart = [one.clone() for one in gradients(*((ids[:, span], weight[:, span]) for span in spans))]
    for found, right in zip(gradients((marked(ids), weight)), apart, strict=True):
        assert float((found - right).abs().max() / right.abs().max().clamp(min=1.0)) < 1e-4


@forms
def test_marks_at_no_token_leave_the_logits_as_they_are(form: str) -> None:
    model, ids = small(**FORMS[form]), packed(1)  # type: ignore[arg-type]
    none = torch.stack((ids, torch.zeros_like(ids)), dim=-1)
    torch.testing.assert_close(last_logits(model, none), last_logits(model, ids), atol=2e-5, rtol=0)


def test_native_kernels_leave_the_recurrence_to_torch() -> None:
    model = small()
    plain = last_logits(model, marked(packed(1)))
    before = native.enabled()
    try:
        native.enable(default_kernel_cache())
    except native.NativeUnavailableError as error:
        pytest.skip(str(error))
    try:
        torch.testing.assert_close(last_logits(model, marked(packed(1))), plain, atol=2e-5, rtol=0)
    finally:
        if not before:
            native.disable()


def test_forms_that_cannot_reset_say_so_and_the_others_do_not() -> None:
    cannot = {name for name, config in (small_kinds() | small_forms()).items() if not config.can_reset}
    originals = {name for name in small_kinds() if "v1" in name or "v2" in name or "original" in name}
    recurrent = {"bolted", "kssm-v3-monostable", "mobius", "feedback", "latch"}
    assert cannot == originals | recurrent | {"memory", "hrr", "random"}
