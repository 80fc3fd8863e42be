"""The scans of `oscillators.py` and `gated.py` in Triton: chunks side by side, joined by their ends.

A program takes
`WIDTH` units through one chunk, in a frame that turns with them and is anchored at the chunk's
head; its angles are worked in turns, as in `whole/turning.py`. What one chunk hands on to others is worked
again by each of them from the ends of all, in the order of tokens: no atomics, the same sum in every run.
`TURNING` is false for the gated recurrence: no frame, a real state, and a value in the place of a phase.
"""

import triton
import triton.language as tl

from trainer.models.whole.turning import TAU_COARSE, TAU_REST

COARSE: tl.constexpr = tl.constexpr(TAU_COARSE)
REST: tl.constexpr = tl.constexpr(TAU_REST)
PARTS: tl.constexpr = tl.constexpr(4096.0)
TAU: tl.constexpr = tl.constexpr(TAU_COARSE + TAU_REST)


@triton.jit
def _rounded(x):
    return tl.floor(x + 0.5)


@triton.jit
def _frame(omega, t):
    """Cosine and sine of `omega t`, and the angle, exact in its whole turns."""
    coarse = _rounded(omega * (PARTS / TAU)) / PARTS
    rest = (omega - COARSE * coarse) - REST * coarse
    turns = coarse * t
    angle = (turns - _rounded(turns)) * TAU + rest * t
    return tl.cos(angle), tl.sin(angle), angle


@triton.jit
def _turned(re, im, cosine, sine):
    return re * cosine - im * sine, re * sine + im * cosine


@triton.jit
def _pushed(phi, angle, TURNING: tl.constexpr):
    """What drives a unit, in the frame: a phasor, or the value itself."""
    if TURNING:
        re = tl.cos(phi - angle)
        im = tl.sin(phi - angle)
    else:
        re = phi
        im = phi * 0.0
    return re, im


