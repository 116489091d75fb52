#include <mcu/rtcp.h>

#include "bytes.h"
#include "rtcp_packet.h"

/* What reading one item of a packet came to. */
enum { MALFORMED = -1, NO_MORE = 0, EVENT = 1 };

int rtcp_take(struct rtcp_packet *packet, size_t *whole, const uint8_t *data, size_t left)
{
    if (left < RTCP_HEAD || data[0] >> 6 != 2)
        return -1;
    const size_t size = 4 * ((size_t)get16(data + 2) + 1);
    if (size > left)
        return -1;
    *whole = size;
    *packet = (struct rtcp_packet){
        .data = data, .size = size, .count = data[0] & 31, .type = data[1]};
    if (data[0] & 0x20) {
        /* RFC 3550 section 6.4.1: only of the last packet, and a multiple of four; libwebrtc
         * pads each report of arrivals by what it needs */
        const size_t padding = data[size - 1];
        const bool wide = packet->type == RTCP_RTPFB && packet->count == RTPFB_WIDE;
        if (padding == 0 || padding > size - RTCP_HEAD ||
            (!wide && (padding % 4 || size != left)))
            return -1;
        packet->size -= padding;
    }
    return 0;
}

static void take_block(struct mcu_rtcp_event *event, const uint8_t *block)
{
    event->kind = MCU_RTCP_REPORT;
    event->media_ssrc = get32(block);
    event->fraction_lost = block[4];
    event->lost = (int32_t)(get24(block + 5) ^ 0x800000) - 0x800000;
    event->highest = get32(block + 8);
    event->jitter = get32(block + 12);
    event->last_sr = get32(block + 16);
    event->delay = get32(block + 20);
}

static int read_report(const struct rtcp_packet *packet, size_t item,
                       struct mcu_rtcp_event *event)
{
    const bool sender = packet->type == RTCP_SR;
    const size_t fixed = sender ? RTCP_SR_FIXED : RTCP_RR_FIXED;
    if (packet->size < fixed + RTCP_BLOCK * (size_t)packet->count)
        return MALFORMED;
    event->ssrc = get32(packet->data + 4);
    if (sender && item == 0) {
        event->kind = MCU_RTCP_SENDER;
        event->ntp = get64(packet->data + 8);
        event->timestamp = get32(packet->data + 16);
        event->packets = get32(packet->data + 20);
        event->bytes = get32(packet->data + 24);
        return EVENT;
    }
    const size_t block = item - (sender ? 1 : 0);
    if (block >= packet->count)
        return NO_MORE;
    take_block(event, packet->data + fixed + RTCP_BLOCK * block);
    return EVENT;
}

static int read_bye(const struct rtcp_packet *packet, size_t item,
                    struct mcu_rtcp_event *event)
{
    if (packet->size < RTCP_HEAD + 4 * (size_t)packet->count)
        return MALFORMED;
    if (item >= packet->count)
        return NO_MORE;
    event->kind = MCU_RTCP_BYE;
    event->ssrc = get32(packet->data + RTCP_HEAD + 4 * item);
    return EVENT;
}

/* What is said as exponent and mantissa, or the most that can be. */
static uint64_t scaled(uint32_t mantissa, unsigned exponent)
{
    const uint64_t number = (uint64_t)mantissa << exponent;
    return number >> exponent == mantissa ? number : UINT64_MAX;
}

/* One entry of the FCI, each `size` bytes; NULL where there are no more. */
static const uint8_t *entry(const struct rtcp_packet *packet, size_t item, size_t size)
{
    const size_t at = RTCP_FEEDBACK + item * size;
    return packet->size >= at + size ? packet->data + at : NULL;
}

