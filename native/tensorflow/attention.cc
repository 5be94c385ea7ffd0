#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels.h"
#include "product.h"
#include "vector.h"

// Dao et al. 2022, "FlashAttention": the scores of a block of queries and keys are made, used and forgotten in the cache.
namespace contrafact {
namespace {

constexpr int64_t queriesAtOnce = 64;
constexpr int64_t keysAtOnce = 512;
constexpr float infinity = std::numeric_limits<float>::infinity();

/** One head of one sample, in arrays of all. */
struct Map {
  const Heads& heads;
  int64_t sample, head;

  Map(const Heads& all, int64_t i) : heads(all), sample(i / all.heads), head(i % all.heads) {}
  int64_t depth() const { return heads.channels / heads.heads; }
  /** Where the head's channels of a token are, of so many tokens to a sample. */
  int64_t at(int64_t tokens, int64_t token) const {
    return (sample * tokens + token) * heads.channels + head * depth();
  }
  const float* query(const float* all, int64_t i) const { return all + at(heads.queries, i); }
  const float* key(const float* all, int64_t i) const { return all + at(heads.keys, i); }
};

/** A head's channels of all keys, a row for each. */
void gather(const Map& map, const float* all, Rows& rows) {
  rows.clear(map.heads.keys, map.depth());
  for (int64_t i = 0; i < map.heads.keys; i++) std::copy_n(map.key(all, i), map.depth(), rows.row(i));
}

/** The same turned: a row for each channel. */
void gatherTurned(const Map& map, const float* all, Rows& rows) {
  rows.clear(map.depth(), map.heads.keys);
  for (int64_t i = 0; i < map.heads.keys; i++) {
    const float* from = map.key(all, i);
    for (int64_t c = 0; c < map.depth(); c++) rows.row(c)[i] = from[c];
  }
}

/** Some queries and the keys that they meet at a time. */
struct Block {
  int64_t query, queries, key, keys;
};

/** `work(block)` for every stretch of keys that the queries from `first` on may see. */
template <typename Work>
void overKeys(const Heads& heads, int64_t first, int64_t queries, const Work& work) {
  const int64_t end = heads.causal ? std::min(heads.keys, first + queries) : heads.keys;
  for (int64_t key = 0; key < end; key += keysAtOnce)
    work(Block{first, queries, key, std::min(keysAtOnce, end - key)});
}

/** The scores of a block; what is no key, or one later than a query may see, counts as infinitely unlike it. */
void scoresOf(const Map& map, const Block& block, const float* q, const Rows& turnedKeys, Rows& scores) {
  const Elements queries{map.query(q, block.query), map.heads.channels, 1};
  product(queries, block.queries, turnedKeys.row(0) + block.key, turnedKeys.stride(), map.depth(), block.keys,
          scores.row(0), scores.stride(), false);
  for (int64_t i = 0; i < block.queries; i++) {
    const int64_t place = std::max<int64_t>(0, block.query + i + 1 - block.key);
    const int64_t seen = map.heads.causal ? std::min(place, block.keys) : block.keys;
    std::fill(scores.row(i) + seen, scores.row(i) + padded(block.keys), -infinity);
  }
}

/** `exp(scale s − peak)` in place of `s`, and its sum. */
float exponentials(float* scores, int64_t keys, float scale, float peak) {
  Vector sum{};
  for (int64_t key = 0; key < keys; key += lanes) {
    const Vector e = expOfNegative(load(scores + key) * scale - peak);
    store(scores + key, e);
    sum += e;
  }
  return sumOf(sum);
}

}  // namespace

void attention(const Parallel& parallel, const Heads& heads, const float* q, const float* k, const float* v,
               float* out, float* logSums) {
  const int64_t blocks = (heads.queries + queriesAtOnce - 1) / queriesAtOnce;
  const int64_t cycles = queriesAtOnce * heads.keys * (heads.channels / heads.heads) / 8;
  parallel(heads.batch * heads.heads * blocks, cycles, [&](int64_t begin, int64_t finish) {
    Rows turnedKeys, values, scores, mixed;
    scores.resize(queriesAtOnce, keysAtOnce);
    Eigen::ArrayXf largest, sums;
    for (int64_t i = begin; i < finish; i++) {
      const Map map(heads, i / blocks);
      if (i == begin || i % blocks == 0) {
        gatherTurned(map, k, turnedKeys);
        gather(map, v, values);
      }
      const int64_t first = i % blocks * queriesAtOnce, queries = std::min(queriesAtOnce, heads.queries - first);
      mixed.clear(queries, map.depth());
      largest.setConstant(queries, -infinity);
      sums.setZero(queries);
      overKeys(heads, first, queries, [&](const Block& block) {
        scoresOf(map, block, q, turnedKeys, scores);
        for (int64_t row = 0; row < queries; row++) {
          const float most = Constants(scores.row(row), block.keys).maxCoeff();
          const float peak = std::max(largest[row], most * heads.scale);
          const float correction = std::exp(largest[row] - peak);
          sums[row] = sums[row] * correction + exponentials(scores.row(row), block.keys, heads.scale, peak);
          largest[row] = peak;
          if (block.key > 0 && correction != 1) Numbers(mixed.row(row), map.depth()) *= correction;
        }
        product({scores.row(0), scores.stride(), 1}, queries, values.row(block.key), values.stride(), block.keys,
                map.depth(), mixed.row(0), mixed.stride(), true);
      });
      for (int64_t row = 0; row < queries; row++)
        Numbers(out + map.at(heads.queries, first + row), map.depth()) =
            Constants(mixed.row(row), map.depth()) / sums[row];
      Numbers(logSums + (i / blocks) * heads.queries + first, queries) = largest + sums.log();
    }
  });
}

void attentionGrad(const Parallel& parallel, const Heads& heads, const float* dOut, const float* q, const float* k,
                   const float* v, const float* out, const float* logSums, float* dq, float* dk, float* dv) {
  const int64_t cycles = heads.queries * heads.keys * (heads.channels / heads.heads) / 3;
  parallel(heads.batch * heads.heads, cycles, [&](int64_t begin, int64_t finish) {
    Rows keys, turnedKeys, turnedValues, probabilities, dScores, queryRows, dRows, dQueries, dKeys, dValues;
    probabilities.resize(queriesAtOnce, keysAtOnce);
    dScores.resize(queriesAtOnce, keysAtOnce);
    Eigen::ArrayXf own(queriesAtOnce);
    for (int64_t i = begin; i < finish; i++) {
      const Map map(heads, i);
      const int64_t depth = map.depth();
      gather(map, k, keys);
      gatherTurned(map, k, turnedKeys);
      gatherTurned(map, v, turnedValues);
      dKeys.clear(heads.keys, depth);
      dValues.clear(heads.keys, depth);
      for (int64_t first = 0; first < heads.queries; first += queriesAtOnce) {
        const int64_t queries = std::min(queriesAtOnce, heads.queries - first);
        queryRows.resize(queries, depth);
        dRows.resize(queries, depth);
        dQueries.clear(queries, depth);
        for (int64_t row = 0; row < queries; row++) {
          std::copy_n(map.query(q, first + row), depth, queryRows.row(row));
          std::copy_n(map.query(dOut, first + row), depth, dRows.row(row));
          own[row] = (Constants(dRows.row(row), depth) * Constants(map.query(out, first + row), depth)).sum();
        }
        overKeys(heads, first, queries, [&](const Block& block) {
          scoresOf(map, block, q, turnedKeys, probabilities);
          product({dRows.row(0), dRows.stride(), 1}, queries, turnedValues.row(0) + block.key, turnedValues.stride(),
                  depth, block.keys, dScores.row(0), dScores.stride(), false);
          for (int64_t row = 0; row < queries; row++) {
            const Numbers p(probabilities.row(row), block.keys);
            Numbers dS(dScores.row(row), block.keys);
            exponentials(probabilities.row(row), block.keys, heads.scale, logSums[i * heads.queries + first + row]);
            dS = p * (dS - own[row]) * heads.scale;
          }
          const Elements turnedP{probabilities.row(0), 1, probabilities.stride()};
          const Elements turnedDS{dScores.row(0), 1, dScores.stride()};
          product(turnedP, block.keys, dRows.row(0), dRows.stride(), queries, depth, dValues.row(block.key),
                  dValues.stride(), true);
          product(turnedDS, block.keys, queryRows.row(0), queryRows.stride(), queries, depth, dKeys.row(block.key),
                  dKeys.stride(), true);
          product({dScores.row(0), dScores.stride(), 1}, queries, keys.row(block.key), keys.stride(), block.keys, depth,
                  dQueries.row(0), dQueries.stride(), true);
        });
        for (int64_t row = 0; row < queries; row++)
          std::copy_n(dQueries.row(row), depth, dq + map.at(heads.queries, first + row));
      }
      for (int64_t key = 0; key < heads.keys; key++) {
        std::copy_n(dKeys.row(key), depth, dk + map.at(heads.keys, key));
        std::copy_n(dValues.row(key), depth, dv + map.at(heads.keys, key));
      }
    }
  });
}

}  // namespace contrafact