@triton.jit
def chunk_ends(
    gate, phase, stride, omega, ends, decays, batch, tokens, units, chunks,
    TURNING: tl.constexpr, LENGTH: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """State at the end of every chunk from rest, in its frame, `[2, B, C, N]`, and its decay `[B, C, N]`."""
    b, c = tl.program_id(0), tl.program_id(1)
    n = tl.program_id(2) * WIDTH + tl.arange(0, WIDTH)
    inside = n < units
    turn = tl.load(omega + n, mask=inside, other=0.0)
    re = turn * 0.0
    im = turn * 0.0
    kept = re + 1.0
    for i in range(LENGTH):
        t = c * LENGTH + i
        if t < tokens:
            row = (b * tokens + t) * stride
            g = tl.sigmoid(tl.load(gate + row + n, mask=inside, other=0.0))
            phi = tl.load(phase + row + n, mask=inside, other=0.0)
            _, _, angle = _frame(turn, i + 1.0)
            push_re, push_im = _pushed(phi, angle, TURNING)
            re = (1.0 - g) * re + g * push_re
            im = (1.0 - g) * im + g * push_im
            kept = kept * (1.0 - g)
    at = (b * chunks + c) * units + n
    tl.store(ends + at, re, mask=inside)
    if TURNING:
        tl.store(ends + batch * chunks * units + at, im, mask=inside)
    tl.store(decays + at, kept, mask=inside)


@triton.jit
def chunk_states(
    gate, phase, stride, omega, start, ends, decays, states, batch, tokens, units, chunks,
    TURNING: tl.constexpr, LENGTH: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """States after every token, `[2, B, T, N]`: what reached the chunk, then its own tokens."""
    b, c = tl.program_id(0), tl.program_id(1)
    n = tl.program_id(2) * WIDTH + tl.arange(0, WIDTH)
    inside = n < units
    turn = tl.load(omega + n, mask=inside, other=0.0)
    whole_cos, whole_sin, _ = _frame(turn, LENGTH * 1.0)
    re = tl.load(start + b * units + n, mask=inside, other=0.0)
    im = re * 0.0
    if TURNING:
        im = tl.load(start + (batch + b) * units + n, mask=inside, other=0.0)
    for before in range(c):
        at = (b * chunks + before) * units + n
        kept = tl.load(decays + at, mask=inside, other=0.0)
        re = kept * re + tl.load(ends + at, mask=inside, other=0.0)
        if TURNING:
            im = kept * im + tl.load(ends + batch * chunks * units + at, mask=inside, other=0.0)
            re, im = _turned(re, im, whole_cos, whole_sin)
    for i in range(LENGTH):
        t = c * LENGTH + i
        if t < tokens:
            row = (b * tokens + t) * stride
            g = tl.sigmoid(tl.load(gate + row + n, mask=inside, other=0.0))
            phi = tl.load(phase + row + n, mask=inside, other=0.0)
            cosine, sine, angle = _frame(turn, i + 1.0)
            push_re, push_im = _pushed(phi, angle, TURNING)
            re = (1.0 - g) * re + g * push_re
            im = (1.0 - g) * im + g * push_im
            at = (b * tokens + t) * units + n
            if TURNING:
                out_re, out_im = _turned(re, im, cosine, sine)
                tl.store(states + at, out_re, mask=inside)
                tl.store(states + batch * tokens * units + at, out_im, mask=inside)
            else:
                tl.store(states + at, re, mask=inside)


@triton.jit
def chunk_sends(
    gate, stride, omega, grad, sends, batch, tokens, units, chunks,
    TURNING: tl.constexpr, LENGTH: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """The adjoint that every chunk hands to the one before it, by its own tokens alone, `[2, B, C, N]`."""
    b, c = tl.program_id(0), tl.program_id(1)
    n = tl.program_id(2) * WIDTH + tl.arange(0, WIDTH)
    inside = n < units
    turn = tl.load(omega + n, mask=inside, other=0.0)
    re = turn * 0.0
    im = turn * 0.0
    for j in range(LENGTH):
        i = LENGTH - 1 - j
        t = c * LENGTH + i
        if t < tokens:
            a = 1.0 - tl.sigmoid(tl.load(gate + (b * tokens + t) * stride + n, mask=inside, other=0.0))
            at = (b * tokens + t) * units + n
            d_re = tl.load(grad + at, mask=inside, other=0.0)
            d_im = d_re * 0.0
            if TURNING:
                d_im = tl.load(grad + batch * tokens * units + at, mask=inside, other=0.0)
                cosine, sine, _ = _frame(turn, i + 1.0)
                d_re, d_im = _turned(d_re, d_im, cosine, -sine)
            re = a * (re + d_re)
            im = a * (im + d_im)
    at = (b * chunks + c) * units + n
    tl.store(sends + at, re, mask=inside)
    if TURNING:
        tl.store(sends + batch * chunks * units + at, im, mask=inside)


@triton.jit
def chunk_gradients(
    gate, phase, stride, omega, start, states, grad, sends, decays, grad_gate, grad_phase, grad_stride,
    grad_omega, grad_start, batch, tokens, units, chunks,
    TURNING: tl.constexpr, LENGTH: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """Gradients of gate and phase in rows of `grad_stride`; of omega by chunks, `[B, C, N]`."""
    b, c = tl.program_id(0), tl.program_id(1)
    n = tl.program_id(2) * WIDTH + tl.arange(0, WIDTH)
    inside = n < units
    turn = tl.load(omega + n, mask=inside, other=0.0)
    whole_cos, whole_sin, _ = _frame(turn, LENGTH * 1.0)
    plane = batch * tokens * units
    re = turn * 0.0
    im = turn * 0.0
    twist = turn * 0.0
    for back in range(chunks - 1 - c):
        at = (b * chunks + chunks - 1 - back) * units + n
        kept = tl.load(decays + at, mask=inside, other=0.0)
        re = kept * re + tl.load(sends + at, mask=inside, other=0.0)
        if TURNING:
            im = kept * im + tl.load(sends + batch * chunks * units + at, mask=inside, other=0.0)
            re, im = _turned(re, im, whole_cos, -whole_sin)
    for j in range(LENGTH):
        i = LENGTH - 1 - j
        t = c * LENGTH + i
        if t < tokens:
            row = (b * tokens + t) * stride
            g = tl.sigmoid(tl.load(gate + row + n, mask=inside, other=0.0))
            a = 1.0 - g
            phi = tl.load(phase + row + n, mask=inside, other=0.0)
            at = (b * tokens + t) * units + n
            d_re = tl.load(grad + at, mask=inside, other=0.0)
            earlier = inside & (n * 0 + t > 0)
            first = inside & (n * 0 + t == 0)
            past_re = tl.load(states + at - units, mask=earlier, other=0.0)
            past_re += tl.load(start + b * units + n, mask=first, other=0.0)
            to = (b * tokens + t) * grad_stride + n
            if TURNING:
                d_im = tl.load(grad + plane + at, mask=inside, other=0.0)
                past_im = tl.load(states + plane + at - units, mask=earlier, other=0.0)
                past_im += tl.load(start + (batch + b) * units + n, mask=first, other=0.0)
                cosine, sine, angle = _frame(turn, i + 1.0)
                d_re, d_im = _turned(d_re, d_im, cosine, -sine)
                cosine, sine, _ = _frame(turn, i * 1.0)
                past_re, past_im = _turned(past_re, past_im, cosine, -sine)
                push_re, push_im = _pushed(phi, angle, TURNING)
                v_re = d_re + re
                v_im = d_im + im
                d_gate = g * a * (v_re * (push_re - past_re) + v_im * (push_im - past_im))
                tl.store(grad_phase + to, g * (v_im * push_re - v_re * push_im), mask=inside)
                twist += a * (past_re * v_im - past_im * v_re)
                im = a * v_im
            else:
                v_re = d_re + re
                d_gate = g * a * v_re * (phi - past_re)
                tl.store(grad_phase + to, g * v_re, mask=inside)
            tl.store(grad_gate + to, d_gate, mask=inside)
            re = a * v_re
    if TURNING:
        tl.store(grad_omega + (b * chunks + c) * units + n, twist, mask=inside)
        if c == 0:
            tl.store(grad_start + b * units + n, re, mask=inside)
            tl.store(grad_start + (batch + b) * units + n, im, mask=inside)
