#include <algorithm>
#include <cmath>

#include "kernels.h"
#include "vector.h"

namespace contrafact {
namespace {

constexpr int words = 624, apart = 397;

/** MT19937 (Matsumoto & Nishimura 1998), every word replaced as soon as it was read. */
class Twister {
 public:
  explicit Twister(uint32_t* state) : index_(state[0]), s_(state + 1) {}

  /** As many whole multiples of 2⁻²⁴ in [0, 1). */
  void fill(float* values, int64_t count) {
    while (count > 0) {
      // Up to where the word that is added to changes sides, so that the loop is one of vectors.
      const int end = index_ < words - apart ? words - apart : index_ < words - 1 ? words - 1 : words;
      const int some = static_cast<int>(std::min<int64_t>(end - index_, count));
      for (int i = 0; i < some; i++) values[i] = static_cast<float>(tempered(s_[index_ + i]) & 0xffffff) * 0x1p-24f;
      if (end == words) {
        s_[index_] = s_[apart - 1] ^ twisted(s_[index_], s_[0]);
        index_ = 0;
      } else {
        uint32_t* const s = s_ + index_;
        const int64_t other = index_ < words - apart ? apart : apart - words;
#pragma GCC ivdep
        for (int i = 0; i < some; i++) s[i] = s[i + other] ^ twisted(s[i], s[i + 1]);
        index_ += some;
      }
      values += some, count -= some;
    }
  }

  uint32_t index() const { return index_; }

 private:
  int index_;
  uint32_t* s_;

  static uint32_t tempered(uint32_t y) {
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
  }
  static uint32_t twisted(uint32_t a, uint32_t b) {
    const uint32_t y = (a & 0x80000000u) | (b & 0x7fffffffu);
    return y >> 1 ^ ((y & 1) ? 0x9908b0dfu : 0u);
  }
};

/** Sixteen uniform numbers to normal ones as torch lays them out (Box & Muller 1958). */
void boxMuller16(float* values) {
  using Doubles = Eigen::Array<double, 8, 1>;
  Eigen::Map<Eigen::Array<float, 8, 1>> first(values), second(values + 8);
  const Doubles radius = (-2 * (1 - first.cast<double>()).log()).sqrt();
  const Doubles angle = 2 * M_PI * second.cast<double>();
  first = (radius * angle.cos()).cast<float>();
  second = (radius * angle.sin()).cast<float>();
}

}  // namespace

void torchNormal(const Parallel& parallel, int64_t size, int32_t* state, float* values) {
  Twister twister(reinterpret_cast<uint32_t*>(state));
  twister.fill(values, size);
  parallel(size / 16, 16 * 12, [&](int64_t first, int64_t end) {
    for (int64_t i = first; i < end; i++) boxMuller16(values + 16 * i);
  });
  if (size % 16 != 0) {
    // A ragged end redraws the last sixteen.
    twister.fill(values + size - 16, 16);
    boxMuller16(values + size - 16);
  }
  state[0] = static_cast<int32_t>(twister.index());
}

}  // namespace contrafact
