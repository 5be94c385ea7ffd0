#include <algorithm>

#include "kernels.h"
#include "vector.h"

namespace contrafact {

double sumOfSquares(int64_t size, const float* x) {
  // Blocks of float32, as many as lose nothing worth having, are added up in double.
  constexpr int64_t block = 1 << 12;
  double sum = 0;
  for (int64_t first = 0; first < size; first += block)
    sum += Constants(x + first, std::min(block, size - first)).square().sum();
  return sum;
}

void sumRows(const Parallel& parallel, int64_t rows, int64_t width, const float* x, float* y) {
  constexpr int64_t stretch = 256;
  const int64_t parts = (rows + stretch - 1) / stretch;
  Eigen::ArrayXXf shares(width, parts);
  parallel(parts, stretch * width, [&](int64_t begin, int64_t finish) {
    for (int64_t part = begin; part < finish; part++) {
      auto share = shares.col(part);
      share.setZero();
      for (int64_t row = part * stretch; row < std::min(rows, (part + 1) * stretch); row++)
        share += Constants(x + row * width, width);
    }
  });
  Numbers(y, width) = shares.rowwise().sum();
}

}  // namespace contrafact
