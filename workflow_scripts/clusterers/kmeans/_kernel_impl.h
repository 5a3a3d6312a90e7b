/* The kernel, compiled once for each instruction set (see _kernel_avx512.c and its neighbours). */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "_kernel.h"
#include "_simd.h"

#define UNIT 6e-8 /* half the spacing of single precision at 1, rounded up */
#define OPEN 16   /* sweeps of heads end if they leave more than one point in OPEN open */
#define HALVES (TILE / (2 * LANES))

/* ---------------------------------------------------------------- memory: one block, cut into aligned pieces */

struct arena {
    char *base; /* NULL while only the size is computed */
    size_t used;
};

static void *take(struct arena *a, int64_t count, size_t size)
{
    void *piece = a->base ? a->base + a->used : NULL;
    a->used += ((size_t)count * size + 63) / 64 * 64;
    return piece;
}

static char *aligned_block(size_t bytes) { return aligned_alloc(64, (bytes + 63) / 64 * 64); }

/* ---------------------------------------------------------------- double precision, on padded rows */

typedef double vrow __attribute__((vector_size(8 * ROW_PAD))); /* ROW_PAD numbers; rows start at a multiple of its size */

INLINE vrow load_row(const double *p) { return *(const vrow *)p; }
INLINE void store_row(double *p, vrow x) { *(vrow *)p = x; }

INLINE double sum_row(vrow x) { return ((x[0] + x[4]) + (x[1] + x[5])) + ((x[2] + x[6]) + (x[3] + x[7])); }

static double squared_distance(const double *a, const double *b, int64_t stride)
{
    vrow total = {0};
    for (int64_t f = 0; f < stride; f += ROW_PAD) {
        vrow gap = load_row(a + f) - load_row(b + f);
        total += gap * gap;
    }
    return sum_row(total);
}

static void add_row(double *sum, const double *row, int64_t stride)
{
    for (int64_t f = 0; f < stride; f += ROW_PAD) store_row(sum + f, load_row(sum + f) + load_row(row + f));
}

/* `next` is the row that is needed after this one. Rows are scattered in memory, so the processor cannot guess it. */
static void move_row(double *from, double *to, const double *row, const double *next, int64_t stride)
{
    for (int64_t f = 0; f < stride; f += ROW_PAD) {
        __builtin_prefetch(next + f);
        vrow x = load_row(row + f);
        store_row(from + f, load_row(from + f) - x);
        store_row(to + f, load_row(to + f) + x);
    }
}

/* ---------------------------------------------------------------- single precision: a tile against a few centres
 * `count` is a constant at each call, so that the accumulators stay in registers.
 * `panel` holds the centres feature by feature: (d, count).
 */

INLINE void products_block(const int count, const float *x, int64_t d, const float *panel, float *const *out)
{
    vfloat acc0[MAX_BLOCK], acc1[MAX_BLOCK];
#pragma GCC unroll 12
    for (int j = 0; j < count; j++) acc0[j] = acc1[j] = splat(0);
    for (int64_t f = 0; f < d; f++, x += TILE, panel += count) {
        vfloat x0 = load(x), x1 = load(x + LANES);
        __builtin_prefetch(x + d * TILE); /* the next tile */
        __builtin_prefetch(x + d * TILE + LANES);
#pragma GCC unroll 12
        for (int j = 0; j < count; j++) {
            acc0[j] += x0 * panel[j];
            acc1[j] += x1 * panel[j];
        }
    }
#pragma GCC unroll 12
    for (int j = 0; j < count; j++) {
        store(out[j], acc0[j]);
        store(out[j] + LANES, acc1[j]);
    }
}

/* The same for squared distances, computed from differences: nothing cancels, duplicates have distance zero. */
INLINE void distances_block(const int count, const float *x, int64_t d, const float *panel, float *const *out)
{
    vfloat acc0[MAX_BLOCK], acc1[MAX_BLOCK];
#pragma GCC unroll 12
    for (int j = 0; j < count; j++) acc0[j] = acc1[j] = splat(0);
    for (int64_t f = 0; f < d; f++, x += TILE, panel += count) {
        vfloat x0 = load(x), x1 = load(x + LANES);
#pragma GCC unroll 12
        for (int j = 0; j < count; j++) {
            vfloat gap0 = x0 - panel[j], gap1 = x1 - panel[j];
            acc0[j] += gap0 * gap0;
            acc1[j] += gap1 * gap1;
        }
    }
#pragma GCC unroll 12
    for (int j = 0; j < count; j++) {
        store(out[j], acc0[j]);
        store(out[j] + LANES, acc1[j]);
    }
}

#define BLOCK_CASE(block, count) \
    case count: block(count, x, d, panel, out); break;
#if MAX_BLOCK == 12
#define LARGE_BLOCK_CASES(block) \
    BLOCK_CASE(block, 7) BLOCK_CASE(block, 8) BLOCK_CASE(block, 9) \
    BLOCK_CASE(block, 10) BLOCK_CASE(block, 11) BLOCK_CASE(block, 12)
#else
#define LARGE_BLOCK_CASES(block)
#endif
#define DEFINE_BLOCK(name, block) \
    static void name(int count, const float *x, int64_t d, const float *panel, float *const *out) \
    { \
        switch (count) { \
            BLOCK_CASE(block, 1) BLOCK_CASE(block, 2) BLOCK_CASE(block, 3) \
            BLOCK_CASE(block, 4) BLOCK_CASE(block, 5) BLOCK_CASE(block, 6) \
            LARGE_BLOCK_CASES(block) \
        } \
    }
