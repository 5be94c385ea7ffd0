#include "kernels.h"
#include "vector.h"

namespace contrafact {

void swish(const Parallel& parallel, int64_t size, float s, const float* x, float* y) {
  parallel(size, 6, [&](int64_t first, int64_t end) {
    const Constants in(x + first, end - first);
    Numbers(y + first, end - first) = in * logistic(s * in);
  });
}

void swishGrad(const Parallel& parallel, int64_t size, float s, const float* dy, const float* x, float* dx) {
  parallel(size, 10, [&](int64_t first, int64_t end) {
    const Constants d(dy + first, end - first), in(x + first, end - first);
    Numbers out(dx + first, end - first);
    out = logistic(s * in);
    out = d * out * (1.0f + s * in * (1.0f - out));
  });
}

}  // namespace contrafact
