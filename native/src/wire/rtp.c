#include <mcu/rtp.h>

#include "bytes.h"

#include <string.h>

enum { FIXED = 12, ONE_BYTE = 0xBEDE, TWO_BYTE = 0x1000 };

static void take_text(const char **text, size_t *size, const uint8_t *value, size_t length)
{
    *text = (const char *)value;
    *size = length;
}

/* One extension element: `length` bytes that are there. One that is too short for what it is
 * said to be is ignored. */
static void take_element(struct mcu_rtp *packet, const struct mcu_rtp_extensions *ids,
                         uint8_t id, const uint8_t *value, size_t length)
{
    if (length == 0)
        return;
    if (id == ids->mid) {
        if (length <= MCU_MID_MAX)
            take_text(&packet->mid, &packet->mid_size, value, length);
    } else if (id == ids->level) {
        packet->level = value[0] & 0x7F;
        packet->voice = value[0] >> 7;
    } else if (id == ids->send_time) {
        if (length >= 3) {
            packet->has_send_time = true;
            packet->send_time = get24(value);
        }
    } else if (id == ids->sequence) {
        if (length >= 2) {
            packet->has_wide_sequence = true;
            packet->wide_sequence = get16(value);
        }
    } else if (id == ids->rid) {
        take_text(&packet->rid, &packet->rid_size, value, length);
    } else if (id == ids->repaired) {
        take_text(&packet->repaired, &packet->repaired_size, value, length);
    }
}

/* RFC 8285 section 4.2 and 4.3. Ends at the first element that does not fit. */
static void take_elements(struct mcu_rtp *packet, const struct mcu_rtp_extensions *ids,
                          uint16_t profile, const uint8_t *at, const uint8_t *end)
{
    const bool two_byte = (profile & 0xFFF0) == TWO_BYTE;
    if (!two_byte && profile != ONE_BYTE)
        return;
    while (at < end) {
        if (*at == 0) { /* padding */
            at++;
            continue;
        }
        uint8_t id;
        size_t length;
        if (two_byte) {
            if (end - at < 2)
                return;
            id = at[0];
            length = at[1];
            at += 2;
        } else {
            id = *at >> 4;
            length = (*at & 0x0Fu) + 1;
            at++;
            if (id == 15) /* reserved: nothing after it is to be read */
                return;
        }
        if ((size_t)(end - at) < length)
            return;
        if (id) /* 0 in ids is "not negotiated" */
            take_element(packet, ids, id, at, length);
        at += length;
    }
}

int mcu_rtp_decrypted(struct mcu_rtp *packet, size_t size)
{
    if (size < packet->header_size)
        return -1;
    const size_t payload = size - packet->header_size;
    size_t padding = 0;
    if (packet->padded) {
        padding = payload ? packet->payload[payload - 1] : 0;
        if (padding == 0 || padding > payload)
            return -1;
    }
    packet->payload_size = payload - padding;
    return 0;
}

/* Where the block of extensions is, if there is one: its profile and length come before it. */
static size_t block_of(const uint8_t *data)
{
    return FIXED + 4 * (size_t)(data[0] & 0x0F) + 4;
}

static bool is_extended(const uint8_t *data) { return data[0] & 0x10; }

size_t mcu_rtp_header_size(const uint8_t *data, size_t size)
{
    if (size < FIXED)
        return 0;
    const size_t block = block_of(data);
    size_t header = block - 4;
    if (is_extended(data)) {
        if (size < block)
            return 0;
        header = block + 4 * (size_t)get16(data + block - 2);
    }
    return header <= size ? header : 0;
}