DEFINE_BLOCK(products, products_block)
DEFINE_BLOCK(squared_distances, distances_block)

typedef void block_fn(int count, const float *x, int64_t d, const float *panel, float *const *out);

/* Return how many of `left` centres the next block takes, so that the blocks have nearly equal sizes. */
INLINE int next_block(int64_t left)
{
    int64_t blocks = (left + MAX_BLOCK - 1) / MAX_BLOCK;
    return (int)((left + blocks - 1) / blocks);
}

/* Run `block` for one tile and `count` centres. Row c of the result starts at out + column[c] * TILE, or at
 * out + c * TILE if column is NULL. */
static void sweep_tile(block_fn *block, const float *tile, int64_t d, int64_t count, const float *panel,
                       const int32_t *column, float *out)
{
    for (int64_t c = 0; c < count;) {
        int size = next_block(count - c);
        for (int half = 0; half < HALVES; half++) {
            float *row[MAX_BLOCK];
            for (int j = 0; j < size; j++) row[j] = out + (column ? column[c + j] : c + j) * TILE + 2 * LANES * half;
            block(size, tile + 2 * LANES * half, d, panel, row);
        }
        panel += d * size;
        c += size;
    }
}

/* ---------------------------------------------------------------- seeding: greedy k-means++ */

struct seeding {
    float *panel;         /* (d, trials) candidates, block by block */
    float *distance;      /* (tiles, TILE) squared distance to the nearest centre so far */
    float *candidate;     /* (trials, tiles, TILE) the same with each candidate added */
    double *mass;         /* (tiles,) sums of `distance` over tiles */
    double *trial_mass;   /* (trials, tiles) */
    float *rows;          /* (tiles, trials, TILE) distances to the candidates where they are not cached */
    int32_t *chosen;      /* (trials,) */
};

static void layout_seeding(struct seeding *s, const struct points *p, int64_t trials, struct arena *a)
{
    s->panel = take(a, p->d * trials, sizeof(float));
    s->distance = take(a, p->tiles * TILE, sizeof(float));
    s->candidate = take(a, trials * p->tiles * TILE, sizeof(float));
    s->mass = take(a, p->tiles, sizeof(double));
    s->trial_mass = take(a, trials * p->tiles, sizeof(double));
    s->rows = take(a, trials * TILE, sizeof(float));
    s->chosen = take(a, trials, sizeof(int32_t));
}

/* Copy points to `panel`, feature by feature, in the blocks that sweep_tile reads. */
static void panel_of_points(const struct points *p, int64_t count, const int32_t *index, float *panel)
{
    for (int64_t c = 0; c < count;) {
        int size = next_block(count - c);
        for (int j = 0; j < size; j++) {
            const float *tile = p->tiled + index[c + j] / TILE * p->d * TILE + index[c + j] % TILE;
            for (int64_t f = 0; f < p->d; f++) panel[f * size + j] = tile[f * TILE];
        }
        panel += p->d * size;
        c += size;
    }
}

/* Write the minimum of one tile's distances and those to a new centre; return the sum of the minima. */
INLINE float lower_tile(const float *distance, const float *row, float *out)
{
    vfloat total = splat(0);
#pragma GCC unroll 8
    for (int lane = 0; lane < TILE; lane += LANES) {
        vfloat lower = min(load(distance + lane), load(row + lane));
        store(out + lane, lower);
        total += lower;
    }
    return sum_lanes(total);
}

/* Compute, for each candidate, the distances of all points if it is added to the centres, and their sums over tiles. */
static void try_candidates(const struct points *p, struct seeding *s, int64_t trials)
{
    int64_t padded = p->tiles * TILE;
    if (!p->distance) panel_of_points(p, trials, s->chosen, s->panel);
    for (int64_t t = 0; t < p->tiles; t++) {
        if (!p->distance) sweep_tile(squared_distances, p->tiled + t * p->d * TILE, p->d, trials, s->panel, NULL, s->rows);
        for (int64_t c = 0; c < trials; c++) {
            const float *row = p->distance ? p->distance + s->chosen[c] * padded + t * TILE : s->rows + c * TILE;
            s->trial_mass[c * p->tiles + t] =
                lower_tile(s->distance + t * TILE, row, s->candidate + c * padded + t * TILE);
        }
    }
}

static double sum_of(const double *values, int64_t count)
{
    double total = 0;
    for (int64_t i = 0; i < count; i++) total += values[i];
    return total;
}

/* Return the point at which the running sum of the distances reaches `target`. */
static int32_t point_at(const struct points *p, const struct seeding *s, double target)
{
    int64_t t = 0;
    double sum = 0;
    while (t < p->tiles - 1 && sum + s->mass[t] < target) sum += s->mass[t++];
    int64_t i = t * TILE, last = (t + 1) * TILE < p->n ? (t + 1) * TILE - 1 : p->n - 1;
    while (i < last && (sum += s->distance[i]) < target) i++;
    return (int32_t)i;
}

/* Greedy k-means++ (Arthur & Vassilvitskii 2007, section 2.2 and conclusion; scikit-learn's _kmeans_plusplus):
 * each centre is the best of `trials` points drawn with probability proportional to the squared distance. */
