/* Loudness as RFC 6464 says it. */
#include <mcu/codec.h>

#include <math.h>

int mcu_level(const int16_t *samples, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (uint32_t)(samples[i] * samples[i]);
    if (sum == 0)
        return 127;
    const double power = (double)sum / (double)count / (32768.0 * 32768.0);
    const double level = -10.0 * log10(power);
    return level < 0 ? 0 : level > 127 ? 127 : (int)lround(level);
}
