/* The gradients of adaptive sparse attention of one image. Of a block of rows four products with all
   cells are given: with both directions of each pair at hand a row gathers whatever is its own, and
   no two threads add to the same.

   With P the affinity, M the mass a query keeps, g the gradient of its output and o the output, letting
   key j into row i changes the loss by P_ij / M_i (g_i v_j - g_i o_i), the pair's `change`; what is
   left out counts for no more than the strongest kept. Inside the support that is the gradient of the
   similarity. The thresholds learn by it through the slope of a sigmoid: that of a query at each pair
   that is not local and where the other end chooses it, in both directions; the local scale at each
   pair of the window that is not reciprocal. */

#include "sums.h"
#include "window.h"

struct gradient {
    int64_t stride; /* of rows of similarities, and of the padded vectors below: 64 x words */
    const float *to_output;
    const float *highest, *log_total, *log_threshold, *log_mass, *limit, *mean; /* padded */
    float *similarity, *incoming; /* rows x stride: with every key, and of it with the query */
    float *gain, *incoming_gain;  /* rows x stride: g_i v_j and g_j v_i */
    uint64_t *keeps, *is_kept;    /* rows x words: whether query i keeps key j, and j keeps i */
    float *to_query, *to_key, *to_value;
    float *to_log_threshold, *to_log_local;
};

static inline vec smaller(vec x, vec y)
{
    return -larger(-x, -y);
}

/* The slope of a sigmoid of width 1. */
static inline vec slope(vec margin)
{
    vec power = exponential(smaller(margin, -margin));
    return power / ((1 + power) * (1 + power));
}

static inline bool bit(const uint64_t *words, int64_t at)
{
    return words[at / 64] >> at % 64 & 1;
}

/* The local rule at cell i: sets the pairs that it keeps, in both directions, and adds up what the
   local scale learns. */
static void teach_local(const struct image *image, const struct gradient *g, int64_t i, int64_t row,
                        uint64_t *local, uint64_t *local_to)
{
    int64_t places = image->window * image->window, words = local_words(image);
    const float *incoming = g->incoming + row * g->stride, *gain = g->gain + row * g->stride;
    float near[places + LANES], taught = 0;
    float log_mean = window_of(image, g->similarity + row * g->stride, i, near);
    for (int64_t place = 0; place < places; place++) {
        int64_t j = i + step_to(image, place);
        int64_t across = i % image->width + place % image->window - image->window / 2;
        if (j < 0 || j >= image->n || across < 0 || across >= image->width)
            continue;
        if (bit(image->local + i * words, place))
            local[j / 64] |= (uint64_t)1 << j % 64;
        if (bit(image->local + j * words, places - 1 - place))
            local_to[j / 64] |= (uint64_t)1 << j % 64;
        float level = near[place] - g->log_total[i];
        float back = incoming[j] - g->highest[j] - g->log_total[j];
        if (level - g->log_threshold[i] >= -image->slack &&
            back - g->log_threshold[j] >= -image->slack)
            continue;
        float share = expf(fminf(level - g->log_mass[i], g->limit[i]));
        float margin = near[place] - log_mean - image->log_local[i];
        float power = expf(-fabsf(margin));
        taught += share * (gain[j] - g->mean[i]) * power / ((1 + power) * (1 + power));
    }
    g->to_log_local[i] = -taught;
}

/* Puts in place of the products of a row what each pair's similarities and weights change; a pair of
   which neither end needs it is left. */
