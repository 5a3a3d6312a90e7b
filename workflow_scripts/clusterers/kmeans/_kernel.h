/* Many independent Lloyd runs on data that stays in the cache: what the kernels and their caller share.
 *
 * Points are stored twice: row by row in double, and in single precision in tiles of TILE points with the points
 * along the SIMD lanes. A single-precision sweep proposes the nearest centre of every point together with its margin
 * to the second nearest; a point whose margin is below the bound of the rounding error is settled in double. So every
 * label is the one that double precision gives, whatever the instruction set and whatever was cached.
 */
#ifndef CLUSTERGRID_KMEANS_KERNEL_H
#define CLUSTERGRID_KMEANS_KERNEL_H

#include <stdint.h>

#define TILE 32      /* points of a tile; the last tile is filled up with zero points */
#define MAX_SIDE_BY_SIDE 4
#define ROW_PAD 8    /* rows of doubles are padded with zeros to a multiple of this */

/* The data, the same for every restart; the caller (native.py) owns all arrays. */
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
};

/* A batch of restarts. Exactly one of `draws`, `start_points` and `start_centers` is not NULL. */
struct batch {
    int64_t restarts, k;
    int64_t trials;               /* candidates of k-means++ for each centre; 1 is the plain method */
    int64_t max_iter;
    int64_t keep_products;        /* keep (n, k) inner products from one iteration to the next */
    int64_t side_by_side;         /* restarts in flight, at most MAX_SIDE_BY_SIDE */
    double tol;                   /* stop when the centres moved by no more than this, summed squares */
    const double *draws;          /* (restarts, 1 + (k - 1) * trials) uniform numbers in [0, 1) */
    const int32_t *start_points;  /* (restarts, k) points to start from */
    const double *start_centers;  /* (restarts, k, stride) centres to start from */
    const int32_t *stop;          /* set to non-zero by another thread to abandon the batch */
    double *inertia;              /* (restarts,) out */
    int32_t *n_iter;              /* (restarts,) out */
    uint8_t *converged;           /* (restarts,) out */
    void *labels;                 /* (restarts, n) out, or (1, n) of the best restart only */
    int64_t label_bytes;          /* 1, 2 or 4 */
    int64_t keep_all;             /* labels of all restarts, or of the best only */
    double *best_centers;         /* (k, stride) out, of the best restart */
    int64_t *settled;             /* out: points that had to be settled in double */
};

/* One instruction set's version. Both return 0, or -1 when memory ran out. */
struct kernel {
    const char *name;
    int (*run)(const struct points *, const struct batch *);
    int (*distances)(const struct points *, int64_t first, int64_t count, float *out);
};

#endif
