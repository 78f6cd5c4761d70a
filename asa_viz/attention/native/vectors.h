/* Vectors of floats: the widest that the compiler may use here, and the few operations on them that
   C has no sign for. Everything else is written with its operators; a * b + c becomes one
   instruction where there is one. */

#ifndef ASA_VECTORS_H
#define ASA_VECTORS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#include <immintrin.h>
enum { LANES = 16, WIDE = 16, TILE = 4 };
#elif defined(__AVX2__)
#include <immintrin.h>
enum { LANES = 8, WIDE = 8, TILE = 2 };
#elif defined(__ARM_NEON)
enum { LANES = 4, WIDE = 16, TILE = 4 };
#else
enum { LANES = 4, WIDE = 8, TILE = 2 };
#endif
/* WIDE: how many vectors one query's sums may take in registers; TILE: those of each of four. */

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t ivec __attribute__((vector_size(4 * LANES)));

static inline vec load(const float *from)
{
    vec loaded;
    memcpy(&loaded, from, sizeof loaded);
    return loaded;
}

static inline void store(float *to, vec stored)
{
    memcpy(to, &stored, sizeof stored);
}

static inline vec all(float x)
{
    return x - (vec){0};
}

/* The larger of the two; y where either is not a number. */
static inline vec larger(vec x, vec y)
{
#if defined(__AVX512F__)
    return (vec)_mm512_max_ps((__m512)x, (__m512)y);
#elif defined(__AVX2__)
    return (vec)_mm256_max_ps((__m256)x, (__m256)y);
#else
    ivec first = x > y;
    return (vec)((first & (ivec)x) | (~first & (ivec)y));
#endif
}

/* One bit a lane: whether x >= y. */
static inline uint64_t reaches(vec x, vec y)
{
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask((__m512)x, (__m512)y, _CMP_GE_OQ);
#elif defined(__AVX2__)
    return (uint64_t)_mm256_movemask_ps(_mm256_cmp_ps((__m256)x, (__m256)y, _CMP_GE_OQ));
#else
    ivec is = x >= y;
    uint64_t bits = 0;
    for (int lane = 0; lane < LANES; lane++)
        bits |= (uint64_t)(is[lane] & 1) << lane;
    return bits;
#endif
}

/* The floats from `from` whose bit is set, 0 for the others, which are not read. */
static inline vec load_where(uint64_t bits, const float *from)
{
#if defined(__AVX512F__)
    return (vec)_mm512_maskz_loadu_ps((__mmask16)bits, from);
#elif defined(__AVX2__)
    const __m256i own = _mm256_set_epi32(128, 64, 32, 16, 8, 4, 2, 1);
    __m256i set = _mm256_and_si256(_mm256_set1_epi32((int)bits), own);
    return (vec)_mm256_maskload_ps(from, _mm256_cmpeq_epi32(set, own));
#else
    vec loaded = {0};
    for (int lane = 0; lane < LANES; lane++)
        if (bits >> lane & 1)
            loaded[lane] = from[lane];
    return loaded;
#endif
}

/* The floats whose bit is set, 0 for the others. */
static inline vec only(uint64_t bits, vec x)
{
#if defined(__AVX512F__)
    return (vec)_mm512_maskz_mov_ps((__mmask16)bits, (__m512)x);
#else
    return load_where(bits, (const float *)&x);
#endif
}

/* Of the bits of `word` those at which `at` has one, side by side. */
static inline uint64_t side_by_side(uint64_t word, uint64_t at)
{
#if defined(__BMI2__)
    return _pext_u64(word, at);
#else
    uint64_t found = 0;
    for (int place = 0; at; place++, at &= at - 1)
        found |= (word >> __builtin_ctzll(at) & 1) << place;
    return found;
#endif
}

static inline float sum(vec x)
{
#if defined(__AVX512F__)
    return _mm512_reduce_add_ps((__m512)x);
#else
    float total = 0;
    for (int lane = 0; lane < LANES; lane++)
        total += x[lane];
    return total;
#endif
}

/* The sums of four vectors. */
static inline void four_sums(const vec x[4], float sums[4])
{
#if defined(__AVX512F__) || defined(__AVX2__)
    __m256 part[4];
    for (int k = 0; k < 4; k++) {
#if defined(__AVX512F__)
        __m512 whole = (__m512)x[k];
        part[k] = _mm256_add_ps(_mm512_castps512_ps256(whole), _mm512_extractf32x8_ps(whole, 1));
#else
        part[k] = (__m256)x[k];
#endif
    }
    __m256 pairs = _mm256_hadd_ps(_mm256_hadd_ps(part[0], part[1]), _mm256_hadd_ps(part[2], part[3]));
    _mm_storeu_ps(sums, _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps(pairs, 1)));
#else
    for (int k = 0; k < 4; k++)
        sums[k] = sum(x[k]);
#endif
}

static inline float largest(vec x)
{
#if defined(__AVX512F__)
    return _mm512_reduce_max_ps((__m512)x);
#else
    float most = x[0];
    for (int lane = 1; lane < LANES; lane++)
        most = x[lane] > most ? x[lane] : most;
    return most;
#endif
}

/* e to the x, within two units of a float's last place, for x up to 88. Below -87, where floats end,
   the smallest that is not subnormal; not a number where x is none. */
static inline vec exponential(vec x)
{
    const float shift = 12582912.0f; /* 1.5 * 2^23: added to it, a float is rounded to a whole */
    x = larger(all(-87.0f), x);
    vec shifted = x * 1.44269504f + shift;
    vec whole = shifted - shift;
    vec rest = x - whole * 0.693359375f + whole * 2.12194440e-4f;
    vec power = rest * 8.290272083e-03f + 4.189815963e-02f;
    power = power * rest + 1.666763813e-01f;
    power = power * rest + 4.999914784e-01f;
    power = power * rest + 9.999997063e-01f;
    power = power * rest + 1.0f;
    return power * (vec)(((ivec)shifted << 23) + 0x3f800000);
}

#endif