static int read_transport(const struct rtcp_packet *packet, size_t item,
                          struct mcu_rtcp_event *event)
{
    const uint8_t *fci;
    switch (packet->count) {
    case RTPFB_NACK: /* RFC 4585 section 6.2.1 */
        fci = entry(packet, item, 4);
        if (!fci)
            return NO_MORE;
        event->kind = MCU_RTCP_NACK;
        event->pid = get16(fci);
        event->mask = get16(fci + 2);
        return EVENT;
    case RTPFB_TMMBR: /* RFC 5104 section 4.2.1.1 */
        fci = entry(packet, item, 8);
        if (!fci)
            return NO_MORE;
        event->kind = MCU_RTCP_TMMBR;
        event->media_ssrc = get32(fci);
        event->bits_per_second = scaled(get32(fci + 4) >> 9 & 0x1FFFF, fci[4] >> 2);
        event->overhead = get32(fci + 4) & 0x1FF;
        return EVENT;
    case RTPFB_WIDE:
        if (item)
            return NO_MORE;
        event->kind = MCU_RTCP_WIDE;
        event->body = packet->data + RTCP_FEEDBACK;
        event->body_size = packet->size - RTCP_FEEDBACK;
        return EVENT;
    default:
        return NO_MORE;
    }
}

/* draft-alvestrand-rmcat-remb-03 section 2.2 */
static int read_remb(const struct rtcp_packet *packet, size_t item,
                     struct mcu_rtcp_event *event)
{
    const uint8_t *fci = entry(packet, 0, 8);
    if (item || !fci || get32(fci) != RTCP_REMB)
        return NO_MORE;
    if (packet->size < RTCP_FEEDBACK + 8 + 4 * (size_t)fci[4])
        return MALFORMED;
    event->kind = MCU_RTCP_REMB;
    event->bits_per_second = scaled(get24(fci + 5) & 0x3FFFF, fci[5] >> 2);
    event->body = fci + 8;
    event->body_size = 4 * (size_t)fci[4];
    return EVENT;
}

static int read_payload(const struct rtcp_packet *packet, size_t item,
                        struct mcu_rtcp_event *event)
{
    const uint8_t *fci;
    switch (packet->count) {
    case PSFB_PLI:
        event->kind = MCU_RTCP_PLI;
        return item ? NO_MORE : EVENT;
    case PSFB_FIR: /* RFC 5104 section 4.3.1.1 */
        fci = entry(packet, item, 8);
        if (!fci)
            return NO_MORE;
        event->kind = MCU_RTCP_FIR;
        event->media_ssrc = get32(fci);
        event->command = fci[4];
        return EVENT;
    case PSFB_APPLICATION:
        return read_remb(packet, item, event);
    default:
        return NO_MORE;
    }
}

static int read_item(const struct rtcp_packet *packet, size_t item,
                     struct mcu_rtcp_event *event)
{
    *event = (struct mcu_rtcp_event){0};
    switch (packet->type) {
    case RTCP_SR:
    case RTCP_RR:
        return read_report(packet, item, event);
    case RTCP_BYE:
        return read_bye(packet, item, event);
    case RTCP_RTPFB:
    case RTCP_PSFB:
        if (packet->size < RTCP_FEEDBACK)
            return MALFORMED;
        event->ssrc = get32(packet->data + 4);
        event->media_ssrc = get32(packet->data + 8);
        return packet->type == RTCP_RTPFB ? read_transport(packet, item, event)
                                          : read_payload(packet, item, event);
    default:
        return NO_MORE;
    }
}

int mcu_rtcp_next(struct mcu_rtcp_reader *reader, struct mcu_rtcp_event *event)
{
    while (reader->at < reader->size) {
        struct rtcp_packet packet;
        size_t whole = 0;
        int found =
            rtcp_take(&packet, &whole, reader->data + reader->at, reader->size - reader->at);
        if (found == 0)
            found = read_item(&packet, reader->item, event);
        if (found == EVENT) {
            reader->item++;
            return 1;
        }
        if (found == MALFORMED) {
            reader->at = reader->size;
            return -1;
        }
        reader->at += whole;
        reader->item = 0;
    }
    return 0;
}
