#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "kernels.h"
#include "vector.h"

namespace contrafact {
namespace {

// What a thread has read and not yet written stays in its second cache.
constexpr int64_t floatsAtOnce = 1 << 17;
constexpr int64_t halvesAtOnce = 1 << 14;
constexpr int64_t rowsAtLeast = 64;

constexpr int side = packetSide;

class File {
 public:
  explicit File(const char* path) : file_(open(path, O_RDONLY | O_CLOEXEC)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (file_ >= 0) close(file_);
  }

  /** All bytes from a place on, or false. */
  bool fill(void* to, int64_t bytes, int64_t from) const {
    for (char* at = static_cast<char*>(to); bytes > 0;) {
      const ssize_t got = pread(file_, at, bytes, from);
      if (got <= 0) return false;
      at += got, from += got, bytes -= got;
    }
    return true;
  }

 private:
  const int file_;
};

template <typename Half>
void widen(const uint16_t* halves, int64_t count, float* to) {
  using Halves = Eigen::Map<const Eigen::Array<Half, Eigen::Dynamic, 1>>;
  Numbers(to, count) = Halves(reinterpret_cast<const Half*>(halves), count).template cast<float>();
}

/** So many numbers from the `first` on. */
bool read(const File& file, const Stored& stored, int64_t first, int64_t count, float* to) {
  if (stored.precision == Precision::f32) return file.fill(to, 4 * count, stored.begin + 4 * first);
  uint16_t halves[halvesAtOnce];
  for (int64_t done = 0; done < count; done += halvesAtOnce) {
    const int64_t some = std::min(halvesAtOnce, count - done);
    if (!file.fill(halves, 2 * some, stored.begin + 2 * (first + done))) return false;
    if (stored.precision == Precision::f16) widen<Eigen::half>(halves, some, to + done);
    else widen<Eigen::bfloat16>(halves, some, to + done);
  }
  return true;
}

/** Where a number `i · taps + k` of a row goes to: row `k · in + i`. */
struct Turned {
  int64_t in, taps, out;
  float* y;
  float* row(int64_t column) const { return y + (column % taps * in + column / taps) * out; }
};

/** Past the caches where the processor can: what is written is not read soon, and fetching it first would double the traffic. */
inline void storePast(float* to, const Packet& numbers) {
#ifdef __AVX512F__
  if (reinterpret_cast<uintptr_t>(to) % sizeof(Packet) == 0) return _mm512_stream_ps(to, numbers);
#endif
  Eigen::internal::pstoreu(to, numbers);
}

/** A block of rows, each `stride` floats after the other, to columns of `turned` from `row` on. */
void turn(const float* block, int64_t stride, int64_t rows, int64_t columns, int64_t row, int64_t column,
          const Turned& turned) {
  for (int64_t c = 0; c < columns; c += side) {
    const int64_t across = std::min<int64_t>(side, columns - c);
    float* to[side];
    for (int64_t j = 0; j < across; j++) to[j] = turned.row(column + c + j) + row;
    for (int64_t r = 0; r < rows; r += side) {
      const float* from = block + r * stride + c;
      if (across == side && r + side <= rows) {
        turnSquare(from, stride, [&](int j, const Packet& numbers) { storePast(to[j] + r, numbers); });
      } else {
        for (int64_t i = 0; i < std::min<int64_t>(side, rows - r); i++)
          for (int64_t j = 0; j < across; j++) to[j][r + i] = from[i * stride + j];
      }
    }
  }
}

int64_t parts(int64_t of, int64_t each) { return (of + each - 1) / each; }

}  // namespace

bool readParameter(const Parallel& parallel, const char* path, const Stored& stored, float* y) {
  const File file(path);
  std::atomic<bool> whole{true};
  const int64_t width = stored.in * stored.taps, size = stored.out * width;
  if (stored.out == 1 || width == 1) {
    parallel(parts(size, floatsAtOnce), floatsAtOnce, [&](int64_t begin, int64_t finish) {
      const int64_t first = begin * floatsAtOnce, end = std::min(size, finish * floatsAtOnce);
      if (!read(file, stored, first, end - first, y + first)) whole = false;
    });
    return whole;
  }
  const int64_t rows = std::max(rowsAtLeast, floatsAtOnce / width / side * side);
  const int64_t columns = std::min(width, floatsAtOnce / rows);
  const int64_t across = parts(width, columns);
  parallel(parts(stored.out, rows) * across, 2 * rows * columns, [&](int64_t begin, int64_t finish) {
    Eigen::ArrayXf block(rows * columns);
    for (int64_t i = begin; i < finish && whole; i++) {
      const int64_t row = i / across * rows, some = std::min(rows, stored.out - row);
      const int64_t column = i % across * columns, few = std::min(columns, width - column);
      if (few == width) {
        if (!read(file, stored, row * width, some * width, block.data())) whole = false;
      } else {
        for (int64_t r = 0; r < some; r++)
          if (!read(file, stored, (row + r) * width + column, few, block.data() + r * few)) whole = false;
      }
      if (whole) turn(block.data(), few, some, few, row, column, {stored.in, stored.taps, stored.out, y});
    }
  });
  return whole;
}

}  // namespace contrafact
