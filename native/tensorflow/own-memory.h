#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "tensorflow/core/framework/allocator.h"

namespace contrafact {

/**
 * Memory for what lives long, from the system: in large pages where there are any, for handing out small ones takes as long as
 * filling them. What is freed is the system's to take, and is used again if it has not been: clean pages cost as much again.
 */
class OwnMemory : public tensorflow::Allocator {
 public:
  std::string Name() override { return "contrafact"; }

  void* AllocateRaw(size_t, size_t bytes) override {
    const size_t length = roundUp(bytes + before, smallPage);
    const uintptr_t kept = takeKept(length), begin = kept ? kept : fresh(length);
    if (!begin) return nullptr;
    *reinterpret_cast<size_t*>(begin) = length;
    return reinterpret_cast<void*>(begin + before);
  }

  void DeallocateRaw(void* numbers) override {
    void* begin = static_cast<char*>(numbers) - before;
    const size_t length = *static_cast<size_t*>(begin);
#ifdef MADV_FREE
    if (madvise(begin, length, MADV_FREE) == 0) {
      const std::lock_guard<std::mutex> alone(mutex_);
      kept_.emplace(length, reinterpret_cast<uintptr_t>(begin));
      return;
    }
#endif
    munmap(begin, length);
  }

 private:
  static constexpr size_t smallPage = 1 << 12, largePage = 1 << 21;
  // For the length, and so that the numbers begin where a vector may.
  static constexpr size_t before = 64;

  std::mutex mutex_;
  std::multimap<size_t, uintptr_t> kept_;

  uintptr_t takeKept(size_t length) {
    const std::lock_guard<std::mutex> alone(mutex_);
    const auto found = kept_.find(length);
    if (found == kept_.end()) return 0;
    const uintptr_t begin = found->second;
    kept_.erase(found);
    return begin;
  }

  static uintptr_t fresh(size_t length) {
    void* mapped = mmap(nullptr, length + largePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return 0;
    const uintptr_t got = reinterpret_cast<uintptr_t>(mapped), begin = roundUp(got, largePage);
    if (begin > got) munmap(mapped, begin - got);
    munmap(reinterpret_cast<void*>(begin + length), got + largePage - begin);
#ifdef MADV_HUGEPAGE
    madvise(reinterpret_cast<void*>(begin), length, MADV_HUGEPAGE);
#endif
    return begin;
  }

  static constexpr size_t roundUp(size_t n, size_t to) { return (n + to - 1) / to * to; }
};

}  // namespace contrafact
