// The scans of `oscillators.py` and `gated.py`, and `order.py`, for Apple's GPUs: one thread a column.
//
// The passes, their chunks and their frame are those of `gpu/scan_passes.py` and `gpu/order_passes.py`. A thread
// takes one unit through one chunk, or one group of one token; no thread hears of another, so there is no
// threadgroup memory, no barrier and no atomic, and the same text is C++ (`tests/.../metal_as_cpp.py`). Indices
// are 32 bits; the caller sees to it that they suffice. Sums over groups are torch's.

#ifdef __METAL_VERSION__
#include <metal_stdlib>
using namespace metal;
#endif

constant float TAU_COARSE = 6.28125f;  // see `whole/turning.py`
constant float TAU_REST = 0.0019353071795864769f;
constant float TAU = 6.283185307179586f;
constant float PARTS = 4096.0f;
constant int LENGTH = 64;  // tokens a chunk

inline float sigmoid(float x) { return 1.0f / (1.0f + precise::exp(-x)); }

struct Phasor {
    float re, im;
};

inline Phasor turned(Phasor z, float cosine, float sine) {
    return Phasor{z.re * cosine - z.im * sine, z.re * sine + z.im * cosine};
}

struct Frame {
    float cosine, sine, angle;
};

// Cosine and sine of `omega t`, and the angle, exact in its whole turns.
inline Frame frame_of(float omega, int t) {
    const float coarse = floor(omega * (PARTS / TAU) + 0.5f) / PARTS;
    const float rest = (omega - TAU_COARSE * coarse) - TAU_REST * coarse;
    const float turns = coarse * float(t);
    const float angle = (turns - floor(turns + 0.5f)) * TAU + rest * float(t);
    return Frame{precise::cos(angle), precise::sin(angle), angle};
}

// What drives a unit, in the frame: a phasor, or the value itself.
inline Phasor push_of(float phase, float angle, bool turning) {
    if (!turning) return Phasor{phase, 0.0f};
    return Phasor{precise::cos(phase - angle), precise::sin(phase - angle)};
}

// Unit n of chunk c of text b, and how much there is of each.
struct Column {
    int b, c, n, batch, tokens, units, chunks;
    bool inside, turning;
};

inline Column column_of(uint id, long batch, long tokens, long units, long chunks, long turning) {
    const int one = int(id), all = int(units), parts = int(chunks), texts = int(batch);
    return Column{one / (all * parts), one / all % parts, one % all, texts, int(tokens), all, parts,
                  one < texts * parts * all, turning != 0};
}

// State at the end of every chunk from rest, in its frame, `[2, B, C, N]`, and its decay `[B, C, N]`.
kernel void chunk_ends(
    device const float* gate, device const float* phase, device const float* omega, device float* ends,
    device float* decays, constant long& stride, constant long& batch, constant long& tokens,
    constant long& units, constant long& chunks, constant long& turning, uint id [[thread_position_in_grid]]) {
    const Column at = column_of(id, batch, tokens, units, chunks, turning);
    if (!at.inside) return;
    const int begin = at.c * LENGTH, end = min(begin + LENGTH, at.tokens);
    Phasor state{0.0f, 0.0f};
    float kept = 1.0f;
    for (int t = begin; t < end; ++t) {
        const int row = (at.b * at.tokens + t) * int(stride) + at.n;
        const float g = sigmoid(gate[row]), a = 1.0f - g;
        const float angle = at.turning ? frame_of(omega[at.n], t - begin + 1).angle : 0.0f;
        const Phasor push = push_of(phase[row], angle, at.turning);
        state = Phasor{a * state.re + g * push.re, a * state.im + g * push.im};
        kept *= a;
    }
    const int to = (at.b * at.chunks + at.c) * at.units + at.n;
    ends[to] = state.re;
    if (at.turning) ends[at.batch * at.chunks * at.units + to] = state.im;
    decays[to] = kept;
}

