#include "kernels.h"
#include "vector.h"

namespace contrafact {

void adamW(const Parallel& parallel, int64_t size, const AdamW& by, const float* parameter, const float* gradient,
           const float* mean, const float* square, float* nextParameter, float* nextMean, float* nextSquare) {
  parallel(size, 4, [&](int64_t first, int64_t end) {
    const int64_t count = end - first;
    const Constants g(gradient + first, count);
    Numbers m(nextMean + first, count), v(nextSquare + first, count);
    m = Constants(mean + first, count) * by.beta1 + g * (1 - by.beta1);
    v = Constants(square + first, count) * by.beta2 + g.square() * (1 - by.beta2);
    Numbers(nextParameter + first, count) =
        Constants(parameter + first, count) * by.keep - m * by.rate / (v.sqrt() + by.epsilon);
  });
}

void mix(const Parallel& parallel, int64_t size, float ofA, const float* a, float ofB, const float* b, float* y) {
  parallel(size, 1, [&](int64_t first, int64_t end) {
    const int64_t count = end - first;
    Numbers(y + first, count) = Constants(a + first, count) * ofA + Constants(b + first, count) * ofB;
  });
}

}  // namespace contrafact
