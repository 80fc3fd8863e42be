// The oscillators' inner loops for a CPU: the scans of `oscillators.py` and `gated.py`, `order.py`, and u of
// `coupling.py`.
//
// Each function does what the torch form of the same name in those modules does, in one pass over memory and
// with every number of a token in registers. Arrays are float32 and dense but for the rows of drives, which
// may lie inside wider rows. A number depends on neither the count of threads nor the size of the batch.

#include <cmath>
#include <cstdint>
#include <cstring>

namespace {

using Row = const float *__restrict;
using OutRow = float *__restrict;
using Size = std::int64_t;

constexpr float WHOLE = 12582912.0f;  // a number plus this has no fraction; its lowest bits are that integer
constexpr Size TILE = 64;  // units taken together through time: four AVX-512 registers an array
constexpr Size AHEAD = 8;  // tokens that a row is asked for before it is needed

inline float between(float low, float x, float high) {  // not a number stays what it is
    x = x < low ? low : x;
    return x > high ? high : x;
}

inline std::uint32_t bits_of(float x) {
    std::uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
}

inline float float_of(std::uint32_t bits) {
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

inline float sigmoid(float x) {
    const float y = between(-87.0f, -x, 87.0f);
    const float shifted = y * 1.44269504088896341f + (WHOLE + 127.0f), n = shifted - (WHOLE + 127.0f);
    const float r = (y - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    const float mantissa = p * r * r + r + 1.0f;
    return 1.0f / (1.0f + mantissa * float_of(bits_of(shifted) << 23));
}

// Cosine and sine by half turns (minimax polynomials); good to 1e-7 up to some 8,000 radians, and on the unit
// circle ever after.
inline void turn(float angle, float &cosine, float &sine) {
    const float shifted = angle * 0.318309886183790672f + WHOLE, half = shifted - WHOLE;
    float y = ((angle - half * 3.140625f) - half * 9.67502593994140625e-4f) - half * 1.5099579897e-7f;
    y = between(-1.5708f, y, 1.5708f);
    const float z = y * y;
    const float s = (((2.5999031e-6f * z - 1.98065471e-4f) * z + 8.33301635e-3f) * z - 1.666665706e-1f) * z * y + y;
    const float c = (((-2.6192483e-7f * z + 2.47692406e-5f) * z - 1.388856821e-3f) * z + 4.166665573e-2f) * z * z
                    - 0.5f * z + 1.0f;
    const std::uint32_t flip = bits_of(shifted) << 31;
    cosine = float_of(bits_of(c) ^ flip);
    sine = float_of(bits_of(s) ^ flip);
}

// The same for angles up to 1 either way, where there are no quadrants (minimax; good to 2e-8).
inline void turn_little(float y, float &cosine, float &sine) {
    const float z = y * y;
    sine = ((-1.92837895e-4f * z + 8.329797523e-3f) * z - 1.66665990445e-1f) * z * y + y;
    cosine = ((2.421546623e-5f * z - 1.388491412e-3f) * z + 4.166658287e-2f) * z * z - 0.5f * z + 1.0f;
}

// One token of `width` driven oscillators; re, im: their state, before it and then after it.
inline void drive(Row x, Row phi, Row rotor, Size units, OutRow re, OutRow im, OutRow out_re, OutRow out_im,
                  Size width) {
    Row c1 = rotor, s1 = c1 + units, c2 = s1 + units, s2 = c2 + units;
#pragma omp simd
    for (Size i = 0; i < width; ++i) {
        const float g = sigmoid(x[i]), a = 1.0f - g;
        float cosine, sine;
        turn(phi[i], cosine, sine);
        const float turned_re = c1[i] * re[i] - s1[i] * im[i] + (c2[i] * re[i] - s2[i] * im[i]);
        const float turned_im = s1[i] * re[i] + c1[i] * im[i] + (s2[i] * re[i] + c2[i] * im[i]);
        out_re[i] = re[i] = a * turned_re + g * cosine;
        out_im[i] = im[i] = a * turned_im + g * sine;
    }
}

// Its gradient; re, im: the adjoint that arrives from later tokens, then the one that goes on to earlier ones.
inline void drive_back(Row x, Row phi, Row rotor, Size units, Row d_re, Row d_im, Row before_re, Row before_im,
                       OutRow re, OutRow im, OutRow omega, OutRow d_gate, OutRow d_phase, Size width) {
    Row cosines = rotor, sines = cosines + units;
#pragma omp simd
    for (Size i = 0; i < width; ++i) {
        const float g = sigmoid(x[i]), a = 1.0f - g;
        float cosine, sine;
        turn(phi[i], cosine, sine);
        const float v_re = d_re[i] + re[i], v_im = d_im[i] + im[i];
        const float past_re = cosines[i] * before_re[i] - sines[i] * before_im[i];
        const float past_im = sines[i] * before_re[i] + cosines[i] * before_im[i];
        d_gate[i] = g * a * (v_re * (cosine - past_re) + v_im * (sine - past_im));
        d_phase[i] = g * (v_im * cosine - v_re * sine);
        omega[i] += a * (past_re * v_im - past_im * v_re);
        re[i] = a * (cosines[i] * v_re + sines[i] * v_im);
        im[i] = a * (cosines[i] * v_im - sines[i] * v_re);
    }
}

// Ask for a row before it is needed: rows of a tile lie too far apart for the processor to guess the next.
inline void fetch(Row row, Size width) {
    for (Size i = 0; i < width; i += 16) __builtin_prefetch(row + i);
}

// What a pass over the groups of one token looks at: `groups` apart from one member of a group to the next,
// `plane` from real to imaginary parts, `set` from one kind of feature to the next.
struct Shape {
    Size group, groups, harmonics, plane, set;
    float eps, share;
};

// Add up the means of the groups of one token.
inline void mean_field(Row z, const Shape &shape, OutRow mean_re, OutRow mean_im, Size width) {
    for (Size j = 0; j < shape.group; ++j) {
        Row re = z + j * shape.groups, im = re + shape.plane;
#pragma omp simd
        for (Size i = 0; i < width; ++i) {
            mean_re[i] += shape.share * re[i];
            mean_im[i] += shape.share * im[i];
        }
    }
}

// How the oscillators of one token are coupled: not at all, by |K| <= 1 (inside the unit disk a step then turns by 1
// radian at most), or by any K.
enum class Pull { none, gentle, any };

// An oscillator before and after its Kuramoto step: the phasors p and q, the length, and the step e^(i K error).
struct Phasor {
    float length, inverse, p_re, p_im, q_re, q_im, error, cosine, sine;
};

template <Pull pull>
inline Phasor step(float re, float im, float mean_re, float mean_im, float K, float eps) {
    Phasor x;
    x.length = std::sqrt(re * re + im * im + eps);
    x.inverse = 1.0f / x.length;
    x.p_re = x.q_re = re * x.inverse;
    x.p_im = x.q_im = im * x.inverse;
    if (pull != Pull::none) {
        x.error = x.p_re * mean_im - x.p_im * mean_re;
        (pull == Pull::gentle ? turn_little : turn)(K * x.error, x.cosine, x.sine);
        x.q_re = x.p_re * x.cosine - x.p_im * x.sine;
        x.q_im = x.p_re * x.sine + x.p_im * x.cosine;
    }
    return x;
}

// Couple the groups of one token and read them into `out`; adds |Z_1| to `told`, and |Z_1| over the mean |z|.
template <Pull pull>
inline void order(Row z, const Shape &shape, float K, OutRow out, float told[2], Size width) {
    const Size groups = shape.groups, set = shape.set;
    const float share = shape.share, eps = shape.eps;
    float mean_re[TILE] = {}, mean_im[TILE] = {}, radius[TILE] = {}, q_re[TILE], q_im[TILE], y_re[TILE], y_im[TILE];
    if (pull != Pull::none) mean_field(z, shape, mean_re, mean_im, width);
    for (Size n = 0; n < 2 * shape.harmonics; ++n) std::memset(out + n * groups, 0, width * sizeof(float));
    for (Size j = 0; j < shape.group; ++j) {
        Row re = z + j * groups, im = re + shape.plane;
        OutRow first_re = out, first_im = out + set;
#pragma omp simd
        for (Size i = 0; i < width; ++i) {
            const Phasor x = step<pull>(re[i], im[i], mean_re[i], mean_im[i], K, eps);
            const float length = share * x.length;
            q_re[i] = x.q_re;
            q_im[i] = x.q_im;
            y_re[i] = length * x.q_re;
            y_im[i] = length * x.q_im;
            first_re[i] += y_re[i];
            first_im[i] += y_im[i];
            radius[i] += length;
        }
        for (Size n = 1; n < shape.harmonics; ++n) {
            OutRow to_re = out + n * groups, to_im = to_re + set;
#pragma omp simd
            for (Size i = 0; i < width; ++i) {
                const float next = y_re[i] * q_re[i] - y_im[i] * q_im[i];
                y_im[i] = y_re[i] * q_im[i] + y_im[i] * q_re[i];
                y_re[i] = next;
                to_re[i] += y_re[i];
                to_im[i] += y_im[i];
            }
        }
    }
    for (Size n = 0; n < shape.harmonics; ++n) {
        Row re = out + n * groups, im = re + set;
        OutRow to = out + 2 * set + n * groups;
#pragma omp simd
        for (Size i = 0; i < width; ++i) to[i] = std::sqrt(re[i] * re[i] + im[i] * im[i] + eps * eps);
    }
    Row length = out + 2 * set;
    float R = 0.0f, coherence = 0.0f;
#pragma omp simd reduction(+ : R, coherence)
    for (Size i = 0; i < width; ++i) {
        R += length[i];
        coherence += length[i] / radius[i];
    }
    told[0] += R;
    told[1] += coherence;
}

// The gradient of one order parameter of a token, where |Z| hands on its own.
struct Slope {
    Row y_re, y_im, y_abs, g_re, g_im, g_abs;
    float share;

    Slope(Row seen, Row d, Size at, const Shape &shape)
        : y_re(seen + at), y_im(y_re + shape.set), y_abs(y_im + shape.set), g_re(d + at), g_im(g_re + shape.set),
          g_abs(g_im + shape.set), share(shape.share) {}

    void at(Size i, float &e_re, float &e_im) const {
        const float slope = g_abs[i] / y_abs[i];
        e_re = share * (g_re[i] + slope * y_re[i]);
        e_im = share * (g_im[i] + slope * y_im[i]);
    }
};

// The gradient of `order` for that of the features, d, into that of the states, d_z; returns the gradient of K.
template <Pull pull>
inline float order_back(Row z, const Shape &shape, float K, Row seen, Row d, OutRow d_z, Size width) {
    const Size groups = shape.groups;
    const float share = shape.share, eps = shape.eps;
    float d_K = 0.0f;
    float mean_re[TILE] = {}, mean_im[TILE] = {}, back_re[TILE] = {}, back_im[TILE] = {};
    float d_re[TILE] = {}, d_im[TILE] = {}, d_radius[TILE] = {};  // by the harmonics after the first
    float q_re[TILE], q_im[TILE], w_re[TILE], w_im[TILE];         // the phasor after its step, and its powers
    if (pull != Pull::none) mean_field(z, shape, mean_re, mean_im, width);
    for (Size j = 0; j < shape.group; ++j) {
        Row re = z + j * groups, im = re + shape.plane;
        OutRow to_re = d_z + j * groups, to_im = to_re + shape.plane;
        if (shape.harmonics > 1) {
#pragma omp simd
            for (Size i = 0; i < width; ++i) {
                const Phasor x = step<pull>(re[i], im[i], mean_re[i], mean_im[i], K, eps);
                w_re[i] = q_re[i] = x.q_re;
                w_im[i] = q_im[i] = x.q_im;
                d_re[i] = d_im[i] = d_radius[i] = 0.0f;
            }
        }
        for (Size n = 1; n < shape.harmonics; ++n) {
            const Slope slope(seen, d, n * groups, shape);
            const float order = n + 1;
#pragma omp simd
            for (Size i = 0; i < width; ++i) {
                float e_re, e_im;
                slope.at(i, e_re, e_im);
                d_re[i] += order * (w_re[i] * e_re + w_im[i] * e_im);
                d_im[i] += order * (w_re[i] * e_im - w_im[i] * e_re);
                const float next = w_re[i] * q_re[i] - w_im[i] * q_im[i];
                w_im[i] = w_re[i] * q_im[i] + w_im[i] * q_re[i];
                w_re[i] = next;
                d_radius[i] += w_re[i] * e_re + w_im[i] * e_im;
            }
        }
        const Slope slope(seen, d, 0, shape);
        float here = 0.0f;
#pragma omp simd reduction(+ : here)
        for (Size i = 0; i < width; ++i) {
            const Phasor x = step<pull>(re[i], im[i], mean_re[i], mean_im[i], K, eps);
            float e_re, e_im;
            slope.at(i, e_re, e_im);
            const float c_re = x.length * (e_re + d_re[i]), c_im = x.length * (e_im + d_im[i]);  // gradient of q
            float f_re = c_re, f_im = c_im;                                                      // and of p
            if (pull != Pull::none) {
                const float along = c_im * x.q_re - c_re * x.q_im, drag = K * along;
                here += along * x.error;
                f_re = c_re * x.cosine + c_im * x.sine + drag * mean_im[i];
                f_im = c_im * x.cosine - c_re * x.sine - drag * mean_re[i];
                back_re[i] -= share * drag * x.p_im;
                back_im[i] += share * drag * x.p_re;
            }
            const float outward = x.q_re * e_re + x.q_im * e_im + d_radius[i];
            const float radial = outward - x.inverse * (f_re * x.p_re + f_im * x.p_im);
            to_re[i] = f_re * x.inverse + x.p_re * radial;
            to_im[i] = f_im * x.inverse + x.p_im * radial;
        }
        d_K += here;
    }
    for (Size j = 0; pull != Pull::none && j < shape.group; ++j) {
        OutRow to_re = d_z + j * groups, to_im = to_re + shape.plane;
#pragma omp simd
        for (Size i = 0; i < width; ++i) {
            to_re[i] += back_re[i];
            to_im[i] += back_im[i];
        }
    }
    return d_K;
}

// The form of a function for this coupling.
template <typename Form>
inline Form *chosen(bool coupled, float K, Form *none, Form *gentle, Form *any) {
    if (!coupled) return none;
    return K >= -1.0f && K <= 1.0f ? gentle : any;
}

}  // namespace

extern "C" {

// rotor [4, N]: cos and sin of omega in float32, then what rounding took from them.
// gate, phase: [B, T, N] in rows of `stride`; start [2, B, N]; states [2, B, T, N].
void driven_forward(Row gate, Row phase, Size stride, Row rotor, Row start, OutRow states, Size batch, Size tokens,
                    Size units, int threads) {
    const Size tiles = (units + TILE - 1) / TILE, plane = batch * tokens * units;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (Size task = 0; task < batch * tiles; ++task) {
        const Size b = task / tiles, first = task % tiles * TILE;
        const Size width = units - first < TILE ? units - first : TILE;
        float re[TILE], im[TILE];
        std::memcpy(re, start + b * units + first, width * sizeof(float));
        std::memcpy(im, start + (batch + b) * units + first, width * sizeof(float));
        for (Size t = 0; t < tokens; ++t) {
            const Size at = (b * tokens + t) * stride + first;
            if (t + AHEAD < tokens) {
                fetch(gate + at + AHEAD * stride, width);
                fetch(phase + at + AHEAD * stride, width);
            }
            OutRow out = states + (b * tokens + t) * units + first;
            drive(gate + at, phase + at, rotor + first, units, re, im, out, out + plane, width);
        }
    }
}

// grad, states [2, B, T, N]; grad_gate, grad_phase in rows of `grad_stride`; grad_omega [B, N];
// grad_start [2, B, N].
void driven_backward(Row gate, Row phase, Size stride, Row rotor, Row start, Row states, Row grad, OutRow grad_gate,
                     OutRow grad_phase, Size grad_stride, OutRow grad_omega, OutRow grad_start, Size batch,
                     Size tokens, Size units, int threads) {
    const Size tiles = (units + TILE - 1) / TILE, plane = batch * tokens * units;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (Size task = 0; task < batch * tiles; ++task) {
        const Size b = task / tiles, first = task % tiles * TILE;
        const Size width = units - first < TILE ? units - first : TILE;
        float re[TILE] = {}, im[TILE] = {}, omega[TILE] = {};
        for (Size t = tokens - 1; t >= 0; --t) {
            const Size row = b * tokens + t, at = row * stride + first, to = row * grad_stride + first;
            Row d = grad + row * units + first;
            Row before = t ? states + (row - 1) * units + first : start + b * units + first;
            Row before_im = before + (t ? plane : batch * units);
            if (t > AHEAD) {
                const Size far = AHEAD * stride, back = AHEAD * units;
                fetch(gate + at - far, width);
                fetch(phase + at - far, width);
                fetch(d - back, width);
                fetch(d - back + plane, width);
                fetch(before - back, width);
                fetch(before_im - back, width);
            }
            drive_back(gate + at, phase + at, rotor + first, units, d, d + plane, before, before_im, re, im, omega,
                       grad_gate + to, grad_phase + to, width);
        }
        std::memcpy(grad_omega + b * units + first, omega, width * sizeof(float));
        std::memcpy(grad_start + b * units + first, re, width * sizeof(float));
        std::memcpy(grad_start + (batch + b) * units + first, im, width * sizeof(float));
    }
}

// gate, value [B, T, N] in rows of `stride`; states [B, T, N], from rest.
void gated_forward(Row gate, Row value, Size stride, OutRow states, Size batch, Size tokens, Size units, int threads) {
    const Size tiles = (units + TILE - 1) / TILE;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (Size task = 0; task < batch * tiles; ++task) {
        const Size b = task / tiles, first = task % tiles * TILE;
        const Size width = units - first < TILE ? units - first : TILE;
        float state[TILE] = {};
        for (Size t = 0; t < tokens; ++t) {
            Row x = gate + (b * tokens + t) * stride + first, y = value + (b * tokens + t) * stride + first;
            OutRow out = states + (b * tokens + t) * units + first;
#pragma omp simd
            for (Size i = 0; i < width; ++i) {
                const float g = sigmoid(x[i]);
                out[i] = state[i] = (1.0f - g) * state[i] + g * y[i];
            }
        }
    }
}

void gated_backward(Row gate, Row value, Size stride, Row states, Row grad, OutRow grad_gate, OutRow grad_value,
                    Size grad_stride, Size batch, Size tokens, Size units, int threads) {
    const Size tiles = (units + TILE - 1) / TILE;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (Size task = 0; task < batch * tiles; ++task) {
        const Size b = task / tiles, first = task % tiles * TILE;
        const Size width = units - first < TILE ? units - first : TILE;
        const float rest[TILE] = {};
        float adjoint[TILE] = {};
        for (Size t = tokens - 1; t >= 0; --t) {
            const Size at = b * tokens + t;
            Row x = gate + at * stride + first, y = value + at * stride + first;
            Row d = grad + at * units + first, before = t ? states + (at - 1) * units + first : rest;
            OutRow d_gate = grad_gate + at * grad_stride + first, d_value = grad_value + at * grad_stride + first;
#pragma omp simd
            for (Size i = 0; i < width; ++i) {
                const float g = sigmoid(x[i]), a = 1.0f - g, v = d[i] + adjoint[i];
                d_gate[i] = g * a * v * (y[i] - before[i]);
                d_value[i] = g * v;
                adjoint[i] = a * v;
            }
        }
    }
}

// states [2, R, k, G] for R = B T rows; coupling [R] or null; features [R, 3, H, G]; R, coherence [R].
void order_forward(Row states, Row coupling, OutRow features, OutRow R, OutRow coherence, Size rows, Size group,
                   Size groups, Size harmonics, float eps, int threads) {
    const Shape shape{group, groups, harmonics, rows * group * groups, harmonics * groups, eps, 1.0f / group};
#pragma omp parallel for num_threads(threads) schedule(static)
    for (Size row = 0; row < rows; ++row) {
        const float K = coupling ? coupling[row] : 0.0f;
        const auto read = chosen(coupling != nullptr, K, order<Pull::none>, order<Pull::gentle>, order<Pull::any>);
        float told[2] = {};
        for (Size first = 0; first < groups; first += TILE) {
            const Size width = groups - first < TILE ? groups - first : TILE;
            read(states + row * group * groups + first, shape, K, features + row * 3 * shape.set + first, told, width);
        }
        R[row] = told[0] / groups;
        coherence[row] = told[1] / groups;
    }
}

// As above, with the gradient of the features; grad_coupling [R] is not touched where coupling is null.
void order_backward(Row states, Row coupling, Row features, Row grad, OutRow grad_states, OutRow grad_coupling,
                    Size rows, Size group, Size groups, Size harmonics, float eps, int threads) {
    const Shape shape{group, groups, harmonics, rows * group * groups, harmonics * groups, eps, 1.0f / group};
#pragma omp parallel for num_threads(threads) schedule(static)
    for (Size row = 0; row < rows; ++row) {
        const float K = coupling ? coupling[row] : 0.0f;
        const auto back = chosen(coupling != nullptr, K, order_back<Pull::none>, order_back<Pull::gentle>,
                                 order_back<Pull::any>);
        float d_K = 0.0f;
        for (Size first = 0; first < groups; first += TILE) {
            const Size width = groups - first < TILE ? groups - first : TILE;
            const Size at = row * group * groups + first, seen = row * 3 * shape.set + first;
            d_K += back(states + at, shape, K, features + seen, grad + seen, grad_states + at, width);
        }
        if (coupling) grad_coupling[row] = d_K;
    }
}

// live [R, 6]: a, c, d, e, g, h; log_u [R] = limit tanh(0.5 ln((n^2 + soften) / (m^2 + soften)) / limit).
void u_forward(Row live, OutRow log_u, Size rows, float soften, float limit, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (Size row = 0; row < rows; ++row) {
        Row p = live + row * 6;
        const float n = p[2] * p[4] - p[1] * p[5], m = p[0] * p[4] - p[1] * p[3];
        const float ratio = 0.5f * std::log((n * n + soften) / (m * m + soften));
        log_u[row] = limit * std::tanh(ratio / limit);
    }
}

void u_backward(Row live, Row log_u, Row grad, OutRow grad_live, Size rows, float soften, float limit, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (Size row = 0; row < rows; ++row) {
        Row p = live + row * 6;
        OutRow to = grad_live + row * 6;
        const float n = p[2] * p[4] - p[1] * p[5], m = p[0] * p[4] - p[1] * p[3], bent = log_u[row] / limit;
        const float slope = grad[row] * (1.0f - bent * bent);
        const float by_n = slope * n / (n * n + soften), by_m = -slope * m / (m * m + soften);
        to[0] = by_m * p[4];
        to[1] = -by_n * p[5] - by_m * p[3];
        to[2] = by_n * p[4];
        to[3] = -by_m * p[1];
        to[4] = by_n * p[2] + by_m * p[0];
        to[5] = -by_n * p[1];
    }
}

}  // extern "C"
