#include "kernels.h"

namespace contrafact {

const char* missingInstructions() {
#ifdef __AVX512F__
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl"))
    return "AVX-512";
#endif
#ifdef __AVX2__
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return "AVX2";
#endif
  return nullptr;
}

}  // namespace contrafact
