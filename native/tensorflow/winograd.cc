#include <algorithm>

#include "kernels.h"
#include "product.h"
#include "vector.h"

// Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks", F(2×2, 3×3): four results of a 3 × 3 convolution from
// 16 products where 36 are due, Y = Aᵀ [(G g Gᵀ) ∘ (Bᵀ d B)] A. Sums over channels make a product of matrices of each of the 16.
namespace contrafact {
namespace {

constexpr int side = 4, places = side * side;
constexpr int64_t stripeWidth = tileVectors * lanes;
// What a block of tiles comes to, in and out, stays in the second cache.
constexpr int64_t tilesAtOnce = 64, channelsAtOnce = 320;

using Square = Vector[side][side];

/** `Bᵀ d B`, in place. */
inline void turnInput(Square& d) {
  for (int j = 0; j < side; j++) {
    const Vector a = d[0][j] - d[2][j], b = d[1][j] + d[2][j], c = d[2][j] - d[1][j], e = d[1][j] - d[3][j];
    d[0][j] = a, d[1][j] = b, d[2][j] = c, d[3][j] = e;
  }
  for (int i = 0; i < side; i++) {
    const Vector a = d[i][0] - d[i][2], b = d[i][1] + d[i][2], c = d[i][2] - d[i][1], e = d[i][1] - d[i][3];
    d[i][0] = a, d[i][1] = b, d[i][2] = c, d[i][3] = e;
  }
}

/** `Aᵀ m A`: the corner of two by two is the result. */
inline void turnOutput(Square& m) {
  for (int j = 0; j < side; j++) {
    const Vector a = m[0][j] + m[1][j] + m[2][j], b = m[1][j] - m[2][j] - m[3][j];
    m[0][j] = a, m[1][j] = b;
  }
  for (int i = 0; i < 2; i++) {
    const Vector a = m[i][0] + m[i][1] + m[i][2], b = m[i][1] - m[i][2] - m[i][3];
    m[i][0] = a, m[i][1] = b;
  }
}

/** `G g Gᵀ` of one input channel and a vector of output channels, `step` floats from tap to tap. */
inline void turnFilter(const float* g, int64_t step, Square& u) {
  Vector tap[3][3];
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) tap[i][j] = load(g + (3 * i + j) * step);
  Vector rows[side][3];
  for (int j = 0; j < 3; j++) {
    const Vector ends = tap[0][j] + tap[2][j];
    rows[0][j] = tap[0][j], rows[1][j] = 0.5f * (ends + tap[1][j]), rows[2][j] = 0.5f * (ends - tap[1][j]);
    rows[3][j] = tap[2][j];
  }
  for (int i = 0; i < side; i++) {
    const Vector ends = rows[i][0] + rows[i][2];
    u[i][0] = rows[i][0], u[i][1] = 0.5f * (ends + rows[i][1]), u[i][2] = 0.5f * (ends - rows[i][1]);
    u[i][3] = rows[i][2];
  }
}

/** Matrices `[in, out]` for the 16 places, in stripes of output channels that lie closely. */
struct Filters {
  float* at;
  int64_t in, out;

  float* stripe(int place, int64_t first) const { return at + (place * out + first) * in; }
  int64_t width(int64_t first) const { return std::min(stripeWidth, out - first); }
};

void turnFilter(const float* g, int64_t step, int64_t c, int64_t k, const Filters& to) {
  Square u;
  turnFilter(g, step, u);
  const int64_t first = k / stripeWidth * stripeWidth, width = to.width(first);
  for (int p = 0; p < places; p++) store(to.stripe(p, first) + c * width + k - first, u[p / side][p % side]);
}

/** Those of `[3, 3, in, out]`. */
void turnFilters(const Parallel& parallel, const float* filter, const Filters& to) {
  parallel(to.in, 8 * to.out, [&](int64_t begin, int64_t finish) {
    for (int64_t c = begin; c < finish; c++)
      for (int64_t k = 0; k < to.out; k += lanes)
        turnFilter(filter + c * to.out + k, to.in * to.out, c, k, to);
  });
}

/** Those of `[3, 3, out, in]`, by which the gradient goes back, turned by 180°. */
void turnFiltersBack(const Parallel& parallel, const float* filter, const Filters& to) {
  parallel(to.in / lanes, 16 * lanes * to.out, [&](int64_t begin, int64_t finish) {
    float taps[lanes][9][lanes];
    for (int64_t c = begin * lanes; c < finish * lanes; c += lanes)
      for (int64_t k = 0; k < to.out; k += lanes) {
        for (int t = 0; t < 9; t++)
          turnBlock(filter + ((8 - t) * to.out + k) * to.in + c, to.in, &taps[0][t][0], 9 * lanes);
        for (int i = 0; i < lanes; i++) turnFilter(&taps[i][0][0], lanes, c + i, k, to);
      }
  });
}

/** Numbers of 16 places, a row of channels for every tile of a block. */
struct Places {
  float* at;
  int64_t stride;
  float* row(int place, int64_t tile) const { return at + (place * tilesAtOnce + tile) * stride; }
};

/** Tiles of two by two results of one picture. */
struct Tiles {
  const Convolution& of;
  int64_t picture, first, count;

