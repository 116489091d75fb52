/* The first look at a datagram, and DTLS by it: what is called a protocol has that protocol's
 * head whole. */
#include "fuzz.h"

#include <mcu/demux.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    switch (mcu_demux(data, size)) {
    case MCU_IS_STUN:
        HOLDS(size >= 20 && data[0] < 4);
        break;
    case MCU_IS_DTLS:
        HOLDS(size >= 13 && data[0] >= 20 && data[0] <= 23 && data[1] == 0xFE);
        HOLDS(mcu_demux(data, size - 1) != MCU_IS_DTLS); /* nothing is left over */
        break;
    case MCU_IS_RTP:
        HOLDS(size >= 12 && data[0] >> 6 == 2);
        break;
    case MCU_IS_RTCP:
        HOLDS(size >= 8 && data[0] >> 6 == 2 && data[1] >= 192 && data[1] <= 223);
        break;
    case MCU_IS_NOTHING:
        break;
    }
    return 0;
}
