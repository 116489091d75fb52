/* Loudness as RFC 6464 says it. */
#include "g711.h"

#include <mcu/codec.h>

#include <math.h>

static int level_of(uint64_t sum, size_t count)
{
    if (sum == 0)
        return 127;
    const double power = (double)sum / (double)count / (32768.0 * 32768.0);
    const double level = -10.0 * log10(power);
    return level < 0 ? 0 : level > 127 ? 127 : (int)lround(level);
}

int mcu_level(const int16_t *samples, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (uint32_t)(samples[i] * samples[i]);
    return level_of(sum, count);
}

int mcu_level_of_payload(enum mcu_audio_codec codec, const uint8_t *payload, size_t size)
{
    if (codec != MCU_PCMA && codec != MCU_PCMU)
        return -1;
    const int16_t *samples = codec == MCU_PCMA ? mcu_alaw : mcu_mulaw;
    uint64_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += (uint32_t)(samples[payload[i]] * samples[payload[i]]);
    return level_of(sum, size);
}