  int64_t row(int64_t tile) const { return (first + tile) / across() * 2; }
  int64_t column(int64_t tile) const { return (first + tile) % across() * 2; }
  int64_t across() const { return (of.outWidth + 1) / 2; }
};

void turnInputs(const Tiles& tiles, const float* x, int64_t first, int64_t channels, const Places& to) {
  const Convolution& of = tiles.of;
  const float* picture = x + tiles.picture * of.height * of.width * of.in + first;
  for (int64_t tile = 0; tile < tiles.count; tile++) {
    const float* pixel[places];
    for (int p = 0; p < places; p++) {
      const int64_t row = tiles.row(tile) + p / side - of.top, column = tiles.column(tile) + p % side - of.left;
      const bool isInside = row >= 0 && row < of.height && column >= 0 && column < of.width;
      pixel[p] = isInside ? picture + (row * of.width + column) * of.in : nullptr;
    }
    for (int64_t c = 0; c < channels; c += lanes) {
      Square d;
      for (int p = 0; p < places; p++) d[p / side][p % side] = pixel[p] ? load(pixel[p] + c) : Vector{};
      turnInput(d);
      for (int p = 0; p < places; p++) store(to.row(p, tile) + c, d[p / side][p % side]);
    }
  }
}

void turnOutputs(const Tiles& tiles, const Places& from, int64_t first, int64_t channels, const float* bias, float* y) {
  const Convolution& of = tiles.of;
  float* picture = y + tiles.picture * of.outHeight * of.outWidth * of.out + first;
  for (int64_t tile = 0; tile < tiles.count; tile++) {
    const int64_t row = tiles.row(tile), column = tiles.column(tile);
    float* pixel = picture + (row * of.outWidth + column) * of.out;
    const bool hasRight = column + 1 < of.outWidth, hasBelow = row + 1 < of.outHeight;
    for (int64_t k = 0; k < channels; k += lanes) {
      Square m;
      for (int p = 0; p < places; p++) m[p / side][p % side] = load(from.row(p, tile) + k);
      turnOutput(m);
      const Vector b = bias ? load(bias + first + k) : Vector{};
      store(pixel + k, m[0][0] + b);
      if (hasRight) store(pixel + of.out + k, m[0][1] + b);
      if (hasBelow) store(pixel + of.outWidth * of.out + k, m[1][0] + b);
      if (hasRight && hasBelow) store(pixel + (of.outWidth + 1) * of.out + k, m[1][1] + b);
    }
  }
}

}  // namespace

int64_t winogradScratch(const Convolution& of) { return places * of.in * of.out; }

void winograd(const Parallel& parallel, const Convolution& of, const float* x, const float* filter, const float* bias,
              float* scratch, float* y) {
  const Filters filters{scratch, of.in, of.out};
  if (of.backwards) turnFiltersBack(parallel, filter, filters);
  else turnFilters(parallel, filter, filters);
  const int64_t all = (of.outHeight + 1) / 2 * ((of.outWidth + 1) / 2);
  const int64_t blocks = (all + tilesAtOnce - 1) / tilesAtOnce;
  const int64_t outAtOnce = channelsAtOnce / stripeWidth * stripeWidth;
  parallel(of.batch * blocks, tilesAtOnce * of.in * of.out, [&](int64_t begin, int64_t finish) {
    Rows in, out;
    in.resize(places * tilesAtOnce, std::min(channelsAtOnce, of.in));
    out.resize(places * tilesAtOnce, std::min(outAtOnce, of.out));
    const Places inputs{in.row(0), in.stride()}, outputs{out.row(0), out.stride()};
    for (int64_t i = begin; i < finish; i++) {
      const int64_t start = i % blocks * tilesAtOnce;
      const Tiles tiles{of, i / blocks, start, std::min(tilesAtOnce, all - start)};
      for (int64_t k = 0; k < of.out; k += outAtOnce) {
        const int64_t results = std::min(outAtOnce, of.out - k);
        for (int64_t c = 0; c < of.in; c += channelsAtOnce) {
          const int64_t depth = std::min(channelsAtOnce, of.in - c);
          // Those of the only block of channels are there already.
          if (k == 0 || of.in > channelsAtOnce) turnInputs(tiles, x, c, depth, inputs);
          for (int p = 0; p < places; p++)
            for (int64_t j = 0; j < results; j += stripeWidth) {
              const int64_t width = filters.width(k + j);
              product({inputs.row(p, 0), inputs.stride, 1}, tiles.count, filters.stripe(p, k + j) + c * width, width,
                      depth, width, outputs.row(p, 0) + j, outputs.stride, c > 0);
            }
        }
        turnOutputs(tiles, outputs, k, results, bias, y);
      }
    }
  });
}

}  // namespace contrafact
