#include <cmath>

#include "kernels.h"
#include "vector.h"

namespace contrafact {

void layerNorm(const Parallel& parallel, int64_t rows, int64_t width, float epsilon, const float* x,
               const float* weight, const float* bias, float* y) {
  const Constants w(weight, width), b(bias, width);
  parallel(rows, 2 * width, [&](int64_t first, int64_t end) {
    for (int64_t row = first; row < end; row++) {
      const Constants in(x + row * width, width);
      const float mean = in.mean();
      const float inverse = 1 / std::sqrt((in - mean).square().mean() + epsilon);
      Numbers(y + row * width, width) = (in - mean) * inverse * w + b;
    }
  });
}

// With n the normalised row and dn = dy w: dx = (dn − mean(dn) − n mean(dn n)) / √(σ² + ε).
void layerNormGrad(const Parallel& parallel, int64_t rows, int64_t width, float epsilon, const float* dy,
                   const float* x, const float* weight, float* dx) {
  const Constants w(weight, width);
  parallel(rows, 4 * width, [&](int64_t first, int64_t end) {
    Eigen::ArrayXf n(width);
    for (int64_t row = first; row < end; row++) {
      const Constants d(dy + row * width, width), in(x + row * width, width);
      const float mean = in.mean();
      const float inverse = 1 / std::sqrt((in - mean).square().mean() + epsilon);
      n = (in - mean) * inverse;
      const float average = (d * w).mean(), along = (d * w * n).mean();
      Numbers(dx + row * width, width) = (d * w - average - n * along) * inverse;
    }
  });
}

}  // namespace contrafact
