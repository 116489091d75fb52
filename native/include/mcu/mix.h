/* One tick of sound as sums: who is heard is added up, once for all who listen; whoever talks
 * has themselves taken out again; and what is sent is limited, once. Who may be heard by whom
 * is not known here. Pure. */
#ifndef MCU_MIX_H
#define MCU_MIX_H

#include <mcu/codec.h>

#define MCU_MIX_ROWS 32768 /* added to one sum at most: more might not fit in it */

void mcu_mix_add(int32_t sum[MCU_TICK], const int16_t row[MCU_TICK]);
void mcu_mix_less(int32_t sum[MCU_TICK], const int16_t row[MCU_TICK]);
/* The quarter of it, rounded down: 12 dB. */
void mcu_mix_soften(int32_t sum[MCU_TICK]);
void mcu_mix_limit(const int32_t sum[MCU_TICK], int16_t row[MCU_TICK]);

#endif
