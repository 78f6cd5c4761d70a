/* The window around a cell: its places are counted row by row, also where they lie off the map. */

#ifndef ASA_WINDOW_H
#define ASA_WINDOW_H

#include "image.h"
#include "vectors.h"

/* How many words of 64 bits hold one for each place. */
static inline int64_t local_words(const struct image *image)
{
    return (image->window * image->window + 63) / 64;
}

/* How far on the cell at a place of the window is from the one in its middle. */
static inline int64_t step_to(const struct image *image, int64_t place)
{
    int64_t reach = image->window / 2;
    return (place / image->window - reach) * image->width + place % image->window - reach;
}

/* The similarities in the window around cell i in relation to the highest of its row, minus infinity
   off the map, and the logarithm of the mean of their exponentials. `near` has room for a vector
   more than there are places. */
static inline float window_of(const struct image *image, const float *row, int64_t i, float *near)
{
    int64_t window = image->window, reach = window / 2, places = window * window;
    int64_t top = i / image->width - reach, left = i % image->width - reach;
    float count = 0;
    for (int64_t place = 0; place < places + LANES; place++)
        near[place] = -INFINITY;
    for (int64_t y = top < 0 ? 0 : top; y < least(top + window, image->height); y++)
        for (int64_t x = left < 0 ? 0 : left; x < least(left + window, image->width); x++) {
            near[(y - top) * window + x - left] = row[y * image->width + x] - image->highest[i];
            count++;
        }
    vec most = all(-INFINITY), total = all(0);
    for (int64_t place = 0; place < places; place += LANES)
        most = larger(load(near + place), most);
    float highest = largest(most);
    for (int64_t place = 0; place < places; place += LANES)
        total += exponential(load(near + place) - highest);
    return highest > -INFINITY ? highest + logf(sum(total) / count) : highest;
}

#endif
