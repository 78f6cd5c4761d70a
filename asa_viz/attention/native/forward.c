/* Adaptive sparse attention of one image, forward, in three steps:

   1. `decide`: with a whole row of similarities at hand its log-sum-exp is known, and so which keys
      the query chooses, one bit each, and which of its window it keeps by the local rule.
   2. `symmetrise`: who is chosen by whom it chooses: the bits, and their transpose, in squares of
      64 x 64.
   3. `read_keys`: the weighted sum of the values over those that remain.

   `asa_block` does all three for a block of rows, the third as far as both ends of a pair are
   decided, that is for keys up to the end of the block; `asa_finish` does the keys behind, and forms
   the similarities of those that remain once more. */

#include "choice.h"
#include "sums.h"
#include "window.h"

/* ---- 3: what the queries read ---- */

/* Which of the keys from `first` to `stop` query i keeps, by either rule. */
static void kept_words(const struct image *image, int64_t i, int64_t first, int64_t stop,
                       uint64_t kept[KEY_WORDS])
{
    const uint64_t *chosen = image->chosen + i * image->words + first / 64;
    for (int64_t word = 0; word < (stop - first + 63) / 64; word++)
        kept[word] = chosen[word];
    int64_t reach = image->window / 2 * (image->width + 1);
    if (i + reach < first || i - reach >= stop)
        return;
    for (int64_t word = 0; word < local_words(image); word++)
        for (uint64_t bits = image->local[i * local_words(image) + word]; bits; bits &= bits - 1) {
            int64_t key = i + step_to(image, word * 64 + __builtin_ctzll(bits)) - first;
            if (key >= 0 && key < stop - first)
                kept[key / 64] |= (uint64_t)1 << key % 64;
        }
}

/* The dot products of one or four queries from cell i with the keys of the list, four at a time. */
INLINE void form_products(const struct image *image, int64_t i, int64_t first, struct list *list,
                          const int queries)
{
    int64_t depth = image->depth;
    const float *query = image->query + i * depth, *keys = image->key + first * depth;
    for (int64_t at = list->count; at % 4; at++)
        list->key[at] = list->key[0];
    for (int64_t start = 0; start < list->count; start += 4) {
        const float *key[4];
        vec sums[GROUP][4];
        for (int k = 0; k < 4; k++) {
            key[k] = keys + list->key[start + k] * depth;
            for (int q = 0; q < queries; q++)
                sums[q][k] = all(0);
        }
        for (int64_t at = 0; at < depth; at += LANES)
            for (int q = 0; q < queries; q++) {
                vec here = load(query + q * depth + at);
                for (int k = 0; k < 4; k++)
                    sums[q][k] += here * load(key[k] + at);
            }
        for (int q = 0; q < queries; q++)
            four_sums(sums[q], list->weight[q] + start);
    }
}

/* Turns the dot products of one query with the keys of a list into weights. */
static void weigh(const struct image *image, const uint64_t *any, const uint64_t *kept,
                  int64_t words, int64_t i, int64_t count, float *weight)
{
    uint64_t bits[KEY_WORDS + 1] = {0};
    for (int64_t word = 0, at = 0; word < words; word++) {
        uint64_t of_list = side_by_side(kept[word], any[word]);
        bits[at / 64] |= of_list << at % 64;
        if (at % 64)
            bits[at / 64 + 1] |= of_list >> (64 - at % 64);
        at += __builtin_popcountll(any[word]);
    }
    vec reference = all(image->reference[i]);
    for (int64_t at = 0; at < count; at += LANES) {
        store(weight + at, exponential(load(weight + at) * image->scale - reference));
        store(weight + at, load_where(bits[at / 64] >> at % 64, weight + at));
    }
}

/* Lets one or four queries from cell i read the keys from `first` to `stop` that they keep; `rows`,
   where given, has their weights for all keys. */
INLINE void read_few(const struct image *image, uint64_t kept[][KEY_WORDS], const uint64_t *any,
                     int64_t i, int64_t first, int64_t stop, const float *rows, const int queries)
{
    int64_t words = (stop - first + 63) / 64, channels = image->channels;
    struct list list;
    list_keys(any, words, &list);
    if (!rows)
        form_products(image, i, first, &list, queries);
    for (int q = 0; q < queries; q++) {
        float *weight = list.weight[q];
        if (rows)
            take_weights(any, kept[q], words, rows + q * image->n + first, weight);
        else
            weigh(image, any, kept[q], words, i + q, list.count, weight);
        vec total = all(0), most = all(image->strongest[i + q]);
        store(weight + list.count, all(0));
        for (int64_t at = 0; at < list.count; at += LANES) {
            total += load(weight + at);
            most = larger(load(weight + at), most);
        }
        image->mass[i + q] += sum(total);
        image->strongest[i + q] = largest(most);
    }
    read_list(&list, image->value + first * channels, channels, image->output + i * channels, queries);
}

/* Lets up to four queries read, together or one by one. */
static void read_group(const struct image *image, int64_t i, int64_t first, int64_t stop,
                       const float *rows)
{
    uint64_t kept[GROUP][KEY_WORDS];
    int64_t queries = least(GROUP, image->n - i);
    struct few few;
    for (int64_t q = 0; q < queries; q++)
        kept_words(image, i + q, first, stop, kept[q]);
    count_few(kept, queries, (stop - first + 63) / 64, &few);
    for (int64_t q = 0; q < queries; q++)
        image->kept[i + q] += (float)few.counts[q];
    if (better_together(&few, queries)) {
        read_few(image, kept, few.any, i, first, stop, rows, GROUP);
        return;
    }
    for (int64_t q = 0; q < queries; q++)
        if (few.counts[q])
            read_few(image, kept + q, kept[q], i + q, first, stop, rows ? rows + q * image->n : NULL,
                     1);
}

