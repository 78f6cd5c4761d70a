/* The first two steps of `forward.c`: who is chosen, and by whom of those that it chooses. */

#ifndef ASA_CHOICE_H
#define ASA_CHOICE_H

#include <stdbool.h>

#include "image.h"
#include "vectors.h"
#include "window.h"

/* ---- 1: who is chosen ---- */

/* Which places of the window around cell i the local rule keeps. */
static void decide_window(const struct image *image, const float *row, int64_t i)
{
    int64_t places = image->window * image->window;
    uint64_t *local = image->local + i * local_words(image);
    float near[places + LANES];
    float log_mean = window_of(image, row, i, near);
    vec threshold = all(finite_threshold(image->log_local[i] + log_mean - image->slack));
    for (int64_t place = 0; place < places; place += LANES)
        local[place / 64] |= reaches(load(near + place), threshold) << place % 64;
}

/* Where the words of 64 floats of a row are: the last may be a copy, padded. */
static inline float *word_of(float *row, float *last, int64_t n, int64_t start)
{
    return n - start < 64 ? last : row + start;
}

/* Decides for query i, and leaves exp(similarity - highest) in place of its row. */
static void decide(const struct image *image, float *row, int64_t i)
{
    int64_t n = image->n, over = n % 64;
    float last[64];
    for (int64_t at = 0; over && at < 64; at++)
        last[at] = at < over ? row[n - over + at] : -INFINITY;

    vec most[4], sums[4];
    for (int part = 0; part < 4; part++) {
        most[part] = all(-INFINITY);
        sums[part] = all(0);
    }
    for (int64_t start = 0; start < n; start += 64) {
        const float *here = word_of(row, last, n, start);
        for (int at = 0; at < 64; at += LANES)
            most[at / LANES % 4] = larger(load(here + at), most[at / LANES % 4]);
    }
    float highest = largest(larger(larger(most[0], most[1]), larger(most[2], most[3])));
    image->highest[i] = image->reference[i] = highest;
    decide_window(image, row, i);

    /* Exponentials tell as well as similarities who reaches a threshold, as long as that of the
       threshold is not too small for a float. */
    bool by_exponential = image->log_threshold[i] > -60;
    for (int64_t start = 0; start < n; start += 64) {
        float *here = word_of(row, last, n, start);
        for (int at = 0; at < 64; at += LANES) {
            vec power = exponential(load(here + at) - highest);
            sums[at / LANES % 4] += power;
            if (by_exponential)
                store(here + at, power);
        }
    }
    float log_total = logf(sum((sums[0] + sums[1]) + (sums[2] + sums[3])));
    image->log_total[i] = log_total;

    uint64_t *chosen = image->chosen + i * image->words;
    float threshold = finite_threshold(image->log_threshold[i] - image->slack + log_total);
    vec thresholds = all(by_exponential ? expf(threshold) : threshold);
    for (int64_t start = 0; start < n; start += 64) {
        float *here = word_of(row, last, n, start);
        uint64_t word = 0;
        for (int at = 0; at < 64; at += LANES) {
            vec reached = load(here + at);
            if (!by_exponential) {
                reached -= highest;
                store(here + at, exponential(reached));
            }
            word |= reaches(reached, thresholds) << at;
        }
        chosen[start / 64] = word;
    }
    memcpy(row + n - over, last, (size_t)over * sizeof *row);
}

/* ---- 2: who is chosen by whom it chooses ---- */

static void transpose(uint64_t rows[64])
{
    uint64_t mask = 0x00000000ffffffff;
    for (int step = 32; step; step /= 2, mask ^= mask << step)
        for (int start = 0; start < 64; start += 2 * step)
            for (int at = start; at < start + step; at++) {
                uint64_t swapped = (rows[at] >> step ^ rows[at + step]) & mask;
                rows[at + step] ^= swapped;
                rows[at] ^= swapped << step;
            }
}

/* The square of 64 rows from row `64 * down`, and of bits from `64 * across`; 0 past the end. */
static bool square(const struct image *image, int64_t down, int64_t across, uint64_t bits[64])
{
    uint64_t any = 0;
    for (int64_t at = 0; at < 64; at++) {
        int64_t row = 64 * down + at;
        bits[at] = row < image->n ? image->chosen[row * image->words + across] : 0;
        any |= bits[at];
    }
    return any;
}

static void put_square(const struct image *image, int64_t down, int64_t across,
                       const uint64_t bits[64])
{
    for (int64_t at = 0; at < least(64, image->n - 64 * down); at++)
        image->chosen[(64 * down + at) * image->words + across] = bits[at];
}

static void symmetrise(const struct image *image, int64_t down, int64_t across)
{
    uint64_t here[64], there[64];
    if (square(image, down, across, here) & square(image, across, down, there)) {
        transpose(there);
        for (int at = 0; at < 64; at++)
            here[at] &= there[at];
    } else {
        memset(here, 0, sizeof here);
    }
    put_square(image, down, across, here);
    if (down != across) {
        transpose(here);
        put_square(image, across, down, here);
    }
}

#endif
