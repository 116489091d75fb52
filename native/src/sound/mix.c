#include <mcu/mix.h>

void mcu_mix_add(int32_t sum[MCU_TICK], const int16_t row[MCU_TICK])
{
    for (int i = 0; i < MCU_TICK; i++)
        sum[i] += row[i];
}

void mcu_mix_less(int32_t sum[MCU_TICK], const int16_t row[MCU_TICK])
{
    for (int i = 0; i < MCU_TICK; i++)
        sum[i] -= row[i];
}

void mcu_mix_soften(int32_t sum[MCU_TICK])
{
    for (int i = 0; i < MCU_TICK; i++)
        sum[i] = sum[i] >= 0 ? sum[i] / 4 : -((3 - sum[i]) / 4);
}

void mcu_mix_limit(const int32_t sum[MCU_TICK], int16_t row[MCU_TICK])
{
    for (int i = 0; i < MCU_TICK; i++) {
        const int32_t low = sum[i] < INT16_MIN ? INT16_MIN : sum[i];
        row[i] = (int16_t)(low > INT16_MAX ? INT16_MAX : low);
    }
}
