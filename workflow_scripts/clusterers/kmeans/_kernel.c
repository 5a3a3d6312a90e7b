/* Entry points: the kernels that this processor can run, the fastest first. */
#include <stddef.h>

#include "_kernel.h"

/* Of the C sources and headers: native.py takes no library that was compiled from others than those beside it. */
const char kmeans_sources[] = SOURCES_DIGEST;

extern const struct kernel kernel_base;
#if defined(__x86_64__)
extern const struct kernel kernel_avx512, kernel_avx2;
#endif

static int supported(const struct kernel **out)
{
    int count = 0;
#if defined(__x86_64__)
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) out[count++] = &kernel_avx512;
    if (avx2) out[count++] = &kernel_avx2;
#endif
    out[count++] = &kernel_base;
    return count;
}

/* The kernel of this rank, 0 the fastest; NULL when there are no more. */
const struct kernel *kmeans_kernel(int rank)
{
    const struct kernel *kernels[3];
    return rank < supported(kernels) ? kernels[rank] : NULL;
}
