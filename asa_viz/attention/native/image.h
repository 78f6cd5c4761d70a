/* One image: its tensors row by row, and what the passes over it leave for each other. The order of
   the members is known to `library.py`. */

#ifndef ASA_IMAGE_H
#define ASA_IMAGE_H

#include <float.h>
#include <stdint.h>

struct image {
    int64_t n;        /* cells */
    int64_t depth;    /* of queries and keys, a multiple of 16 */
    int64_t channels; /* of values, a multiple of 16 */
    int64_t height, width, window;
    int64_t words; /* of 64 bits, for n bits */
    int64_t threads;
    const float *query, *key, *value;
    const float *log_threshold; /* of an affinity, for being chosen */
    const float *log_local;     /* of the local scale */
    uint64_t *chosen;           /* n x words: bit j of row i; in the end whether both are chosen */
    uint64_t *local;            /* n x a bit for each place of the window: kept by the local rule */
    float *highest;             /* n: the largest similarity of a row */
    float *log_total;           /* n: log of the sum of exp(similarity - highest) */
    float *reference;           /* n: weights are exp(similarity - reference) until divided */
    float *mass;                /* n: their sum; in the end the logarithm of the affinity kept */
    float *strongest;           /* n: the largest of them; in the end that affinity's logarithm */
    float *kept;                /* n: how many are kept */
    float *output;              /* n x channels */
    float scale;                /* what a dot product is multiplied by to be a similarity */
    float slack;                /* how far below its threshold a log affinity is still a tie */
};

static inline int64_t least(int64_t x, int64_t y)
{
    return x < y ? x : y;
}

/* No less than the lowest float, so that minus infinity never reaches it; not a number stays. */
static inline float finite_threshold(float x)
{
    return x < -FLT_MAX ? -FLT_MAX : x;
}

#endif
