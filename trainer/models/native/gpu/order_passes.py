"""Coupling and order parameters of `order.py` in Triton: a program takes `ROWS` tokens, all their groups.

So sums over groups, of R, of coherence and of the gradient of K, stay inside a program.
"""

import triton
import triton.language as tl


@triton.jit
def _mean_field(states, plane, row, q, inside, groups, GROUP: tl.constexpr):
    re = tl.zeros(inside.shape, tl.float32)
    im = tl.zeros(inside.shape, tl.float32)
    for j in range(GROUP):
        at = row * (GROUP * groups) + j * groups + q
        re += tl.load(states + at, mask=inside, other=0.0)
        im += tl.load(states + plane + at, mask=inside, other=0.0)
    return re / GROUP, im / GROUP


@triton.jit
def _stepped(states, plane, at, inside, mean_re, mean_im, K, eps, COUPLED: tl.constexpr):
    """Member, inverse of its length, error, the step, and the member after it."""
    re = tl.load(states + at, mask=inside, other=0.0)
    im = tl.load(states + plane + at, mask=inside, other=0.0)
    inverse = 1.0 / tl.sqrt(re * re + im * im + eps)
    error = (re * mean_im - im * mean_re) * inverse
    cosine = re * 0.0 + 1.0
    sine = re * 0.0
    if COUPLED:
        cosine = tl.cos(K * error)
        sine = tl.sin(K * error)
    return re, im, inverse, error, cosine, sine, re * cosine - im * sine, re * sine + im * cosine