static void seed(const struct points *p, int64_t k, int64_t trials, const double *draw, struct seeding *s,
                 int32_t *start)
{
    int64_t padded = p->tiles * TILE;
    for (int64_t i = 0; i < padded; i++) s->distance[i] = i < p->n ? FLT_MAX : 0; /* padding is never drawn */
    for (int64_t j = 0; j < k; j++) {
        int64_t tried = j ? trials : 1, best = 0;
        double total = sum_of(s->mass, p->tiles), least = INFINITY;
        for (int64_t c = 0; c < tried; c++, draw++)
            s->chosen[c] = j ? point_at(p, s, *draw * total) : (int32_t)(*draw * (double)p->n);
        try_candidates(p, s, tried);
        for (int64_t c = 0; c < tried; c++) {
            double mass = sum_of(s->trial_mass + c * p->tiles, p->tiles);
            if (mass < least) {
                least = mass;
                best = c;
            }
        }
        start[j] = s->chosen[best];
        memcpy(s->distance, s->candidate + best * padded, (size_t)padded * sizeof(float));
        memcpy(s->mass, s->trial_mass + best * p->tiles, (size_t)p->tiles * sizeof(double));
    }
}

/* ---------------------------------------------------------------- Lloyd's iterations of one restart */

/* Margins below slope |x_i| + floor could be rounding errors of the two scores. */
struct bound {
    float slope, floor;
};

struct lloyd {
    double *sum;        /* (k, stride); centre j is sum[j] / weight[j] */
    double *weight;     /* (k,) */
    double *center;     /* (k, stride) */
    double *sum_norm;   /* (k,) |sum_j| */
    double *error;      /* (k,) |product_ij - x_i . sum_j| <= error_j |x_i| */
    float *half_norm;   /* (k,) |c_j|^2 / 2 */
    float *inverse;     /* (k,) 1 / weight_j */
    double *tail;       /* (k,) norm of what the head of sum_j leaves out, or 0 after a sweep of all features */
    float *reach;       /* (k,) 2 tail_j / weight_j */
    float *product;     /* (tiles or 1, k, TILE) x_i . sum_j, or up to 2 tail_j |tail of x_i| more */
    float *panel;       /* (d, k) the stale sums in single precision, block by block */
    int32_t *stale;     /* clusters whose products have to be swept again */
    int32_t *label;     /* (tiles, TILE) */
    int32_t *next;      /* (tiles, TILE) */
    int32_t *changed;   /* points whose label changed in the last sweep */
    int64_t *moved;     /* (k,) how many points joined or left a cluster in the last update */
    double *travel;     /* (k,) the sum of their norms */
    struct bound bound; /* margins that could be rounding errors */
    int64_t n_stale, n_changed, n_settled;
    int64_t n_open;     /* points that were settled in the last assignment */
    int64_t restart;    /* number of the restart in the batch, or -1 if this place is free */
    int64_t iteration;
    int64_t rest;       /* the cluster whose sum or products are minus the sum of the others', or -1; see choose_rest */
    int heads;          /* the next sweep is of heads */
    int relocated;      /* the sums do not belong to the labels and have to be rebuilt */
    int strict;         /* the last assignment changed no label */
    int converged;
    int last;           /* the centres are final; only their labels are still to be computed */
};

static void layout_lloyd(struct lloyd *r, const struct points *p, const struct batch *b, struct arena *a)
{
    int64_t k = b->k, padded = p->tiles * TILE;
    r->sum = take(a, k * p->stride, sizeof(double));
    r->weight = take(a, k, sizeof(double));
    r->center = take(a, k * p->stride, sizeof(double));
    r->sum_norm = take(a, k, sizeof(double));
    r->error = take(a, k, sizeof(double));
    r->half_norm = take(a, k, sizeof(float));
    r->inverse = take(a, k, sizeof(float));
    r->tail = take(a, k, sizeof(double));
    r->reach = take(a, k, sizeof(float));
    r->product = take(a, (b->keep_products ? p->tiles : 1) * k * TILE, sizeof(float));
    r->panel = take(a, p->d * k, sizeof(float));
    r->stale = take(a, k, sizeof(int32_t));
    r->label = take(a, padded, sizeof(int32_t));
    r->next = take(a, padded, sizeof(int32_t));
    r->changed = take(a, padded, sizeof(int32_t));
    r->moved = take(a, k, sizeof(int64_t));
    r->travel = take(a, k, sizeof(double));
}

/* Return the norms of what heads leave out of the points of a tile. */
INLINE const float *tails(const struct points *p, int64_t t) { return p->heads + ((t + 1) * p->width - 1) * TILE; }

/* Return the nearest centre in double precision, the first one of equals. Only centres that the products of the point,
 * which are TILE apart, leave possible are compared. */
static int32_t settle(const struct points *p, const struct lloyd *r, int64_t k, int64_t i, const float *product)
{
    float tail = p->heads ? tails(p, i / TILE)[i % TILE] : 0, limit = INFINITY;
    for (int64_t j = 0; j < k; j++) {
        float upper = r->half_norm[j] - r->inverse[j] * product[j * TILE] + r->reach[j] * tail;
        if (upper < limit) limit = upper;
    }
    limit += r->bound.slope * p->norm[i] + r->bound.floor;
    int32_t nearest = 0;
    double least = INFINITY;
    for (int64_t j = 0; j < k; j++) {
        if (r->half_norm[j] - r->inverse[j] * product[j * TILE] > limit) continue;
        double distance = squared_distance(p->rows + i * p->stride, r->center + j * p->stride, p->stride);
        if (distance < least) {
            least = distance;
            nearest = (int32_t)j;
        }
    }
    return nearest;
}

/* Find the nearest centre of two vectors of points by |c|^2 / 2 - x . c, and the margin to the second nearest. With heads,
 * these scores are lower bounds, and the nearest centre's may be too low by its `reach` times the tail of the point. */
