/* Adaptive sparse attention of one image, forward, in three steps:

   1. `decide`: with a whole row of similarities at hand its log-sum-exp is known, and so which keys
      the query chooses, one bit each, and which of its window it keeps by the local rule.
   2. `symmetrise`: who is chosen by whom it chooses: the bits, and their transpose, in squares of
      64 x 64.
   3. `read_keys`: the weighted sum of the values over those that remain.

   `asa_block` does all three for a block of rows, the third as far as both ends of a pair are
   decided, that is for keys up to the end of the block; `asa_finish` does the keys behind, and forms
   the similarities of those that remain once more. */

#include "sums.h"
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
    vec lowest = all(by_exponential ? expf(threshold) : threshold);
    for (int64_t start = 0; start < n; start += 64) {
        float *here = word_of(row, last, n, start);
        uint64_t word = 0;
        for (int at = 0; at < 64; at += LANES) {
            vec reached = load(here + at);
            if (!by_exponential) {
                reached -= highest;
                store(here + at, exponential(reached));
            }
            word |= reaches(reached, lowest) << at;
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
