#include "kernels.h"
#include "vector.h"

namespace contrafact {

void adamW(int64_t size, const AdamW& by, const float* parameter, const float* gradient, const float* mean,
           const float* square, float* nextParameter, float* nextMean, float* nextSquare) {
  const Constants g(gradient, size);
  Numbers m(nextMean, size), v(nextSquare, size);
  m = Constants(mean, size) * by.beta1 + g * (1 - by.beta1);
  v = Constants(square, size) * by.beta2 + g.square() * (1 - by.beta2);
  Numbers(nextParameter, size) = Constants(parameter, size) * by.keep - m * by.rate / (v.sqrt() + by.epsilon);
}

void mix(int64_t size, float ofA, const float* a, float ofB, const float* b, float* y) {
  Numbers(y, size) = Constants(a, size) * ofA + Constants(b, size) * ofB;
}

}  // namespace contrafact
