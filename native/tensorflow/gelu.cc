#include "kernels.h"
#include "vector.h"

namespace contrafact {

void gelu(const Parallel& parallel, int64_t size, const float* x, float* y) {
  parallel(size, 8, [&](int64_t first, int64_t end) {
    const Constants b(x + first, end - first);
    Numbers(y + first, end - first) = b * normalCdf(b);
  });
}

void geluGrad(const Parallel& parallel, int64_t size, const float* dy, const float* x, float* dx) {
  parallel(size, 16, [&](int64_t first, int64_t end) {
    const Constants d(dy + first, end - first), b(x + first, end - first);
    Numbers(dx + first, end - first) = d * (normalCdf(b) + b * normalDensity(b));
  });
}

void geglu(const Parallel& parallel, int64_t rows, int64_t width, const float* x, float* y) {
  parallel(rows, 8 * width, [&](int64_t first, int64_t end) {
    for (int64_t row = first; row < end; row++) {
      const Constants a(x + 2 * row * width, width), b(x + (2 * row + 1) * width, width);
      Numbers(y + row * width, width) = a * b * normalCdf(b);
    }
  });
}

void gegluGrad(const Parallel& parallel, int64_t rows, int64_t width, const float* dy, const float* x, float* dx) {
  parallel(rows, 24 * width, [&](int64_t first, int64_t end) {
    for (int64_t row = first; row < end; row++) {
      const Constants d(dy + row * width, width);
      const Constants a(x + 2 * row * width, width), b(x + (2 * row + 1) * width, width);
      Numbers da(dx + 2 * row * width, width), db(dx + (2 * row + 1) * width, width);
      // Φ(b) is kept where da goes until db is done.
      da = normalCdf(b);
      db = d * a * (da + b * normalDensity(b));
      da *= d * b;
    }
  });
}

}  // namespace contrafact
