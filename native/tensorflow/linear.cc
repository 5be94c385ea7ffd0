#include "kernels.h"
#include "product.h"

namespace contrafact {
namespace {

// A block of the weights, copied panel by panel to where it lies closely, stays in the second cache while all rows meet it.
constexpr int64_t rowsAtOnce = 512, depthAtOnce = 192, panelsAtOnce = 4;
constexpr int64_t panelWidth = tileVectors * lanes, rowsAhead = 8;

/** `depth` rows of `columns` weights as panels of `panelWidth`, one after the other. */
void pack(const float* weight, int64_t stride, int64_t depth, int64_t columns, float* panels) {
  for (int64_t p = 0; p < depth; p++) {
    const float* from = weight + p * stride;
    // The next rows lie pages away, where the processor does not look ahead by itself.
    for (int64_t j = 0; j < columns; j += 16) __builtin_prefetch(from + rowsAhead * stride + j);
    int64_t j = 0;
    for (; j + panelWidth <= columns; j += panelWidth)
      for (int64_t k = 0; k < panelWidth; k += lanes) store(panels + j * depth + p * panelWidth + k, load(from + j + k));
    std::copy_n(from + j, columns - j, panels + j * depth + p * panelWidth);
  }
}

}  // namespace

// Goto & van de Geijn 2008, with what meets the rows copied and the rows read where they are.
void linear(const Parallel& parallel, const Linear& of, const float* x, const float* weight, const float* bias,
            float* y) {
  const int64_t width = panelWidth * std::min(panelsAtOnce, (of.out + panelWidth - 1) / panelWidth);
  const int64_t across = (of.out + width - 1) / width, blocks = (of.rows + rowsAtOnce - 1) / rowsAtOnce;
  const int64_t cycles = std::min(of.rows, rowsAtOnce) * of.width * width / 32;
  parallel(across * blocks, cycles, [&](int64_t begin, int64_t finish) {
    Eigen::ArrayXf panels(std::min(depthAtOnce, of.width) * width);
    Rows results;
    for (int64_t i = begin; i < finish; i++) {
      const int64_t row = i / across * rowsAtOnce, rows = std::min(rowsAtOnce, of.rows - row);
      const int64_t column = i % across * width, columns = std::min(width, of.out - column);
      // Results are stored as whole vectors: where those would reach into the next row, beside.
      const bool isWhole = columns % lanes == 0;
      if (!isWhole) results.resize(rows, columns);
      float* c = isWhole ? y + row * of.out + column : results.row(0);
      const int64_t stride = isWhole ? of.out : results.stride();
      for (int64_t r = 0; r < rows; r++) std::copy_n(bias + column, columns, c + r * stride);
      for (int64_t first = 0; first < of.width; first += depthAtOnce) {
        const int64_t depth = std::min(depthAtOnce, of.width - first);
        pack(weight + first * of.out + column, of.out, depth, columns, panels.data());
        for (int64_t j = 0; j < columns; j += panelWidth)
          product({x + row * of.width + first, of.width, 1}, rows, panels.data() + j * depth, panelWidth, depth,
                  std::min(panelWidth, columns - j), c + j, stride, true);
      }
      if (isWhole) continue;
      for (int64_t r = 0; r < rows; r++) std::copy_n(c + r * stride, columns, y + (row + r) * of.out + column);
    }
  });
}

}  // namespace contrafact