// States after every token, `[2, B, T, N]`: what reached the chunk, then its own tokens.
kernel void chunk_states(
    device const float* gate, device const float* phase, device const float* omega, device const float* start,
    device const float* ends, device const float* decays, device float* states, constant long& stride,
    constant long& batch, constant long& tokens, constant long& units, constant long& chunks,
    constant long& turning, uint id [[thread_position_in_grid]]) {
    const Column at = column_of(id, batch, tokens, units, chunks, turning);
    if (!at.inside) return;
    const int begin = at.c * LENGTH, end = min(begin + LENGTH, at.tokens);
    const float turn = at.turning ? omega[at.n] : 0.0f;
    const Frame whole = frame_of(turn, LENGTH);
    const int plane = at.batch * at.chunks * at.units;
    Phasor state{start[at.b * at.units + at.n], 0.0f};
    if (at.turning) state.im = start[(at.batch + at.b) * at.units + at.n];
    for (int before = 0; before < at.c; ++before) {
        const int from = (at.b * at.chunks + before) * at.units + at.n;
        state = Phasor{decays[from] * state.re + ends[from], decays[from] * state.im};
        if (!at.turning) continue;
        state.im += ends[plane + from];
        state = turned(state, whole.cosine, whole.sine);
    }
    for (int t = begin; t < end; ++t) {
        const int row = (at.b * at.tokens + t) * int(stride) + at.n;
        const int to = (at.b * at.tokens + t) * at.units + at.n;
        const float g = sigmoid(gate[row]), a = 1.0f - g;
        const Frame frame = frame_of(turn, t - begin + 1);
        const Phasor push = push_of(phase[row], frame.angle, at.turning);
        state = Phasor{a * state.re + g * push.re, a * state.im + g * push.im};
        const Phasor out = turned(state, frame.cosine, frame.sine);
        states[to] = out.re;
        if (at.turning) states[at.batch * at.tokens * at.units + to] = out.im;
    }
}

// The gradient of a state in the frame of its chunk.
inline Phasor arrived(device const float* grad, int from, int plane, Frame frame, bool turning) {
    if (!turning) return Phasor{grad[from], 0.0f};
    return turned(Phasor{grad[from], grad[plane + from]}, frame.cosine, -frame.sine);
}

// The adjoint that every chunk hands to the one before it, by its own tokens alone, `[2, B, C, N]`.
kernel void chunk_sends(
    device const float* gate, device const float* omega, device const float* grad, device float* sends,
    constant long& stride, constant long& batch, constant long& tokens, constant long& units,
    constant long& chunks, constant long& turning, uint id [[thread_position_in_grid]]) {
    const Column at = column_of(id, batch, tokens, units, chunks, turning);
    if (!at.inside) return;
    const int begin = at.c * LENGTH, end = min(begin + LENGTH, at.tokens);
    const float turn = at.turning ? omega[at.n] : 0.0f;
    Phasor sent{0.0f, 0.0f};
    for (int t = end - 1; t >= begin; --t) {
        const int from = (at.b * at.tokens + t) * at.units + at.n;
        const float a = 1.0f - sigmoid(gate[(at.b * at.tokens + t) * int(stride) + at.n]);
        const Frame frame = frame_of(turn, t - begin + 1);
        const Phasor d = arrived(grad, from, at.batch * at.tokens * at.units, frame, at.turning);
        sent = Phasor{a * (sent.re + d.re), a * (sent.im + d.im)};
    }
    const int to = (at.b * at.chunks + at.c) * at.units + at.n;
    sends[to] = sent.re;
    if (at.turning) sends[at.batch * at.chunks * at.units + to] = sent.im;
}