INLINE void nearest(const int heads, const struct lloyd *r, int64_t k, const float *product, vint label[2],
                    vfloat margin[2], vfloat reach[2])
{
    vfloat first[2], second[2];
    for (int v = 0; v < 2; v++) {
        first[v] = r->half_norm[0] - r->inverse[0] * load(product + v * LANES);
        second[v] = splat(INFINITY);
        label[v] = (vint){0};
        reach[v] = splat(heads ? r->reach[0] : 0);
    }
    for (int64_t j = 1; j < k; j++) {
        product += TILE;
#pragma GCC unroll 2
        for (int v = 0; v < 2; v++) {
            vfloat score = r->half_norm[j] - r->inverse[j] * load(product + v * LANES);
            vmask nearer = less(score, first[v]);
            label[v] = select_int(nearer, (vint){0} + (int32_t)j, label[v]);
            if (heads) reach[v] = (vfloat)select_int(nearer, (vint)splat(r->reach[j]), (vint)reach[v]);
            second[v] = min(second[v], max(score, first[v]));
            first[v] = min(score, first[v]);
        }
    }
    for (int v = 0; v < 2; v++) margin[v] = second[v] - first[v];
}

/* Compute the margins below which the nearest centre of a point is open. */
static void bound_errors(struct lloyd *r, int64_t k)
{
    double error = 0, norm = 0;
    for (int64_t j = 0; j < k; j++) {
        r->reach[j] = (float)(2.00001 * r->tail[j] / r->weight[j]);
        error = fmax(error, r->error[j] / r->weight[j]);
        norm = fmax(norm, (r->sum_norm[j] + 2 * r->tail[j]) / r->weight[j]);
    }
    double slope = 2.02 * (error + 4 * UNIT * norm), floor = 2.02 * (3 * UNIT * norm * norm);
    r->bound = (struct bound){(float)slope, (float)floor + FLT_MIN};
}

/* Return the number of features that a sweep reads. */
static int64_t swept(const struct points *p, const struct lloyd *r) { return r->heads ? p->width : p->d; }

/* Copy the stale sums to the panel, block by block. The last feature of a head is the norm of what the head leaves out, so
 * that the product of two heads is an upper bound of the whole product (Cauchy-Schwarz). */
static void panel_of_sums(const struct points *p, struct lloyd *r)
{
    float *panel = r->panel;
    int64_t d = swept(p, r);
    for (int64_t c = 0; c < r->n_stale;) {
        int size = next_block(r->n_stale - c);
        for (int j = 0; j < size; j++) {
            const double *sum = r->sum + r->stale[c + j] * p->stride;
            for (int64_t f = 0; f < d; f++) panel[f * size + j] = (float)sum[f];
            if (r->heads) panel[(d - 1) * size + j] = (float)r->tail[r->stale[c + j]];
        }
        panel += d * size;
        c += size;
    }
}

static void assign_tile(const struct points *p, struct lloyd *r, int64_t k, int64_t t, const float *product)
{
    uint32_t doubtful = 0, changed = 0, real = ~0u;
    if (p->n - t * TILE < TILE) real = (1u << (p->n - t * TILE)) - 1;
    for (int lane = 0; lane < TILE; lane += 2 * LANES) {
        vint label[2];
        vfloat margin[2], reach[2];
        if (p->heads)
            nearest(1, r, k, product + lane, label, margin, reach);
        else
            nearest(0, r, k, product + lane, label, margin, reach);
        for (int v = 0; v < 2; v++) {
            int at = lane + v * LANES;
            vfloat least = r->bound.slope * load(p->norm + t * TILE + at) + r->bound.floor;
            if (p->heads) least += reach[v] * load(tails(p, t) + at);
            doubtful |= bits(less(margin[v], least)) << at;
            changed |= bits(differ(label[v], load_int(r->label + t * TILE + at))) << at;
            store_int(r->next + t * TILE + at, label[v]);
        }
    }
    doubtful &= real;
    changed &= real;
    for (uint32_t left = doubtful; left; left &= left - 1) {
        int64_t lane = __builtin_ctz(left), i = t * TILE + lane;
        r->next[i] = settle(p, r, k, i, product + lane);
        changed = (changed & ~(1u << lane)) | (uint32_t)(r->next[i] != r->label[i]) << lane;
        r->n_open++;
    }
    for (; changed; changed &= changed - 1) r->changed[r->n_changed++] = (int32_t)(t * TILE + __builtin_ctz(changed));
}

/* Compute the products of the cluster `rest`. The points are centred, so the sums of all clusters add up to zero, and
 * so do their products with a point. */
static void products_of_rest(float *product, int64_t k, int64_t rest)
{
    for (int lane = 0; lane < TILE; lane += LANES) {
        vfloat others = splat(0);
        for (int64_t j = 0; j < k; j++)
            if (j != rest) others += load(product + j * TILE + lane);
        store(product + rest * TILE + lane, -others);
    }
}

/* Find the nearest centre of every point (`next`) and the points for which it changed, for several restarts side by
 * side: each tile of points is fetched once for all of them. */
static void assign(const struct points *p, const struct batch *b, struct lloyd *places)
{
    int64_t k = b->k;
    for (struct lloyd *r = places; r < places + b->side_by_side; r++) {
        if (r->restart < 0) continue;
        bound_errors(r, k);
        r->n_changed = r->n_open = 0;
        panel_of_sums(p, r);
    }
    for (int64_t t = 0; t < p->tiles; t++)
        for (struct lloyd *r = places; r < places + b->side_by_side; r++) {
            if (r->restart < 0) continue;
            float *product = r->product + (b->keep_products ? t * k * TILE : 0);
            int64_t d = swept(p, r);
            const float *tile = (r->heads ? p->heads : p->tiled) + t * d * TILE;
            sweep_tile(products, tile, d, r->n_stale, r->panel, r->stale, product);
            if (r->rest >= 0) products_of_rest(product, k, r->rest);
            assign_tile(p, r, k, t, product);
        }
}