/* Lets queries read keys, run by run; `rows`, where given, has the weights of all from cell
   `origin`. */
static void read_keys(const struct image *image, int64_t start, int64_t stop, int64_t first_key,
                      int64_t last_key, const float *rows, int64_t origin)
{
    int64_t run = run_of(image->channels + (rows ? 0 : image->depth));
    for (int64_t first = first_key; first < last_key; first += run)
        for (int64_t i = start; i < stop; i += GROUP)
            read_group(image, i, first, least(first + run, last_key),
                       rows ? rows + (i - origin) * image->n : NULL);
}

/* ---- what becomes of it ---- */

/* Reads once more where the weights of all that is kept are next to nothing beside those that are
   not: in relation to the strongest kept. */
static void read_again(const struct image *image, int64_t i)
{
    uint64_t kept[1][KEY_WORDS];
    float highest = -INFINITY;
    struct list list;
    for (int64_t first = 0; first < image->n; first += KEYS) {
        int64_t stop = least(first + KEYS, image->n);
        kept_words(image, i, first, stop, kept[0]);
        list_keys(kept[0], (stop - first + 63) / 64, &list);
        form_products(image, i, first, &list, 1);
        for (int64_t k = 0; k < list.count; k++)
            highest = fmaxf(highest, list.weight[0][k] * image->scale);
    }
    image->reference[i] = highest;
    image->mass[i] = image->strongest[i] = 0;
    memset(image->output + i * image->channels, 0, (size_t)image->channels * sizeof(float));
    for (int64_t first = 0; first < image->n; first += KEYS) {
        int64_t stop = least(first + KEYS, image->n);
        kept_words(image, i, first, stop, kept[0]);
        read_few(image, kept, kept[0], i, first, stop, NULL, 1);
    }
}

/* A query that keeps nothing reads itself. */
static void read_itself(const struct image *image, int64_t i)
{
    struct list itself = {.count = 1, .key = {0}};
    form_products(image, i, i, &itself, 1);
    image->reference[i] = itself.weight[0][0] * image->scale;
    image->mass[i] = image->strongest[i] = 1;
    memcpy(image->output + i * image->channels, image->value + i * image->channels,
           (size_t)image->channels * sizeof(float));
}

static void divide(const struct image *image, int64_t i)
{
    if (image->kept[i] == 0)
        read_itself(image, i);
    else if (image->mass[i] < 1e-24f)
        read_again(image, i);
    float relation = image->reference[i] - image->highest[i] - image->log_total[i];
    /* Where the log-sum-exp is not a number, or that of the query itself, nothing is. */
    float share = 1 / image->mass[i] + (isfinite(relation) ? 0 : NAN);
    for (int64_t at = 0; at < image->channels; at++)
        image->output[i * image->channels + at] *= share;
    image->mass[i] = relation + logf(image->mass[i]);
    image->strongest[i] = relation + logf(image->strongest[i]);
}

/* Whether query i keeps key j. */
static bool keeps(const struct image *image, int64_t i, int64_t j)
{
    uint64_t kept[KEY_WORDS];
    kept_words(image, i, j / 64 * 64, least(j / 64 * 64 + 64, image->n), kept);
    return image->kept[i] == 0 ? i == j : kept[0] >> j % 64 & 1;
}

/* ---- what Python calls ---- */

/* Rows from `first`, a multiple of 64: `similarity` is rows x n, and overwritten. Blocks are handed
   over in order, and all but the last are of the same number of rows, a multiple of 64. */
void asa_block(const struct image *image, float *similarity, int64_t first, int64_t rows)
{
    int64_t stop = first + rows, last_square = (stop + 63) / 64;
    int64_t share = (rows / GROUP / image->threads + 1) * GROUP;
#pragma omp parallel num_threads((int)image->threads)
    {
#pragma omp for schedule(dynamic, 8)
        for (int64_t i = first; i < stop; i++)
            decide(image, similarity + (i - first) * image->n, i);
#pragma omp for schedule(dynamic, 8)
        for (int64_t across = 0; across < last_square; across++)
            for (int64_t down = first / 64; down < last_square; down++)
                if (down >= across)
                    symmetrise(image, down, across);
#pragma omp for schedule(dynamic, 1)
        for (int64_t start = first; start < stop; start += share)
            read_keys(image, start, least(start + share, stop), 0, stop, similarity, first);
    }
}

/* After the last block: for each block of `rows` rows the keys behind it, and the division by the
   mass. */
void asa_finish(const struct image *image, int64_t rows)
{
    int64_t n = image->n;
#pragma omp parallel for num_threads((int)image->threads) schedule(dynamic, 1)
    for (int64_t start = 0; start < n; start += ROWS) {
        int64_t stop = least(start + ROWS, n);
        for (int64_t block = start / rows * rows; block < stop; block += rows)
            read_keys(image, block > start ? block : start, least(block + rows, stop), block + rows,
                      n, NULL, 0);
        for (int64_t i = start; i < stop; i++)
            divide(image, i);
    }
}

/* After that, where some values are not finite: 0 times one of them is not a number. `cells` are
   those that have such values. */
void asa_spread(const struct image *image, const int64_t *cells, int64_t number)
{
    int64_t channels = image->channels;
#pragma omp parallel for num_threads((int)image->threads)
    for (int64_t i = 0; i < image->n; i++)
        for (int64_t at = 0; at < number; at++) {
            const float *value = image->value + cells[at] * channels;
            if (!keeps(image, i, cells[at]))
                for (int64_t channel = 0; channel < channels; channel++)
                    if (!isfinite(value[channel]))
                        image->output[i * channels + channel] = NAN;
        }
}
