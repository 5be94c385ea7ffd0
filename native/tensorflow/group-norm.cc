#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels.h"
#include "vector.h"

namespace contrafact {
namespace {

// A stretch of a sample's pixels is one thread's work; its share of a sum is one row of what is added up afterwards.
constexpr int64_t stretch = 256;
// So many pixels at a time stay in the first cache while they are read twice.
constexpr int64_t bytesAtOnce = 1 << 14;

int64_t stretchesOf(const Groups& of) { return (of.pixels + stretch - 1) / stretch; }

// `work(sample, stretch, first pixel, end)` for every stretch of every sample.
template <typename Work>
void overStretches(const Parallel& parallel, const Groups& of, int64_t cycles, const Work& work) {
  const int64_t each = stretchesOf(of);
  parallel(of.batch * each, cycles * stretch * of.channels, [&](int64_t first, int64_t end) {
    for (int64_t i = first; i < end; i++) {
      const int64_t sample = i / each, part = i % each;
      work(sample, part, part * stretch, std::min(of.pixels, (part + 1) * stretch));
    }
  });
}

struct Moments {
  double count = 0, mean = 0, squares = 0;

  // Chan et al. 1983: nothing is lost where the mean is large beside the deviation.
  void add(const Moments& more) {
    const double total = count + more.count, apart = more.mean - mean;
    mean += apart * more.count / total;
    squares += more.squares + apart * apart * count * more.count / total;
    count = total;
  }
};

}  // namespace

void groupNorm(const Parallel& parallel, const Groups& of, float epsilon, const float* x, const float* weight,
               const float* bias, float* y, float* mean, float* inverse) {
  const int64_t channels = of.channels, width = channels / of.groups, parts = stretchesOf(of);
  const int64_t atOnce = std::max<int64_t>(1, bytesAtOnce / 4 / channels);
  std::vector<Moments> shares(of.batch * parts * of.groups);
  overStretches(parallel, of, 2, [&](int64_t sample, int64_t part, int64_t begin, int64_t finish) {
    const float* pixels = x + sample * of.pixels * channels;
    Moments* share = shares.data() + (sample * parts + part) * of.groups;
    Eigen::ArrayXf sums(channels), centre(channels);
    for (int64_t first = begin; first < finish; first += atOnce) {
      const int64_t end = std::min(finish, first + atOnce);
      const double count = static_cast<double>((end - first) * width);
      sums.setZero();
      for (int64_t p = first; p < end; p++) sums += Constants(pixels + p * channels, channels);
      for (int64_t g = 0; g < of.groups; g++)
        centre.segment(g * width, width).setConstant(sums.segment(g * width, width).sum() / count);
      sums.setZero();
      for (int64_t p = first; p < end; p++) sums += (Constants(pixels + p * channels, channels) - centre).square();
      for (int64_t g = 0; g < of.groups; g++)
        share[g].add({count, centre[g * width], sums.segment(g * width, width).sum()});
    }
  });
  Eigen::ArrayXXf factors(channels, of.batch), terms(channels, of.batch);
  for (int64_t sample = 0; sample < of.batch; sample++) {
    for (int64_t g = 0; g < of.groups; g++) {
      Moments all;
      for (int64_t part = 0; part < parts; part++) all.add(shares[(sample * parts + part) * of.groups + g]);
      const int64_t at = sample * of.groups + g;
      mean[at] = all.mean;
      inverse[at] = 1 / std::sqrt(all.squares / all.count + epsilon);
      for (int64_t c = g * width; c < (g + 1) * width; c++) {
        factors(c, sample) = weight[c] * inverse[at];
        terms(c, sample) = bias[c] - mean[at] * factors(c, sample);
      }
    }
  }
  overStretches(parallel, of, 1, [&](int64_t sample, int64_t, int64_t first, int64_t end) {
    for (int64_t p = first; p < end; p++) {
      const int64_t at = (sample * of.pixels + p) * channels;
      Numbers(y + at, channels) = Constants(x + at, channels) * factors.col(sample) + terms.col(sample);
    }
  });
}

// With n the normalised pixels and ⟨·⟩ the mean over a group: dx = (w dy − ⟨w dy⟩ − n ⟨w dy n⟩) / √(σ² + ε).
void groupNormGrad(const Parallel& parallel, const Groups& of, const float* dy, const float* x, const float* weight,
                   const float* mean, const float* inverse, float* dx, float* dWeight, float* dBias) {
  const int64_t channels = of.channels, width = channels / of.groups, parts = stretchesOf(of);
  const Eigen::Index samples = of.batch;
  // Sums of dy (x − μ) and of dy over the pixels of a stretch.
  Eigen::ArrayXXf products(channels, samples * parts), sums(channels, samples * parts);
  Eigen::ArrayXXf centres(channels, samples);
  for (int64_t i = 0; i < samples * of.groups; i++)
    centres.col(i / of.groups).segment(i % of.groups * width, width).setConstant(mean[i]);
  overStretches(parallel, of, 2, [&](int64_t sample, int64_t part, int64_t first, int64_t end) {
    auto product = products.col(sample * parts + part), sum = sums.col(sample * parts + part);
    product.setZero();
    sum.setZero();
    for (int64_t p = first; p < end; p++) {
      const int64_t at = (sample * of.pixels + p) * channels;
      const Constants d(dy + at, channels);
      product += d * (Constants(x + at, channels) - centres.col(sample));
      sum += d;
    }
  });
  // dx = own dy + along x + constant, a number of each per channel.
  Eigen::ArrayXXf own(channels, samples), along(channels, samples), constant(channels, samples);
  for (int64_t sample = 0; sample < samples; sample++) {
    Numbers product(dWeight + sample * channels, channels), sum(dBias + sample * channels, channels);
    product = products.middleCols(sample * parts, parts).rowwise().sum();
    sum = sums.middleCols(sample * parts, parts).rowwise().sum();
    const Constants w(weight, channels);
    for (int64_t g = 0; g < of.groups; g++) {
      const int64_t i = sample * of.groups + g, at = g * width;
      product.segment(at, width) *= inverse[i];
      const float count = static_cast<float>(of.pixels * width);
      const float ofProducts = (w * product).segment(at, width).sum() / count;
      const float ofSums = (w * sum).segment(at, width).sum() / count;
      const float slope = -inverse[i] * inverse[i] * ofProducts;
      own.col(sample).segment(at, width) = w.segment(at, width) * inverse[i];
      along.col(sample).segment(at, width).setConstant(slope);
      constant.col(sample).segment(at, width).setConstant(-mean[i] * slope - inverse[i] * ofSums);
    }
  }
  overStretches(parallel, of, 2, [&](int64_t sample, int64_t, int64_t first, int64_t end) {
    for (int64_t p = first; p < end; p++) {
      const int64_t at = (sample * of.pixels + p) * channels;
      Numbers(dx + at, channels) = Constants(dy + at, channels) * own.col(sample) +
                                   Constants(x + at, channels) * along.col(sample) + constant.col(sample);
    }
  });
}

}  // namespace contrafact
