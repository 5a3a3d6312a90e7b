/* x86-64 with AVX2 and FMA. */
#include "_kernel.h"
#if defined(__x86_64__)
#include <immintrin.h>
#define KERNEL_AVX2
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#include "_kernel_impl.h"
const struct kernel kernel_avx2 = {"avx2", run, distances};
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
