/* Weighted sums of the rows of a table over few keys each, for one query or four together. */

#ifndef ASA_SUMS_H
#define ASA_SUMS_H

#include <stdbool.h>

#include "image.h"
#include "vectors.h"

/* Of a run of at most KEYS keys a number of values are read that stay in the cache, by as many as
   ROWS queries before the next run. */
enum { KEYS = 512, KEY_WORDS = KEYS / 64, CACHED = 1 << 16, ROWS = 512, GROUP = 4 };

#define INLINE static inline __attribute__((always_inline))

/* The keys of a run that a few queries read, and each one's weights: 0 for a key of the others. */
struct list {
    int64_t count;
    int32_t key[KEYS + 16]; /* counted from the first of the run */
    float weight[GROUP][KEYS + 16];
};

static inline void list_keys(const uint64_t *any, int64_t words, struct list *list)
{
    int64_t count = 0;
    for (int64_t word = 0; word < words; word++) {
#if defined(__AVX512F__)
        const __m512i along = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
        for (int at = 0; at < 64; at += 16) {
            __mmask16 bits = (__mmask16)(any[word] >> at);
            __m512i keys = _mm512_add_epi32(along, _mm512_set1_epi32((int)(64 * word) + at));
            _mm512_storeu_si512(list->key + count, _mm512_maskz_compress_epi32(bits, keys));
            count += __builtin_popcount(bits);
        }
#else
        for (uint64_t bits = any[word]; bits; bits &= bits - 1)
            list->key[count++] = (int32_t)(64 * word) + __builtin_ctzll(bits);
#endif
    }
    list->count = count;
}

/* The weights of one query as its row has them, at the keys of the list. */
static inline void take_weights(const uint64_t *any, const uint64_t *kept, int64_t words, const float *row,
                         float *weight)
{
    int64_t count = 0;
    for (int64_t word = 0; word < words; word++) {
#if defined(__AVX512F__)
        for (int at = 0; at < 64; at += 16) {
            __mmask16 bits = (__mmask16)(any[word] >> at);
            __m512 power = _mm512_maskz_loadu_ps((__mmask16)(kept[word] >> at), row + 64 * word + at);
            _mm512_storeu_ps(weight + count, _mm512_maskz_compress_ps(bits, power));
            count += __builtin_popcount(bits);
        }
#else
        for (uint64_t bits = any[word]; bits; bits &= bits - 1) {
            int key = __builtin_ctzll(bits);
            weight[count++] = kept[word] >> key & 1 ? row[64 * word + key] : 0;
        }
#endif
    }
}

/* Adds the weighted values of a list to `size` vectors of what one or four queries read. */
INLINE void read_part(const struct list *list, const float *values, int64_t channels, float *output,
                      const int queries, const int size)
{
    vec sums[GROUP][WIDE];
    for (int q = 0; q < queries; q++)
        for (int at = 0; at < size; at++)
            sums[q][at] = load(output + q * channels + at * LANES);
    for (int64_t k = 0; k < list->count; k++) {
        const float *value = values + list->key[k] * channels;
        __asm__("" : "+r"(value)); /* one address, not one for each vector */
        for (int at = 0; at < size; at++) {
            vec here = load(value + at * LANES);
            for (int q = 0; q < queries; q++)
                sums[q][at] += list->weight[q][k] * here;
        }
    }
    for (int q = 0; q < queries; q++)
        for (int at = 0; at < size; at++)
            store(output + q * channels + at * LANES, sums[q][at]);
}

INLINE void read_list(const struct list *list, const float *values, int64_t channels, float *output,
                      const int queries)
{
    const int size = queries == 1 ? WIDE : TILE;
    int64_t at = 0;
    for (; at + size * LANES <= channels; at += size * LANES)
        read_part(list, values + at, channels, output + at, queries, size);
    for (; at + size / 2 * LANES <= channels; at += size / 2 * LANES)
        read_part(list, values + at, channels, output + at, queries, size / 2);
    for (; at < channels; at += LANES)
        read_part(list, values + at, channels, output + at, queries, 1);
}

/* What a few queries keep in a run: of all of them, the number of each and of all. */
struct few {
    uint64_t any[KEY_WORDS];
    int64_t counts[GROUP], number, different;
};

static inline void count_few(uint64_t kept[][KEY_WORDS], int64_t queries, int64_t words,
                             struct few *few)
{
    memset(few, 0, sizeof *few);
    for (int64_t q = 0; q < queries; q++) {
        for (int64_t word = 0; word < words; word++) {
            few->any[word] |= kept[q][word];
            few->counts[q] += __builtin_popcountll(kept[q][word]);
        }
        few->number += few->counts[q];
    }
    for (int64_t word = 0; word < words; word++)
        few->different += __builtin_popcountll(few->any[word]);
}

/* Together queries load a value once for all, and multiply it also for those who do not keep it. */
static inline bool better_together(const struct few *few, int64_t queries)
{
    return queries == GROUP && few->number && 4 * few->different <= 3 * few->number;
}

/* How many keys are read by many queries one after another. */
static inline int64_t run_of(int64_t floats)
{
    int64_t run = CACHED / floats / 64 * 64;
    return run < 64 ? 64 : least(run, KEYS);
}

#endif