static void teach(const struct image *image, const struct gradient *g, int64_t i, int64_t row)
{
    uint64_t *keeps = g->keeps + row * image->words, *is_kept = g->is_kept + row * image->words;
    memset(keeps, 0, (size_t)image->words * sizeof *keeps);
    memset(is_kept, 0, (size_t)image->words * sizeof *is_kept);
    teach_local(image, g, i, row, keeps, is_kept);

    float *similarity = g->similarity + row * g->stride, *incoming = g->incoming + row * g->stride;
    float *gain = g->gain + row * g->stride, *incoming_gain = g->incoming_gain + row * g->stride;
    const uint64_t every = LANES == 64 ? ~(uint64_t)0 : ((uint64_t)1 << LANES) - 1;
    vec tie = all(-image->slack), taught = all(0);
    for (int64_t word = 0; word < image->words; word++) {
        int64_t over = image->n - 64 * word;
        uint64_t real = over < 64 ? ((uint64_t)1 << over) - 1 : ~(uint64_t)0;
        uint64_t local = keeps[word], local_to = is_kept[word], reciprocal = 0;
        for (int at = 0; at < 64; at += LANES) {
            int64_t j = 64 * word + at;
            vec level = load(similarity + j) - g->highest[i] - g->log_total[i];
            vec back = load(incoming + j) - load(g->highest + j) - load(g->log_total + j);
            vec margin = level - g->log_threshold[i];
            uint64_t chosen = reaches(margin, tie);
            uint64_t chooses = reaches(back - load(g->log_threshold + j), tie) & real >> at;
            uint64_t own = local >> at & every, theirs = local_to >> at & every;
            if (!(chooses | own | theirs))
                continue;
            reciprocal |= (chosen & chooses) << at;
            vec share = exponential(smaller(level - g->log_mass[i], all(g->limit[i])));
            vec change = share * (load(gain + j) - g->mean[i]);
            vec back_share =
                exponential(smaller(back - load(g->log_mass + j), load(g->limit + j)));
            vec back_change = back_share * (load(incoming_gain + j) - load(g->mean + j));
            taught += only(chooses, slope(margin) *
                                        (only(~own, change) + only(~theirs, back_change)));
            store(similarity + j, change);
            store(incoming + j, back_change);
            store(gain + j, back_share);
        }
        keeps[word] |= reciprocal;
        is_kept[word] |= reciprocal;
    }
    g->to_log_threshold[i] = -sum(taught);
}

/* Adds to what one or four rows of `output` have the weighted rows of a table of `channels`. */
INLINE void gather_few(uint64_t kept[][KEY_WORDS], const uint64_t *any, int64_t words,
                       const float *weights, int64_t stride, const float *table, int64_t channels,
                       float *output, const int queries)
{
    struct list list;
    list_keys(any, words, &list);
    for (int q = 0; q < queries; q++)
        take_weights(any, kept[q], words, weights + q * stride, list.weight[q]);
    read_list(&list, table, channels, output, queries);
}

/* Rows `start` to `stop` of a block gather rows of a table, run by run. */
static void gather(const struct image *image, const struct gradient *g, int64_t start, int64_t stop,
                   const uint64_t *bits, const float *weights, const float *table, int64_t channels,
                   float *output)
{
    int64_t run = run_of(channels);
    for (int64_t first = 0; first < image->n; first += run)
        for (int64_t row = start; row < stop; row += GROUP) {
            int64_t words = least(run / 64, image->words - first / 64);
            int64_t queries = least(GROUP, stop - row);
            uint64_t kept[GROUP][KEY_WORDS];
            struct few few;
            for (int64_t q = 0; q < queries; q++)
                memcpy(kept[q], bits + (row + q) * image->words + first / 64,
                       (size_t)words * sizeof **kept);
            count_few(kept, queries, words, &few);
            const float *from = weights + row * g->stride + first, *rows = table + first * channels;
            if (better_together(&few, queries)) {
                gather_few(kept, few.any, words, from, g->stride, rows, channels,
                           output + row * channels, GROUP);
                continue;
            }
            for (int64_t q = 0; q < queries; q++)
                if (few.counts[q])
                    gather_few(kept + q, kept[q], words, from + q * g->stride, g->stride, rows,
                               channels, output + (row + q) * channels, 1);
        }
}

/* ---- what Python calls ---- */

/* Rows from `first`: the four products are overwritten. */
void asa_backward(const struct image *image, const struct gradient *g, int64_t first, int64_t rows)
{
    int64_t share = (rows / GROUP / image->threads + 1) * GROUP;
    int64_t depth = image->depth, channels = image->channels;
#pragma omp parallel num_threads((int)image->threads)
    {
#pragma omp for schedule(dynamic, 8)
        for (int64_t row = 0; row < rows; row++)
            teach(image, g, first + row, row);
#pragma omp for schedule(dynamic, 1)
        for (int64_t start = 0; start < rows; start += share) {
            int64_t stop = least(start + share, rows);
            gather(image, g, start, stop, g->keeps, g->similarity, image->key, depth,
                   g->to_query + first * depth);
            gather(image, g, start, stop, g->is_kept, g->incoming, image->query, depth,
                   g->to_key + first * depth);
            gather(image, g, start, stop, g->is_kept, g->gain, g->to_output, channels,
                   g->to_value + first * channels);
        }
    }
}