@triton.jit
def order_features(
    states, coupling, features, R, coherence, rows, groups, eps,
    COUPLED: tl.constexpr, GROUP: tl.constexpr, HARMONICS: tl.constexpr, ROWS: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """Features `[rows, 3, H, G]`, R and coherence `[rows]` of states `[2, rows, k, G]`."""
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    here = row < rows
    plane = rows * GROUP * groups
    K = tl.zeros((ROWS,), tl.float32)
    if COUPLED:
        K = tl.load(coupling + row, mask=here, other=0.0)
    total = tl.zeros((ROWS,), tl.float32)
    agreed = tl.zeros((ROWS,), tl.float32)
    for first in range(0, groups, WIDTH):
        q = (first + tl.arange(0, WIDTH))[None, :]
        inside = here[:, None] & (q < groups)
        mean_re, mean_im = _mean_field(states, plane, row[:, None], q, inside, groups, GROUP)
        for n in tl.static_range(HARMONICS):
            sum_re = mean_re * 0.0
            sum_im = mean_re * 0.0
            radius = mean_re * 0.0
            for j in range(GROUP):
                at = row[:, None] * (GROUP * groups) + j * groups + q
                _, _, inverse, _, _, _, y_re, y_im = _stepped(
                    states, plane, at, inside, mean_re, mean_im, K[:, None], eps, COUPLED
                )
                radius += 1.0 / inverse
                term_re = y_re
                term_im = y_im
                for _ in tl.static_range(n):
                    q_re = y_re * inverse
                    q_im = y_im * inverse
                    next_re = term_re * q_re - term_im * q_im
                    term_im = term_re * q_im + term_im * q_re
                    term_re = next_re
                sum_re += term_re
                sum_im += term_im
            sum_re = sum_re / GROUP
            sum_im = sum_im / GROUP
            length = tl.sqrt(sum_re * sum_re + sum_im * sum_im + eps * eps)
            to = row[:, None] * (3 * HARMONICS * groups) + n * groups + q
            tl.store(features + to, sum_re, mask=inside)
            tl.store(features + to + HARMONICS * groups, sum_im, mask=inside)
            tl.store(features + to + 2 * HARMONICS * groups, length, mask=inside)
            if n == 0:
                total += tl.sum(tl.where(inside, length, 0.0), 1)
                agreed += tl.sum(tl.where(inside, length * GROUP / radius, 0.0), 1)
    tl.store(R + row, total / groups, mask=here)
    tl.store(coherence + row, agreed / groups, mask=here)


@triton.jit
def _arrived(features, grad, at, step, inside, n, GROUP: tl.constexpr):
    """The gradient of one order parameter, where |Z| hands on its own; a member's share."""
    seen_re = tl.load(features + at + n, mask=inside, other=0.0)
    seen_im = tl.load(features + at + step + n, mask=inside, other=0.0)
    length = tl.load(features + at + 2 * step + n, mask=inside, other=1.0)
    slope = tl.load(grad + at + 2 * step + n, mask=inside, other=0.0) / length
    re = tl.load(grad + at + n, mask=inside, other=0.0) + slope * seen_re
    im = tl.load(grad + at + step + n, mask=inside, other=0.0) + slope * seen_im
    return re / GROUP, im / GROUP


@triton.jit
def _through_powers(
    features, grad, at, step, groups, inside, q_re, q_im, GROUP: tl.constexpr, HARMONICS: tl.constexpr
):
    """`c = sum n conj(q)^(n-1) dZ_n`, and `sum (1 - n) Re(conj(dZ_n) q^n)`."""
    c_re, c_im = _arrived(features, grad, at, step, inside, 0, GROUP)
    outward = c_re * 0.0
    power_re = q_re
    power_im = q_im
    for m in tl.static_range(1, HARMONICS):
        e_re, e_im = _arrived(features, grad, at, step, inside, m * groups, GROUP)
        c_re += (m + 1) * (e_re * power_re + e_im * power_im)
        c_im += (m + 1) * (e_im * power_re - e_re * power_im)
        next_re = power_re * q_re - power_im * q_im
        power_im = power_re * q_im + power_im * q_re
        power_re = next_re
        outward -= m * (power_re * e_re + power_im * e_im)
    return c_re, c_im, outward


@triton.jit
def order_gradients(
    states, coupling, features, grad, grad_states, grad_coupling, rows, groups, eps,
    COUPLED: tl.constexpr, GROUP: tl.constexpr, HARMONICS: tl.constexpr, ROWS: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """Gradients of the states and of K `[rows]`, from those of the features."""
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    here = row < rows
    plane = rows * GROUP * groups
    step = HARMONICS * groups
    K = tl.zeros((ROWS,), tl.float32)
    if COUPLED:
        K = tl.load(coupling + row, mask=here, other=0.0)
    pull = tl.zeros((ROWS,), tl.float32)
    for first in range(0, groups, WIDTH):
        q = (first + tl.arange(0, WIDTH))[None, :]
        inside = here[:, None] & (q < groups)
        feature = row[:, None] * (3 * step) + q
        mean_re, mean_im = _mean_field(states, plane, row[:, None], q, inside, groups, GROUP)
        back_re = mean_re * 0.0
        back_im = mean_re * 0.0
        if COUPLED:
            for j in range(GROUP):
                at = row[:, None] * (GROUP * groups) + j * groups + q
                re, im, inverse, error, _, _, y_re, y_im = _stepped(
                    states, plane, at, inside, mean_re, mean_im, K[:, None], eps, COUPLED
                )
                c_re, c_im, _ = _through_powers(
                    features,
                    grad,
                    feature,
                    step,
                    groups,
                    inside,
                    y_re * inverse,
                    y_im * inverse,
                    GROUP,
                    HARMONICS,
                )
                delta = c_im * y_re - c_re * y_im
                drag = delta * K[:, None] * inverse
                pull += tl.sum(tl.where(inside, delta * error, 0.0), 1)
                back_re -= drag * im / GROUP
                back_im += drag * re / GROUP
        for j in range(GROUP):
            at = row[:, None] * (GROUP * groups) + j * groups + q
            re, im, inverse, error, cosine, sine, y_re, y_im = _stepped(
                states, plane, at, inside, mean_re, mean_im, K[:, None], eps, COUPLED
            )
            c_re, c_im, outward = _through_powers(
                features,
                grad,
                feature,
                step,
                groups,
                inside,
                y_re * inverse,
                y_im * inverse,
                GROUP,
                HARMONICS,
            )
            to_re = c_re * cosine + c_im * sine + back_re
            to_im = c_im * cosine - c_re * sine + back_im
            along = outward
            if COUPLED:
                drag = (c_im * y_re - c_re * y_im) * K[:, None] * inverse
                to_re += drag * mean_im
                to_im -= drag * mean_re
                along -= drag * error
            tl.store(grad_states + at, to_re + re * along * inverse, mask=inside)
            tl.store(grad_states + plane + at, to_im + im * along * inverse, mask=inside)
    if COUPLED:
        tl.store(grad_coupling + row, pull, mask=here)