/* Compute a centre and its norm from its sum and weight; return its squared movement. */
static double refresh_center(const struct points *p, struct lloyd *r, int64_t j)
{
    const double *sum = r->sum + j * p->stride;
    double *center = r->center + j * p->stride;
    double weight = r->weight[j], inverse = 1 / weight;
    vrow squares = {0}, shift = {0};
    for (int64_t f = 0; f < p->stride; f += ROW_PAD) {
        vrow mean = load_row(sum + f) * inverse, moved = mean - load_row(center + f);
        squares += load_row(sum + f) * load_row(sum + f);
        shift += moved * moved;
        store_row(center + f, mean);
    }
    double norm = sqrt(sum_row(squares));
    r->sum_norm[j] = norm;
    r->half_norm[j] = (float)(0.5 * (norm * inverse) * (norm * inverse));
    r->inverse[j] = (float)inverse;
    return sum_row(shift);
}

/* Refresh all centres, or those that points joined or left; return the sum of their squared movements. */
static double refresh_centers(const struct points *p, struct lloyd *r, int64_t k, int all)
{
    double shift = 0;
    for (int64_t j = 0; j < k; j++)
        if (all || r->moved[j]) shift += refresh_center(p, r, j);
    return shift;
}

/* ---- the products x_i . sum_j, updated by sweeps over the features or by rows of the Gram matrix */

static double sweep_error(const struct points *p, const struct lloyd *r, int64_t j)
{
    return (double)(swept(p, r) + 4) * UNIT * r->sum_norm[j];
}

/* Return the norm of what the head of a sum leaves out. */
static double tail_of_sum(const struct points *p, const double *sum)
{
    vrow squares = {0};
    for (int64_t f = p->width - 1; f < p->stride; f += ROW_PAD) squares += load_row(sum + f) * load_row(sum + f);
    return sqrt(sum_row(squares));
}

/* Mark the products of the touched clusters, or of all, for a sweep in the next assignment. */
static void sweep_later(const struct points *p, const struct batch *b, struct lloyd *r, int all)
{
    r->n_stale = 0;
    r->rest = -1;
    for (int64_t j = 0; j < b->k; j++) {
        if (!all && b->keep_products && !r->moved[j]) continue;
        r->stale[r->n_stale++] = (int32_t)j;
        r->error[j] = sweep_error(p, r, j);
        r->tail[j] = r->heads ? tail_of_sum(p, r->sum + j * p->stride) : 0;
    }
}

static double error_of_rest(const struct lloyd *r, int64_t k, int64_t rest)
{
    double error = 0;
    for (int64_t j = 0; j < k; j++)
        if (j != rest) error += r->error[j] + (double)k * UNIT * r->sum_norm[j];
    return error;
}

/* Choose the largest stale cluster as `rest`, which needs no sweep, unless its error bound would become too large. */
static void choose_rest(const struct points *p, struct lloyd *r, int64_t k)
{
    if (r->n_stale == 0 || r->heads || p->d < 4 * k) return;
    int64_t at = 0;
    for (int64_t q = 1; q < r->n_stale; q++)
        if (r->weight[r->stale[q]] > r->weight[r->stale[at]]) at = q;
    int64_t rest = r->stale[at];
    double error = error_of_rest(r, k, rest), largest = 0;
    for (int64_t j = 0; j < k; j++) largest = fmax(largest, r->error[j] / r->weight[j]);
    if (error / r->weight[rest] > 8 * largest) return;
    r->rest = rest;
    r->error[rest] = error;
    r->stale[at] = r->stale[--r->n_stale];
}

/* Subtract a row of the Gram matrix from one cluster's products and add it to another's; -1 means no cluster. */
static void move_products(const struct points *p, struct lloyd *r, int64_t k, int64_t i, int64_t next, int64_t from,
                          int64_t to)
{
    const float *row = p->gram + i * p->tiles * TILE, *ahead = p->gram + next * p->tiles * TILE;
    float *product = r->product;
    for (int64_t t = 0; t < p->tiles; t++, row += TILE, ahead += TILE, product += k * TILE)
        for (int lane = 0; lane < TILE; lane += LANES) {
            vfloat x = load(row + lane);
            float *lost = product + from * TILE + lane, *won = product + to * TILE + lane;
            __builtin_prefetch(ahead + lane);
            if (from >= 0) store(lost, load(lost) - x);
            if (to >= 0) store(won, load(won) + x);
        }
}

/* Return the error bound after `moved` rows, whose norms add up to `travel`, were added or subtracted. */
static double error_after_moves(const struct lloyd *r, int64_t j, double error)
{
    double largest = r->sum_norm[j] + 2 * r->tail[j] + r->travel[j];
    return error + UNIT * (r->travel[j] + (double)(r->moved[j] + 1) * largest);
}

/* A row costs about as much as 16 features of a sweep over one centre. */
static int rows_are_cheaper(const struct points *p, const struct batch *b, const struct lloyd *r, int64_t rows,
                            int64_t centers)
{
    return p->gram && b->keep_products && 16 * rows <= centers * swept(p, r);
}

/* ---- sums */

static int64_t index_of_largest(const double *values, int64_t count)
{
    int64_t largest = 0;
    for (int64_t i = 1; i < count; i++)
        if (values[i] > values[largest]) largest = i;
    return largest;
}

