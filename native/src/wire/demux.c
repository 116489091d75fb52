#include <mcu/demux.h>

#include "bytes.h"
#include "stun_message.h"

#include <stdbool.h>

enum { DTLS_HEADER = 13, RTCP_HEADER = 8, RTP_HEADER = 12 };

/* Whether whole DTLS records fill the datagram: content types 20 … 23, DTLS 1.0 or 1.2. */
static bool is_dtls(const uint8_t *data, size_t size)
{
    size_t at = 0;
    while (at < size) {
        const uint8_t *record = data + at;
        if (size - at < DTLS_HEADER || record[0] < 20 || record[0] > 23)
            return false;
        const uint16_t version = get16(record + 1);
        if (version != 0xFEFF && version != 0xFEFD)
            return false;
        const size_t length = DTLS_HEADER + (size_t)get16(record + 11);
        if (size - at < length)
            return false;
        at += length;
    }
    return size > 0;
}

/* RFC 5761 section 4: packet types 192 … 223 are RTCP, which payload types 64 … 95 give way to
 */
static enum mcu_datagram rtp_or_rtcp(const uint8_t *data, size_t size)
{
    if (size < RTCP_HEADER)
        return MCU_IS_NOTHING;
    if (data[1] >= 192 && data[1] <= 223)
        return MCU_IS_RTCP;
    return size < RTP_HEADER ? MCU_IS_NOTHING : MCU_IS_RTP;
}

/* RFC 7983 section 7 */
enum mcu_datagram mcu_demux(const uint8_t *data, size_t size)
{
    if (size == 0)
        return MCU_IS_NOTHING;
    if (data[0] <= 3)
        return size >= STUN_HEADER && get32(data + 4) == STUN_COOKIE ? MCU_IS_STUN
                                                                     : MCU_IS_NOTHING;
    if (data[0] >= 20 && data[0] <= 63)
        return is_dtls(data, size) ? MCU_IS_DTLS : MCU_IS_NOTHING;
    if (data[0] >= 128 && data[0] <= 191)
        return rtp_or_rtcp(data, size);
    return MCU_IS_NOTHING;
}
