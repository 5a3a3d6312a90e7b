/* Entry points: the kernels that this processor can run, the fastest first. */
#include <stddef.h>

#include "_kernel.h"

/* Digest of the C sources and headers. native.py refuses a library that was compiled from other sources. */
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

/* Return the kernel of this rank, 0 for the fastest; NULL if there is none. */
const struct kernel *kmeans_kernel(int rank)
{
    const struct kernel *kernels[3];
    return rank < supported(kernels) ? kernels[rank] : NULL;
}
