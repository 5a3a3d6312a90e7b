/* x86-64 with AVX-512 (F and DQ). */
#include "_kernel.h"
#if defined(__x86_64__)
#include <immintrin.h>
#define KERNEL_AVX512
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512dq,avx2,fma")
#endif
#include "_kernel_impl.h"
const struct kernel kernel_avx512 = {"avx512", run, distances};
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
