#include "narrow.h"

int mcu_narrow_duration(const uint8_t *payload, size_t size)
{
    (void)payload;
    return size >= 1 && size <= MCU_PACKET_SAMPLES / 6 ? (int)size * 6 : -1;
}

int mcu_narrow_play(struct mcu_narrow *narrow, int factor, int16_t *decoded, int count,
                    int16_t *out)
{
    mcu_conceal_heard(&narrow->concealer, MCU_RATE / factor, decoded, count);
    mcu_upsample(&narrow->up, factor, decoded, (size_t)count, out);
    return count * factor;
}

void mcu_narrow_conceal(struct mcu_narrow *narrow, int factor, int samples, int16_t *out)
{
    int16_t made[MCU_TICK / 3];
    mcu_conceal_missing(&narrow->concealer, MCU_RATE / factor, made, samples / factor);
    mcu_upsample(&narrow->up, factor, made, (size_t)(samples / factor), out);
}
