/* Many independent Lloyd runs on data that stays in the cache: the types that the kernels and their caller share.
 *
 * Points are stored twice: row by row in double precision, and in single precision in tiles of TILE points with the
 * points along the SIMD lanes. A sweep in single precision proposes the nearest centre of every point and its margin to
 * the second nearest. If the margin is below the bound of the rounding error, the point is settled in double precision.
 * So every label is the one that double precision gives, with any instruction set and any cache.
 */
#ifndef CLUSTERGRID_KMEANS_KERNEL_H
#define CLUSTERGRID_KMEANS_KERNEL_H

#include <stdint.h>

#define TILE 32      /* points in a tile; the last tile is filled up with zeros */
#define MAX_SIDE_BY_SIDE 8
#define ROW_PAD 8    /* rows of doubles are padded with zeros to a multiple of this */

/* The data that all restarts share. The caller (native.py) owns all arrays. */
struct points {
    int64_t n, d;           /* number of points and of features */
    int64_t stride;         /* d rounded up to ROW_PAD: doubles from one row to the next */
    int64_t tiles;          /* ceil(n / TILE) */
    double scatter;         /* sum of the squared norms */
    const double *rows;     /* (n, stride), centred */
    const float *tiled;     /* (tiles, d, TILE), the same points in single precision */
    const float *norm;      /* (tiles * TILE,), rounded up */
    const float *distance;  /* (n, tiles * TILE) squared distances, or NULL when not cached */
    const float *gram;      /* (n, tiles * TILE) inner products, rounded once from double, or NULL */
    const float *heads;     /* (tiles, width, TILE), leading features and the norm of the others, rounded up; or NULL */
    int64_t width;
};

/* A batch of restarts. Exactly one of `draws`, `start_points` and `start_centers` is not NULL. */
struct batch {
    int64_t restarts, k;
    int64_t trials;               /* candidates of k-means++ for each centre; 1 is the plain method */
    int64_t max_iter;
    int64_t keep_products;        /* keep (n, k) inner products from one iteration to the next */
    int64_t side_by_side;         /* restarts in flight, at most MAX_SIDE_BY_SIDE */
    double tol;                   /* stop when the summed squared movement of the centres is at most this */
    const double *draws;          /* (restarts, 1 + (k - 1) * trials) uniform numbers in [0, 1) */
    const int32_t *start_points;  /* (restarts, k) points to start from */
    const double *start_centers;  /* (restarts, k, stride) centres to start from */
    const int32_t *stop;          /* another thread sets this to non-zero to abandon the batch */
    double *inertia;              /* (restarts,) out */
    int32_t *n_iter;              /* (restarts,) out */
    uint8_t *converged;           /* (restarts,) out */
    void *labels;                 /* (restarts, n) out, or (1, n) of the best restart only */
    int64_t label_bytes;          /* 1, 2 or 4 */
    int64_t keep_all;             /* labels of all restarts, or of the best only */
    double *best_centers;         /* (k, stride) out, of the best restart */
    int64_t *settled;             /* out: number of points settled in double precision */
};

/* The functions of one instruction set. Both return 0, or -1 if memory runs out. */
struct kernel {
    const char *name;
    int (*run)(const struct points *, const struct batch *);
    int (*distances)(const struct points *, int64_t first, int64_t count, float *out);
};

#endif
