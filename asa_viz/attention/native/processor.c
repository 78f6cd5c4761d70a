/* What the library was compiled for, and whether the processor has it. */

#if defined(__AVX512F__)
const char *asa_name(void)
{
    return "AVX-512";
}

int asa_runs(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt");
}
#elif defined(__AVX2__)
const char *asa_name(void)
{
    return "AVX2";
}

int asa_runs(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}
#else
const char *asa_name(void)
{
#if defined(__ARM_NEON)
    return "NEON";
#else
    return "plain C";
#endif
}

int asa_runs(void)
{
    return 1;
}
#endif
