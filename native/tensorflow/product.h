#pragma once

#include <algorithm>
#include <cstdint>

#include "vector.h"

// Products of matrices that lie in the cache, without the copies that a general product begins with.
namespace contrafact {

// The results of a tile stay in registers: so many rows of at most so many vectors.
constexpr int tileRows = lanes == 16 ? 8 : 4, tileVectors = 3;

/** Floats to a row of `width`, filled up to whole vectors. */
inline int64_t padded(int64_t width) { return (width + lanes - 1) / lanes * lanes; }

/** Rows of whole vectors, one `stride` after the other. */
class Rows {
 public:
  /** What lies in them afterwards is anything. */
  void resize(int64_t rows, int64_t width) {
    // Not a power of two, at which rows would compete for the same lines of the cache.
    stride_ = padded(width) + (padded(width) % 256 == 0 ? lanes : 0);
    if (values_.size() < rows * stride_) values_.resize(rows * stride_);
  }
  void clear(int64_t rows, int64_t width) {
    resize(rows, width);
    values_.head(rows * stride_).setZero();
  }
  float* row(int64_t i) { return values_.data() + i * stride_; }
  const float* row(int64_t i) const { return values_.data() + i * stride_; }
  int64_t stride() const { return stride_; }

 private:
  int64_t stride_ = 0;
  Eigen::ArrayXf values_;  // which begins where a vector may
};

/** A matrix that is read element by element: `(i, p)` lies at `i · down + p · along`. */
struct Elements {
  const float* at;
  int64_t down, along;
};

template <int rows, int vectors>
inline void tile(const Elements& a, const float* b, int64_t bStride, int64_t depth, float* c, int64_t cStride,
                 bool adds) {
  Vector sums[rows][vectors];
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < vectors; j++)
      sums[i][j] = adds ? load(c + i * cStride + j * lanes) : Vector{};
  for (int64_t p = 0; p < depth; p++) {
    Vector line[vectors];
    for (int j = 0; j < vectors; j++) line[j] = load(b + p * bStride + j * lanes);
    for (int i = 0; i < rows; i++) {
      Vector element = a.at[i * a.down + p * a.along] - Vector{};
      // Into a register, once: the compiler would read it again for every vector, and reading is what the loop waits for.
      asm("" : "+v"(element));
      for (int j = 0; j < vectors; j++) sums[i][j] += element * line[j];
    }
  }
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < vectors; j++) store(c + i * cStride + j * lanes, sums[i][j]);
}

template <int vectors>
inline void stripe(const Elements& a, int64_t rows, const float* b, int64_t bStride, int64_t depth, float* c,
                   int64_t cStride, bool adds) {
  int64_t i = 0;
  const auto from = [&](int64_t row) { return Elements{a.at + row * a.down, a.down, a.along}; };
  for (; i + tileRows <= rows; i += tileRows)
    tile<tileRows, vectors>(from(i), b, bStride, depth, c + i * cStride, cStride, adds);
  for (; i + 2 <= rows; i += 2) tile<2, vectors>(from(i), b, bStride, depth, c + i * cStride, cStride, adds);
  if (i < rows) tile<1, vectors>(from(i), b, bStride, depth, c + i * cStride, cStride, adds);
}

/** `C (+)= A B` where `B` and `C` are rows of whole vectors, `width` floats of which count. */
inline void product(const Elements& a, int64_t rows, const float* b, int64_t bStride, int64_t depth, int64_t width,
                    float* c, int64_t cStride, bool adds) {
  int64_t vectors = padded(width) / lanes;
  while (vectors > 0) {
    const int64_t some = vectors == 4 ? 2 : std::min<int64_t>(vectors, tileVectors);
    if (some == 3) stripe<3>(a, rows, b, bStride, depth, c, cStride, adds);
    if (some == 2) stripe<2>(a, rows, b, bStride, depth, c, cStride, adds);
    if (some == 1) stripe<1>(a, rows, b, bStride, depth, c, cStride, adds);
    b += some * lanes;
    c += some * lanes;
    vectors -= some;
  }
}

}  // namespace contrafact