// Gradients of gate and phase in rows of `grad_stride`; of omega by chunks, `[B, C, N]`; of the start.
kernel void chunk_gradients(
    device const float* gate, device const float* phase, device const float* omega, device const float* start,
    device const float* states, device const float* grad, device const float* sends, device const float* decays,
    device float* grad_gate, device float* grad_phase, device float* grad_omega, device float* grad_start,
    constant long& stride, constant long& grad_stride, constant long& batch, constant long& tokens,
    constant long& units, constant long& chunks, constant long& turning, uint id [[thread_position_in_grid]]) {
    const Column at = column_of(id, batch, tokens, units, chunks, turning);
    if (!at.inside) return;
    const int begin = at.c * LENGTH, end = min(begin + LENGTH, at.tokens);
    const float turn = at.turning ? omega[at.n] : 0.0f;
    const Frame whole = frame_of(turn, LENGTH);
    const int sent = at.batch * at.chunks * at.units, plane = at.batch * at.tokens * at.units;
    Phasor back{0.0f, 0.0f};
    float twist = 0.0f;
    for (int after = at.chunks - 1; after > at.c; --after) {
        const int from = (at.b * at.chunks + after) * at.units + at.n;
        back = Phasor{decays[from] * back.re + sends[from], decays[from] * back.im};
        if (!at.turning) continue;
        back.im += sends[sent + from];
        back = turned(back, whole.cosine, -whole.sine);
    }
    for (int t = end - 1; t >= begin; --t) {
        const int row = (at.b * at.tokens + t) * int(stride) + at.n;
        const int to = (at.b * at.tokens + t) * int(grad_stride) + at.n;
        const int from = (at.b * at.tokens + t) * at.units + at.n;
        const float g = sigmoid(gate[row]), a = 1.0f - g;
        const Frame frame = frame_of(turn, t - begin + 1), earlier = frame_of(turn, t - begin);
        const Phasor push = push_of(phase[row], frame.angle, at.turning);
        const Phasor d = arrived(grad, from, plane, frame, at.turning);
        Phasor past{t > 0 ? states[from - at.units] : start[at.b * at.units + at.n], 0.0f};
        if (at.turning) {
            past.im = t > 0 ? states[plane + from - at.units] : start[(at.batch + at.b) * at.units + at.n];
            past = turned(past, earlier.cosine, -earlier.sine);
        }
        const Phasor v{d.re + back.re, d.im + back.im};
        grad_gate[to] = g * a * (v.re * (push.re - past.re) + v.im * (push.im - past.im));
        grad_phase[to] = at.turning ? g * (v.im * push.re - v.re * push.im) : g * v.re;
        twist += a * (past.re * v.im - past.im * v.re);
        back = Phasor{a * v.re, a * v.im};
    }
    if (!at.turning) return;
    grad_omega[(at.b * at.chunks + at.c) * at.units + at.n] = twist;
    if (at.c > 0) return;
    grad_start[at.b * at.units + at.n] = back.re;
    grad_start[(at.batch + at.b) * at.units + at.n] = back.im;
}

// One group of one token: where it lies among states `[2, rows, k, G]` and features `[rows, 3, H, G]`.
struct Group {
    int row, q, rows, groups, members, harmonics;
    bool inside, coupled;
};

inline Group group_of(uint id, long rows, long groups, long members, long harmonics, long coupled) {
    const int one = int(id), all = int(groups);
    return Group{one / all, one % all, int(rows), all, int(members), int(harmonics), one < int(rows) * all,
                 coupled != 0};
}

// A member, the inverse of its length, its error, the step and the member after it.
struct Member {
    Phasor z;
    float inverse, error, cosine, sine;
    Phasor y;
};

inline int place_of(Group at, int j) { return (at.row * at.members + j) * at.groups + at.q; }

inline Phasor mean_of(device const float* states, Group at) {
    const int plane = at.rows * at.members * at.groups;
    Phasor mean{0.0f, 0.0f};
    for (int j = 0; j < at.members; ++j) {
        mean.re += states[place_of(at, j)];
        mean.im += states[plane + place_of(at, j)];
    }
    return Phasor{mean.re / float(at.members), mean.im / float(at.members)};
}

inline Member member_of(device const float* states, Group at, int j, Phasor mean, float K, float eps) {
    const int plane = at.rows * at.members * at.groups;
    const Phasor z{states[place_of(at, j)], states[plane + place_of(at, j)]};
    const float inverse = 1.0f / precise::sqrt(z.re * z.re + z.im * z.im + eps);
    const float error = (z.re * mean.im - z.im * mean.re) * inverse;
    const float cosine = at.coupled ? precise::cos(K * error) : 1.0f;
    const float sine = at.coupled ? precise::sin(K * error) : 0.0f;
    return Member{z, inverse, error, cosine, sine, turned(z, cosine, sine)};
}