int mcu_rtp_parse(struct mcu_rtp *packet, const uint8_t *data, size_t size,
                  const struct mcu_rtp_extensions *extensions, bool encrypted)
{
    const size_t start = mcu_rtp_header_size(data, size);
    if (!start || data[0] >> 6 != 2)
        return -1;
    *packet = (struct mcu_rtp){
        .payload_type = data[1] & 0x7F,
        .marker = data[1] >> 7,
        .sequence = get16(data + 2),
        .timestamp = get32(data + 4),
        .ssrc = get32(data + 8),
        .payload = data + start,
        .payload_size = size - start,
        .header_size = start,
        .padded = data[0] & 0x20,
        .level = -1,
    };
    if (is_extended(data)) {
        const uint8_t *block = data + block_of(data);
        take_elements(packet, extensions, get16(block - 4), block, data + start);
    }
    return encrypted ? 0 : mcu_rtp_decrypted(packet, size);
}

/* Whether the one-byte form can say this id: RFC 8285 section 4.2. */
static bool sayable(uint8_t id) { return id >= 1 && id <= 14; }

/* The head of a one-byte element; where its value is written. */
static uint8_t *element(uint8_t **at, uint8_t id, size_t length)
{
    uint8_t *value = *at + 1;
    **at = (uint8_t)((size_t)id << 4 | (length - 1));
    *at = value + length;
    return value;
}

static void write_text(uint8_t **at, uint8_t id, const char *text, size_t size)
{
    if (sayable(id) && size && size <= MCU_MID_MAX)
        memcpy(element(at, id, size), text, size);
}

static uint8_t *write_elements(uint8_t *at, const struct mcu_rtp *packet,
                               const struct mcu_rtp_extensions *ids)
{
    write_text(&at, ids->mid, packet->mid, packet->mid_size);
    write_text(&at, ids->rid, packet->rid, packet->rid_size);
    if (sayable(ids->level) && packet->level >= 0)
        *element(&at, ids->level, 1) = (uint8_t)(packet->voice << 7 | (packet->level & 0x7F));
    if (sayable(ids->send_time) && packet->has_send_time)
        put24(element(&at, ids->send_time, 3), packet->send_time);
    if (sayable(ids->sequence) && packet->has_wide_sequence)
        put16(element(&at, ids->sequence, 2), packet->wide_sequence);
    return at;
}

size_t mcu_rtp_write(uint8_t out[MCU_RTP_HEADER_MAX], const struct mcu_rtp *packet,
                     const struct mcu_rtp_extensions *extensions)
{
    out[0] = 0x80;
    out[1] = (uint8_t)(packet->marker << 7 | (packet->payload_type & 0x7F));
    put16(out + 2, packet->sequence);
    put32(out + 4, packet->timestamp);
    put32(out + 8, packet->ssrc);
    uint8_t *const block = out + FIXED + 4;
    uint8_t *end = write_elements(block, packet, extensions);
    if (end == block)
        return FIXED;
    while ((end - block) % 4)
        *end++ = 0;
    out[0] |= 0x10;
    put16(out + FIXED, ONE_BYTE);
    put16(out + FIXED + 2, (uint32_t)(end - block) / 4);
    return (size_t)(end - out);
}

uint32_t mcu_send_time(int64_t now)
{
    const int64_t turn = 64 * 1000000; /* 6 bits of seconds */
    return (uint32_t)((now % turn << 18) / 1000000);
}

/* RFC 3711 appendix A: at exactly half a turn, the number of the same turn. */
static int64_t extend(int64_t reference, uint32_t number, unsigned bits)
{
    const int64_t turn = (int64_t)1 << bits, half = turn / 2;
    if (reference < 0)
        return number;
    int64_t nearest = (reference & ~(turn - 1)) | number;
    if (nearest - reference > half)
        nearest -= turn;
    else if (reference - nearest > half)
        nearest += turn;
    return nearest < 0 ? number : nearest;
}

int64_t mcu_extend16(int64_t reference, uint16_t number)
{
    return extend(reference, number, 16);
}

int64_t mcu_extend24(int64_t reference, uint32_t number)
{
    return extend(reference, number, 24);
}

int64_t mcu_extend32(int64_t reference, uint32_t number)
{
    return extend(reference, number, 32);
}
