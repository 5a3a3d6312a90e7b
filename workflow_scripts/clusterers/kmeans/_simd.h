/* Vectors of single-precision numbers for each instruction set, with the vector extensions of GCC and Clang.
 * Each kernel includes this file once, with KERNEL_AVX512, KERNEL_AVX2 or neither defined.
 */
#if defined(KERNEL_AVX512)
#define LANES 16
#define MAX_BLOCK 12 /* centres swept at once: 2 * 12 accumulators in 32 registers */
#elif defined(KERNEL_AVX2)
#define LANES 8
#define MAX_BLOCK 6
#else
#define LANES 4
#if defined(__aarch64__)
#define MAX_BLOCK 12
#else
#define MAX_BLOCK 6
#endif
#endif

#if defined(KERNEL_AVX512) || defined(KERNEL_AVX2)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

typedef float vfloat __attribute__((vector_size(4 * LANES)));
typedef int32_t vint __attribute__((vector_size(4 * LANES)));
typedef double vdouble __attribute__((vector_size(4 * LANES)));

INLINE vfloat splat(float x) { return (vfloat){0} + x; }
INLINE vfloat load(const float *p) { return *(const vfloat *)p; }
INLINE void store(float *p, vfloat x) { *(vfloat *)p = x; }
INLINE vint load_int(const int32_t *p) { return *(const vint *)p; }
INLINE void store_int(int32_t *p, vint x) { *(vint *)p = x; }

#if defined(KERNEL_AVX512)

typedef __mmask16 vmask;
INLINE vmask less(vfloat a, vfloat b) { return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_LT_OQ); }
INLINE vmask differ(vint a, vint b) { return _mm512_cmpneq_epi32_mask((__m512i)a, (__m512i)b); }
INLINE vint select_int(vmask m, vint a, vint b) { return (vint)_mm512_mask_blend_epi32(m, (__m512i)b, (__m512i)a); }
INLINE vfloat min(vfloat a, vfloat b) { return (vfloat)_mm512_min_ps((__m512)a, (__m512)b); }
INLINE vfloat max(vfloat a, vfloat b) { return (vfloat)_mm512_max_ps((__m512)a, (__m512)b); }
INLINE uint32_t bits(vmask m) { return m; }

#else

typedef vint vmask;
INLINE vmask less(vfloat a, vfloat b) { return a < b; }
INLINE vmask differ(vint a, vint b) { return a != b; }
INLINE vint select_int(vmask m, vint a, vint b) { return (a & m) | (b & ~m); }
#if defined(KERNEL_AVX2)
INLINE vfloat min(vfloat a, vfloat b) { return (vfloat)_mm256_min_ps((__m256)a, (__m256)b); }
INLINE vfloat max(vfloat a, vfloat b) { return (vfloat)_mm256_max_ps((__m256)a, (__m256)b); }
INLINE uint32_t bits(vmask m) { return (uint32_t)_mm256_movemask_ps((__m256)m); }
#else
INLINE vfloat min(vfloat a, vfloat b) { return (vfloat)select_int(a < b, (vint)a, (vint)b); }
INLINE vfloat max(vfloat a, vfloat b) { return (vfloat)select_int(a > b, (vint)a, (vint)b); }
INLINE uint32_t bits(vmask m)
{
    uint32_t out = 0;
    for (int lane = 0; lane < LANES; lane++) out |= (uint32_t)(m[lane] & 1) << lane;
    return out;
}
#endif

#endif

#if defined(KERNEL_AVX512)
INLINE float sum_lanes(vfloat x) { return _mm512_reduce_add_ps((__m512)x); }
#else
INLINE float sum_lanes(vfloat x)
{
    float total = 0;
    for (int lane = 0; lane < LANES; lane++) total += x[lane];
    return total;
}
#endif
