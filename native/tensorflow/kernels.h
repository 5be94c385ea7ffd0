#pragma once

#include <cstdint>
#include <functional>

/*
 * The arithmetic of this library's own kernels for TensorFlow on a CPU: one file each, float32, row-major arrays, results
 * written by the callee. They make one pass over memory where a composition of TensorFlow's operations makes five to ten.
 * `operations.cc` makes operations of TensorFlow of them.
 */
namespace contrafact {

/** Runs `work(first, end)` on stretches of `0 .. total`, on all threads; an element costs about `cycles`. */
using Parallel =
    std::function<void(int64_t total, int64_t cycles, const std::function<void(int64_t first, int64_t end)>& work)>;

/** `x Φ(x)`, and `dy (Φ(x) + x φ(x))`. */
void gelu(const Parallel&, int64_t size, const float* x, float* y);
void geluGrad(const Parallel&, int64_t size, const float* dy, const float* x, float* dx);

/** `a gelu(b)` of rows `[a, b]` of twice the width, and the gradient by them. */
void geglu(const Parallel&, int64_t rows, int64_t width, const float* x, float* y);
void gegluGrad(const Parallel&, int64_t rows, int64_t width, const float* dy, const float* x, float* dx);

/** `x σ(s x)`, and `dy (σ + s x σ (1 − σ))`. */
void swish(const Parallel&, int64_t size, float s, const float* x, float* y);
void swishGrad(const Parallel&, int64_t size, float s, const float* dy, const float* x, float* dx);

/** `(x − μ) / √(σ² + ε) · weight + bias` over every row, and the gradient by `x`. */
void layerNorm(const Parallel&, int64_t rows, int64_t width, float epsilon, const float* x, const float* weight,
               const float* bias, float* y);
void layerNormGrad(const Parallel&, int64_t rows, int64_t width, float epsilon, const float* dy, const float* x,
                   const float* weight, float* dx);

/** `x [batch, pixels, channels]`; channels in `groups` contiguous groups. */
struct Groups {
  int64_t batch, pixels, channels, groups;
};

/** The same over a group's channels and all pixels of a sample; `mean` and `inverse = 1 / √(σ² + ε)` are `[batch, groups]`. */
void groupNorm(const Parallel&, const Groups&, float epsilon, const float* x, const float* weight, const float* bias,
               float* y, float* mean, float* inverse);
/** The gradient by `x`, and by `weight` and `bias` per sample, `[batch, channels]`. */
void groupNormGrad(const Parallel&, const Groups&, const float* dy, const float* x, const float* weight,
                   const float* mean, const float* inverse, float* dx, float* dWeight, float* dBias);

/** `x [rows, width]` times `weight [width, out]`, plus `bias [out]` if there is one. */
struct Linear {
  int64_t rows, width, out;
};
void linear(const Parallel&, const Linear&, const float* x, const float* weight, const float* bias, float* y);

/** A 3 × 3 convolution at stride 1 of `[batch, height, width, in]` by `[3, 3, in, out]`; the channels are whole vectors. */
struct Convolution {
  int64_t batch, height, width, in, outHeight, outWidth, out, top, left;
  /** Of a gradient, by the kernel `[3, 3, out, in]` of the way forward. */
  bool backwards;
};
/** With a bias if there is one; floats of scratch memory. */
int64_t winogradScratch(const Convolution&);
void winograd(const Parallel&, const Convolution&, const float* x, const float* filter, const float* bias,
              float* scratch, float* y);

/** Queries and results `[batch, queries, channels]`, keys and values `[batch, keys, channels]`; channels in `heads` parts. */
struct Heads {
  int64_t batch, queries, keys, channels, heads;
  float scale;
  /** A query sees the keys up to its own place only. */
  bool causal;
};

/** `softmax(scale Q Kᵀ) V`, and `[batch, heads, queries]` logarithms of the softmax's sums. */
void attention(const Parallel&, const Heads&, const float* q, const float* k, const float* v, float* out, float* logSums);
void attentionGrad(const Parallel&, const Heads&, const float* dOut, const float* q, const float* k, const float* v,
                   const float* out, const float* logSums, float* dq, float* dk, float* dv);

/** `Σ x²`, and `Σ` over the rows of `x [rows, width]`. */
double sumOfSquares(int64_t size, const float* x);
void sumRows(const Parallel&, int64_t rows, int64_t width, const float* x, float* y);

/** Numbers of one step: `parameter · keep − rate · m / (√v + epsilon)`, with the decayed means `m` and `v`. */
struct AdamW {
  float beta1, beta2, rate, epsilon, keep;
};
void adamW(int64_t size, const AdamW&, const float* parameter, const float* gradient,
           const float* mean, const float* square, float* nextParameter, float* nextMean, float* nextSquare);

/** `ofA · a + ofB · b` */
void mix(int64_t size, float ofA, const float* a, float ofB, const float* b, float* y);

/** `torch.randn(size)` of 16 numbers and more, from the index and the words of the Mersenne twister, which move on. */
void torchNormal(const Parallel&, int64_t size, int32_t* state, float* values);

enum class Precision { f32, f16, bf16 };

/** Where a file holds a parameter: from a byte on, `[out, in, taps]` numbers. */
struct Stored {
  Precision precision;
  int64_t begin, out, in, taps;
};

/** The parameter as `[taps, in, out]`; false if the file cannot be read or ends before it. */
bool readParameter(const Parallel&, const char* path, const Stored&, float* y);

/** What the arithmetic was compiled to use and this processor does not have; nothing if it may run. */
const char* missingInstructions();

}  // namespace contrafact