static void start_from(const struct points *p, const struct batch *b, struct lloyd *r, const int32_t *start,
                       const double *centers)
{
    size_t row = (size_t)p->stride * sizeof(double);
    for (int64_t j = 0; j < b->k; j++) {
        memcpy(r->sum + j * p->stride, start ? p->rows + start[j] * p->stride : centers + j * p->stride, row);
        r->weight[j] = 1;
    }
    refresh_centers(p, r, b->k, 1);
    for (int64_t i = 0; i < p->tiles * TILE; i++) r->label[i] = -1;
    r->relocated = 1;
    r->n_settled = r->iteration = 0;
    r->strict = r->converged = r->last = r->heads = 0;
    sweep_later(p, b, r, 1);
    if (!start || !p->gram || !b->keep_products) return;
    r->n_stale = 0;
    for (int64_t j = 0; j < b->k; j++) {
        const float *products = p->gram + start[j] * p->tiles * TILE;
        r->error[j] = 2 * UNIT * r->sum_norm[j];
        for (int64_t t = 0; t < p->tiles; t++)
            memcpy(r->product + (t * b->k + j) * TILE, products + t * TILE, TILE * sizeof(float));
    }
}

/* Return the next point after i that is outside the cluster `rest`, or n. */
static int64_t next_outside(const struct points *p, const struct lloyd *r, int64_t i, int64_t rest)
{
    do i++;
    while (i < p->n && r->next[i] == rest);
    return i;
}

/* Count all members of each cluster as new ones. */
static void count_members(const struct points *p, struct lloyd *r, int64_t k)
{
    memset(r->moved, 0, (size_t)k * sizeof(int64_t));
    memset(r->travel, 0, (size_t)k * sizeof(double));
    for (int64_t i = 0; i < p->n; i++) {
        r->moved[r->next[i]]++;
        r->travel[r->next[i]] += p->norm[i];
    }
    for (int64_t j = 0; j < k; j++) r->weight[j] = (double)r->moved[j];
}

/* Compute sums and counts from scratch for the restarts whose sums do not belong to their labels: each row is fetched once
 * for all of them. The sum of the largest cluster is minus the sum of the others. */
static void add_up(const struct points *p, const struct batch *b, struct lloyd *places)
{
    struct lloyd *chosen[MAX_SIDE_BY_SIDE];
    int64_t count = 0, k = b->k, stride = p->stride;
    for (struct lloyd *r = places; r < places + b->side_by_side; r++) {
        if (r->restart < 0 || !r->relocated || r->last) continue;
        count_members(p, r, k);
        memset(r->sum, 0, (size_t)(k * stride) * sizeof(double));
        r->rest = index_of_largest(r->weight, k);
        chosen[count++] = r;
    }
    for (int64_t i = 0; count && i < p->n; i++)
        for (int64_t q = 0; q < count; q++) {
            int64_t j = chosen[q]->next[i];
            if (j != chosen[q]->rest) add_row(chosen[q]->sum + j * stride, p->rows + i * stride, stride);
        }
    for (int64_t q = 0; q < count; q++) {
        const double *sum = chosen[q]->sum;
        double *rest = chosen[q]->sum + chosen[q]->rest * stride;
        for (int64_t j = 0; j < k; j++, sum += stride)
            for (int64_t f = 0; sum != rest && f < stride; f++) rest[f] -= sum[f];
    }
}

/* Compute the products of sums from scratch by rows of the Gram matrix, if that is cheap. Return whether it was. */
static int rebuild_products(const struct points *p, const struct batch *b, struct lloyd *r)
{
    int64_t k = b->k, rest = r->rest;
    r->relocated = 0;
    if (!rows_are_cheaper(p, b, r, p->n - r->moved[rest], k)) return 0;
    memset(r->product, 0, (size_t)(p->tiles * k * TILE) * sizeof(float));
    for (int64_t i = next_outside(p, r, -1, rest), next; i < p->n; i = next) {
        next = next_outside(p, r, i, rest);
        move_products(p, r, k, i, next < p->n ? next : i, -1, r->next[i]);
    }
    memset(r->sum_norm, 0, (size_t)k * sizeof(double));
    memset(r->tail, 0, (size_t)k * sizeof(double));
    for (int64_t j = 0; j < k; j++) r->error[j] = error_after_moves(r, j, 0);
    return 1;
}

/* Count the points that join or leave each cluster; return the number of clusters that change. */
static int64_t count_moves(const struct points *p, struct lloyd *r, int64_t k)
{
    memset(r->moved, 0, (size_t)k * sizeof(int64_t));
    memset(r->travel, 0, (size_t)k * sizeof(double));
    for (int64_t q = 0; q < r->n_changed; q++) {
        int64_t i = r->changed[q];
        int32_t from = r->label[i], to = r->next[i];
        r->moved[from]++;
        r->moved[to]++;
        r->travel[from] += p->norm[i];
        r->travel[to] += p->norm[i];
    }
    int64_t touched = 0;
    for (int64_t j = 0; j < k; j++) touched += r->moved[j] > 0;
    return touched;
}

/* Return whether moving rows keeps the error bounds near those of a sweep; if so, store the new bounds. */
static int sure_after_moves(const struct points *p, struct lloyd *r, int64_t k)
{
    double fresh = 0;
    for (int64_t j = 0; j < k; j++) fresh = fmax(fresh, sweep_error(p, r, j) / r->weight[j]);
    for (int64_t j = 0; j < k; j++)
        if (r->moved[j] && error_after_moves(r, j, r->error[j]) > 3 * fresh * r->weight[j]) return 0;
    for (int64_t j = 0; j < k; j++)
        if (r->moved[j]) r->error[j] = error_after_moves(r, j, r->error[j]);
    return 1;
}

