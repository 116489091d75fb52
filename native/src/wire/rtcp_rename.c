#include <mcu/rtcp.h>

#include "bytes.h"
#include "rtcp_packet.h"

/* Where names are given in one packet. */
struct naming {
    uint8_t *data;
    size_t size;
    mcu_rtcp_namer namer;
    void *of;
};

static bool at(const struct naming *naming, size_t place, bool own)
{
    if (place + 4 > naming->size)
        return false;
    uint32_t ssrc = get32(naming->data + place);
    if (!naming->namer(naming->of, own, &ssrc))
        return false;
    put32(naming->data + place, ssrc);
    return true;
}

/* So many of them, one each `step` bytes. */
static bool row(const struct naming *naming, size_t place, size_t step, size_t count, bool own)
{
    for (size_t i = 0; i < count; i++)
        if (!at(naming, place + i * step, own))
            return false;
    return true;
}

/* RFC 3550 section 6.5: a chunk is an SSRC and items, the last of which is 0, and up to a
 * multiple of four. */
static bool chunks(const struct naming *naming, unsigned count)
{
    size_t place = RTCP_HEAD;
    for (unsigned i = 0; i < count; i++) {
        if (!at(naming, place, true))
            return false;
        place += 4;
        while (place < naming->size && naming->data[place])
            place += place + 1 < naming->size ? 2 + (size_t)naming->data[place + 1] : 1;
        place = (place + 4) & ~(size_t)3;
    }
    return true;
}

/* What stands behind the two SSRCs of feedback, where that is SSRCs. */
static bool entries(const struct naming *naming, const struct rtcp_packet *packet)
{
    const size_t fci = naming->size - RTCP_FEEDBACK;
    const uint8_t *first = naming->data + RTCP_FEEDBACK;
    if (packet->type == RTCP_RTPFB &&
        (packet->count == RTPFB_TMMBR || packet->count == RTPFB_TMMBN))
        return row(naming, RTCP_FEEDBACK, 8, fci / 8, packet->count == RTPFB_TMMBN);
    if (packet->type == RTCP_PSFB && packet->count == PSFB_FIR)
        return row(naming, RTCP_FEEDBACK, 8, fci / 8, false);
    if (packet->type == RTCP_PSFB && packet->count == PSFB_APPLICATION && fci >= 8 &&
        get32(first) == RTCP_REMB)
        return row(naming, RTCP_FEEDBACK + 8, 4, first[4], false);
    return true;
}

static bool rename_packet(const struct naming *naming, const struct rtcp_packet *packet)
{
    switch (packet->type) {
    case RTCP_SDES:
        return chunks(naming, packet->count);
    case RTCP_BYE:
        return row(naming, RTCP_HEAD, 4, packet->count, true);
    case RTCP_SR:
        return at(naming, RTCP_HEAD, true) &&
               row(naming, RTCP_SR_FIXED, RTCP_BLOCK, packet->count, false);
    case RTCP_RR:
        return at(naming, RTCP_HEAD, true) &&
               row(naming, RTCP_RR_FIXED, RTCP_BLOCK, packet->count, false);
    case RTCP_RTPFB:
    case RTCP_PSFB:
        return at(naming, RTCP_HEAD, true) && at(naming, RTCP_HEAD + 4, false) &&
               entries(naming, packet);
    default:
        return at(naming, RTCP_HEAD, true);
    }
}

int mcu_rtcp_rename(uint8_t *data, size_t size, mcu_rtcp_namer namer, void *of)
{
    size_t whole;
    for (size_t place = 0; place < size; place += whole) {
        struct rtcp_packet packet;
        if (rtcp_take(&packet, &whole, data + place, size - place))
            return -1;
        const struct naming naming = {
            .data = data + place, .size = packet.size, .namer = namer, .of = of};
        if (!rename_packet(&naming, &packet))
            return -1;
    }
    return 0;
}
