/* ITU-T G.711: each octet is a sign, a segment of three bits, and a step of four; the steps
 * double from segment to segment. Samples are of 16 bits, of which the laws keep 13 and 14. */
#ifndef MCU_SOUND_G711_H
#define MCU_SOUND_G711_H

#include <stdint.h>

extern const int16_t mcu_alaw[256], mcu_mulaw[256]; /* samples, by octet */

uint8_t mcu_to_alaw(int16_t sample);
uint8_t mcu_to_mulaw(int16_t sample);

#endif