/* Update sums and counts for the points in `changed`. Return whether the products are up to date as well. */
static int move_points(const struct points *p, const struct batch *b, struct lloyd *r)
{
    int64_t touched = count_moves(p, r, b->k);
    int by_rows = rows_are_cheaper(p, b, r, r->n_changed, touched) && sure_after_moves(p, r, b->k);
    for (int64_t q = 0; q < r->n_changed; q++) {
        int64_t i = r->changed[q], ahead = r->changed[q + 1 < r->n_changed ? q + 1 : q];
        int32_t from = r->label[i], to = r->next[i];
        move_row(r->sum + from * p->stride, r->sum + to * p->stride, p->rows + i * p->stride,
                 p->rows + ahead * p->stride, p->stride);
        r->weight[from]--;
        r->weight[to]++;
        if (by_rows) move_products(p, r, b->k, i, ahead, from, to);
    }
    r->rest = -1;
    return by_rows;
}

/* ---- empty clusters */

static int has_empty(const struct lloyd *r, int64_t k)
{
    for (int64_t j = 0; j < k; j++)
        if (r->weight[j] == 0) return 1;
    return 0;
}

static void take_point(const struct points *p, struct lloyd *r, int64_t empty, int64_t i)
{
    int32_t from = r->next[i];
    const double *row = p->rows + i * p->stride;
    move_row(r->sum + from * p->stride, r->sum + empty * p->stride, row, row, p->stride);
    r->weight[from]--;
    r->weight[empty]++;
}

/* Relocate empty clusters as scikit-learn does (_relocate_empty_clusters_dense, _average_centers): each one takes the
 * point that is farthest from its centre. If all distances are zero, it becomes a copy of the largest cluster.
 * Return -1 if memory runs out. */
static int relocate_empty(const struct points *p, struct lloyd *r, int64_t k)
{
    double *gap = malloc((size_t)p->n * sizeof(double) + (size_t)k);
    if (!gap) return -1;
    char *empty = (char *)(gap + p->n);
    for (int64_t j = 0; j < k; j++) {
        empty[j] = r->weight[j] == 0;
        if (empty[j]) memset(r->sum + j * p->stride, 0, (size_t)p->stride * sizeof(double));
    }
    for (int64_t i = 0; i < p->n; i++)
        gap[i] = squared_distance(p->rows + i * p->stride, r->center + r->next[i] * p->stride, p->stride);
    int some_apart = gap[index_of_largest(gap, p->n)] > 0;
    for (int64_t j = 0; j < k && some_apart; j++) {
        if (!empty[j]) continue;
        int64_t i = index_of_largest(gap, p->n);
        take_point(p, r, j, i);
        gap[i] = -1;
    }
    int64_t largest = index_of_largest(r->weight, k);
    for (int64_t j = 0; j < k; j++) {
        if (r->weight[j] > 0) continue;
        memcpy(r->sum + j * p->stride, r->sum + largest * p->stride, (size_t)p->stride * sizeof(double));
        r->weight[j] = r->weight[largest];
    }
    free(gap);
    r->relocated = 1;
    return 0;
}

/* Compute new centres from `next`; return their summed squared movement, or -1 if memory runs out. */
static double update(const struct points *p, const struct batch *b, struct lloyd *r)
{
    int all = r->relocated, too_open = r->heads && OPEN * r->n_open > p->n;
    r->heads = r->iteration == 1 ? p->heads != NULL : r->heads && !too_open;
    int by_rows = all ? rebuild_products(p, b, r) : move_points(p, b, r);
    if (has_empty(r, b->k)) {
        if (relocate_empty(p, r, b->k)) return -1;
        all = 1;
        by_rows = 0;
    }
    double shift = refresh_centers(p, r, b->k, all);
    if (too_open) {
        all = 1;
        by_rows = 0;
    }
    r->n_stale = 0;
    if (!by_rows) sweep_later(p, b, r, all);
    if (!by_rows && !r->relocated) choose_rest(p, r, b->k);
    if (by_rows && r->rest >= 0) r->error[r->rest] = error_of_rest(r, b->k, r->rest);
    memcpy(r->label, r->next, (size_t)(p->tiles * TILE) * sizeof(int32_t));
    return shift;
}

/* Return the sum of the squared distances to the centres. The short formula holds if the centres are the means of their
 * clusters. For other centres, and where it would cancel more than three digits, sum over the points. */
static double inertia(const struct points *p, const struct lloyd *r, int64_t k, int at_means)
{
    if (at_means) {
        double total = p->scatter;
        for (int64_t j = 0; j < k; j++) total -= r->sum_norm[j] * r->sum_norm[j] / r->weight[j];
        if (total > 1e-3 * p->scatter) return total;
    }
    double total = 0;
    for (int64_t i = 0; i < p->n; i++)
        total += squared_distance(p->rows + i * p->stride, r->center + r->label[i] * p->stride, p->stride);
    return total;
}

/* Round to 32 significant bits, on which all paths and processors agree: restarts with the same solution are equal, and
 * the first of them is the best. Values that rounding errors alone explain become 0. See INERTIA_BITS in problem.py. */
static double rounded(double inertia, double scatter)
{
    if (inertia < 1e-28 * scatter) return 0;
    int exponent;
    double mantissa = frexp(inertia, &exponent);
    return ldexp(rint(ldexp(mantissa, 32)), exponent - 32);
}

