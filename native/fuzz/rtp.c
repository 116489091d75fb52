/* RTP headers: any datagram is read within its bounds; what was read of it is written and read
 * again as the same. */
#include "fuzz.h"

#include <mcu/rtp.h>

#include <string.h>

static const struct mcu_rtp_extensions ids = {
    .mid = 1, .rid = 5, .repaired = 6, .level = 2, .send_time = 3, .sequence = 4};

static void check_within(const char *text, size_t size, const uint8_t *data, size_t all)
{
    const uint8_t *at = (const uint8_t *)text;
    HOLDS(!at || (size > 0 && at >= data && at + size <= data + all));
}

static void check_again(const struct mcu_rtp *packet)
{
    uint8_t out[MCU_RTP_HEADER_MAX];
    struct mcu_rtp again;
    const size_t size = mcu_rtp_write(out, packet, &ids);
    HOLDS(size <= sizeof out);
    HOLDS(mcu_rtp_parse(&again, out, size, &ids, false) == 0);
    HOLDS(again.header_size == size && again.payload_size == 0);
    HOLDS(again.payload_type == packet->payload_type && again.marker == packet->marker);
    HOLDS(again.sequence == packet->sequence && again.timestamp == packet->timestamp);
    HOLDS(again.ssrc == packet->ssrc && again.level == packet->level);
    HOLDS(again.voice == packet->voice || packet->level < 0);
    HOLDS(again.mid_size == packet->mid_size);
    HOLDS(!again.mid || memcmp(again.mid, packet->mid, again.mid_size) == 0);
    HOLDS(again.has_send_time == packet->has_send_time);
    HOLDS(again.send_time == packet->send_time);
    HOLDS(again.has_wide_sequence == packet->has_wide_sequence);
    HOLDS(again.wide_sequence == packet->wide_sequence);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mcu_rtp packet, sealed;
    const int verdict = mcu_rtp_parse(&packet, data, size, &ids, false);
    const int whole = mcu_rtp_parse(&sealed, data, size, &ids, true);
    HOLDS(verdict || whole == 0);
    for (size_t left = size > 32 ? size - 32 : 0; whole == 0 && left < size; left++) {
        struct mcu_rtp opened = sealed;
        HOLDS(mcu_rtp_decrypted(&opened, left) ||
              opened.header_size + opened.payload_size <= left);
    }
    if (verdict)
        return 0;
    HOLDS(packet.payload == data + packet.header_size);
    HOLDS(packet.header_size + packet.payload_size <= size);
    HOLDS(sealed.header_size == packet.header_size);
    HOLDS(sealed.payload_size == size - sealed.header_size);
    HOLDS(mcu_rtp_decrypted(&sealed, size) == 0);
    HOLDS(sealed.payload_size == packet.payload_size);
    check_within(packet.mid, packet.mid_size, data, size);
    check_within(packet.rid, packet.rid_size, data, size);
    check_within(packet.repaired, packet.repaired_size, data, size);
    check_again(&packet);
    return 0;
}