// Features, and what each group adds to the coherence of its token, `[rows, G]`.
kernel void order_features(
    device const float* states, device const float* coupling, device float* features, device float* agreed,
    constant float& eps, constant long& rows, constant long& groups, constant long& members,
    constant long& harmonics, constant long& coupled, uint id [[thread_position_in_grid]]) {
    const Group at = group_of(id, rows, groups, members, harmonics, coupled);
    if (!at.inside) return;
    const Phasor mean = mean_of(states, at);
    const float K = at.coupled ? coupling[at.row] : 0.0f;
    const int set = at.harmonics * at.groups;
    for (int n = 0; n < at.harmonics; ++n) {
        Phasor sum{0.0f, 0.0f};
        float radius = 0.0f;
        for (int j = 0; j < at.members; ++j) {
            const Member one = member_of(states, at, j, mean, K, eps);
            Phasor term = one.y;
            for (int m = 0; m < n; ++m) term = turned(term, one.y.re * one.inverse, one.y.im * one.inverse);
            sum = Phasor{sum.re + term.re, sum.im + term.im};
            radius += 1.0f / one.inverse;
        }
        sum = Phasor{sum.re / float(at.members), sum.im / float(at.members)};
        const float length = precise::sqrt(sum.re * sum.re + sum.im * sum.im + eps * eps);
        const int to = at.row * 3 * set + n * at.groups + at.q;
        features[to] = sum.re;
        features[to + set] = sum.im;
        features[to + 2 * set] = length;
        if (n == 0) agreed[at.row * at.groups + at.q] = length * float(at.members) / radius;
    }
}

// The gradient of one order parameter, where |Z| hands on its own; a member's share.
inline Phasor share_of(device const float* features, device const float* grad, Group at, int n) {
    const int set = at.harmonics * at.groups, from = at.row * 3 * set + n * at.groups + at.q;
    const float slope = grad[from + 2 * set] / features[from + 2 * set], share = 1.0f / float(at.members);
    return Phasor{(grad[from] + slope * features[from]) * share,
                  (grad[from + set] + slope * features[from + set]) * share};
}

// `c = sum n conj(q)^(n-1) dZ_n`, and `sum (1 - n) Re(conj(dZ_n) q^n)`.
struct Gradient {
    Phasor c;
    float outward;
};

inline Gradient gradient_of(device const float* features, device const float* grad, Group at, Member one) {
    const Phasor q{one.y.re * one.inverse, one.y.im * one.inverse};
    Gradient found{share_of(features, grad, at, 0), 0.0f};
    Phasor power = q;
    for (int m = 1; m < at.harmonics; ++m) {
        const Phasor e = share_of(features, grad, at, m);
        const float times = float(m + 1);
        found.c.re += times * (e.re * power.re + e.im * power.im);
        found.c.im += times * (e.im * power.re - e.re * power.im);
        power = turned(power, q.re, q.im);
        found.outward -= float(m) * (power.re * e.re + power.im * e.im);
    }
    return found;
}

// Gradients of the states, and what each group adds to that of its token's K, `[rows, G]`.
kernel void order_gradients(
    device const float* states, device const float* coupling, device const float* features,
    device const float* grad, device float* grad_states, device float* pulls, constant float& eps,
    constant long& rows, constant long& groups, constant long& members, constant long& harmonics,
    constant long& coupled, uint id [[thread_position_in_grid]]) {
    const Group at = group_of(id, rows, groups, members, harmonics, coupled);
    if (!at.inside) return;
    const Phasor mean = mean_of(states, at);
    const float K = at.coupled ? coupling[at.row] : 0.0f;
    Phasor back{0.0f, 0.0f};
    float pull = 0.0f;
    for (int j = 0; at.coupled && j < at.members; ++j) {
        const Member one = member_of(states, at, j, mean, K, eps);
        const Phasor c = gradient_of(features, grad, at, one).c;
        const float delta = c.im * one.y.re - c.re * one.y.im;
        const float drag = delta * K * one.inverse / float(at.members);
        pull += delta * one.error;
        back = Phasor{back.re - drag * one.z.im, back.im + drag * one.z.re};
    }
    for (int j = 0; j < at.members; ++j) {
        const Member one = member_of(states, at, j, mean, K, eps);
        const Gradient found = gradient_of(features, grad, at, one);
        const float drag = (found.c.im * one.y.re - found.c.re * one.y.im) * K * one.inverse;
        const float along = (found.outward - drag * one.error) * one.inverse;
        const Phasor straight = turned(found.c, one.cosine, -one.sine);
        const int to = place_of(at, j);
        grad_states[to] = straight.re + back.re + drag * mean.im + one.z.re * along;
        grad_states[at.rows * at.members * at.groups + to] =
            straight.im + back.im - drag * mean.re + one.z.im * along;
    }
    if (at.coupled) pulls[at.row * at.groups + at.q] = pull;
}