/* Finish an iteration after its assignment, with scikit-learn's rules for stopping (_kmeans_single_lloyd). Return 1 if
 * the restart is over, 0 if it continues, -1 if memory runs out. */
static int advance(const struct points *p, const struct batch *b, struct lloyd *r)
{
    r->n_settled += r->n_open;
    if (r->last) {
        memcpy(r->label, r->next, (size_t)(p->tiles * TILE) * sizeof(int32_t));
        return 1;
    }
    r->iteration++;
    r->strict = r->n_changed == 0;
    r->converged = r->strict;
    if (r->strict && !r->relocated) return 1;
    double shift = update(p, b, r);
    if (shift < 0) return -1;
    r->converged |= shift <= b->tol;
    r->last = r->converged || r->iteration == b->max_iter;
    return r->strict;
}

/* ---------------------------------------------------------------- a batch of restarts */

static void write_labels(const struct batch *b, int64_t n, int64_t row, const int32_t *label)
{
    char *out = (char *)b->labels + row * n * b->label_bytes;
    for (int64_t i = 0; i < n; i++) {
        if (b->label_bytes == 1)
            ((uint8_t *)out)[i] = (uint8_t)label[i];
        else if (b->label_bytes == 2)
            ((uint16_t *)out)[i] = (uint16_t)label[i];
        else
            ((uint32_t *)out)[i] = (uint32_t)label[i];
    }
}

/* Put restart q into a free place. */
static void begin(const struct points *p, const struct batch *b, struct lloyd *r, int64_t q, struct seeding *s,
                  int32_t *seeds)
{
    const int32_t *start = b->start_points ? b->start_points + q * b->k : b->draws ? seeds : NULL;
    if (b->draws) seed(p, b->k, b->trials, b->draws + q * (1 + (b->k - 1) * b->trials), s, seeds);
    start_from(p, b, r, start, start ? NULL : b->start_centers + q * b->k * p->stride);
    r->restart = q;
}

/* Store a finished restart and free its place. `best` is the best restart so far, or -1; return the new best. */
static int64_t finish(const struct points *p, const struct batch *b, struct lloyd *r, int64_t best)
{
    int64_t q = r->restart;
    r->restart = -1;
    b->inertia[q] = rounded(inertia(p, r, b->k, r->strict && !r->relocated), p->scatter);
    b->n_iter[q] = (int32_t)r->iteration;
    b->converged[q] = (uint8_t)r->converged;
    *b->settled += r->n_settled;
    if (b->keep_all) write_labels(b, p->n, q, r->label);
    if (best >= 0 && (b->inertia[best] < b->inertia[q] || (b->inertia[best] == b->inertia[q] && best < q))) return best;
    memcpy(b->best_centers, r->center, (size_t)(b->k * p->stride) * sizeof(double));
    if (!b->keep_all) write_labels(b, p->n, 0, r->label);
    return q;
}

static void layout(struct lloyd *places, struct seeding *s, int32_t **seeds, const struct points *p,
                   const struct batch *b, struct arena *a)
{
    for (int64_t i = 0; i < b->side_by_side; i++) layout_lloyd(&places[i], p, b, a);
    layout_seeding(s, p, b->trials, a);
    *seeds = take(a, b->k, sizeof(int32_t));
}

static int run(const struct points *p, const struct batch *b)
{
    struct arena arena = {0};
    struct lloyd places[MAX_SIDE_BY_SIDE];
    struct seeding s;
    int32_t *seeds;
    layout(places, &s, &seeds, p, b, &arena);
    char *block = aligned_block(arena.used);
    if (!block) return -1;
    arena = (struct arena){block, 0};
    layout(places, &s, &seeds, p, b, &arena);
    for (int64_t i = 0; i < b->side_by_side; i++) places[i].restart = -1;

    int status = 0;
    int64_t begun = 0, finished = 0, best = -1;
    *b->settled = 0;
    while (finished < b->restarts && status >= 0 && !*(volatile const int32_t *)b->stop) {
        if (finished == begun)
            for (struct lloyd *r = places; r < places + b->side_by_side && begun < b->restarts; r++)
                begin(p, b, r, begun++, &s, seeds);
        assign(p, b, places);
        add_up(p, b, places);
        for (struct lloyd *r = places; r < places + b->side_by_side && status >= 0; r++) {
            if (r->restart < 0) continue;
            status = advance(p, b, r);
            if (status != 1) continue;
            best = finish(p, b, r, best);
            finished++;
        }
    }
    free(block);
    return status < 0 ? -1 : 0;
}

/* Compute the squared distances of `count` points from `first` on to all points; out is (count, tiles * TILE). */
static int distances(const struct points *p, int64_t first, int64_t count, float *out)
{
    float *panel = (float *)aligned_block((size_t)(p->d * MAX_BLOCK) * sizeof(float));
    float *rows = (float *)aligned_block(MAX_BLOCK * TILE * sizeof(float));
    int64_t padded = p->tiles * TILE;
    for (int64_t c = 0; panel && rows && c < count;) {
        int size = next_block(count - c);
        int32_t index[MAX_BLOCK];
        for (int j = 0; j < size; j++) index[j] = (int32_t)(first + c + j);
        panel_of_points(p, size, index, panel);
        for (int64_t t = 0; t < p->tiles; t++) {
            sweep_tile(squared_distances, p->tiled + t * p->d * TILE, p->d, size, panel, NULL, rows);
            for (int j = 0; j < size; j++)
                memcpy(out + (c + j) * padded + t * TILE, rows + j * TILE, TILE * sizeof(float));
        }
        c += size;
    }
    int status = panel && rows ? 0 : -1;
    free(panel);
    free(rows);
    return status;
}
