#include "h264.h"

#include "../wire/bytes.h"

#include <string.h>

static const uint8_t START[] = {0, 0, 0, 1};

static bool may_begin(unsigned type)
{
    return type == MCU_H264_SPS || type == MCU_H264_DELIMITER;
}

/* The next unit of a STAP-A (RFC 6184 section 5.7.1); -1: cut short, or empty. */
static int next_unit(const uint8_t *payload, size_t size, size_t *at, const uint8_t **unit,
                     size_t *unit_size)
{
    if (size - *at < 3)
        return -1;
    *unit_size = get16(payload + *at);
    if (!*unit_size || *unit_size > size - *at - 2)
        return -1;
    *unit = payload + *at + 2;
    *at += 2 + *unit_size;
    return 0;
}

static int look_at_aggregate(const uint8_t *payload, size_t size, struct mcu_payload *seen)
{
    const uint8_t *unit;
    size_t unit_size;
    for (size_t at = 1; at < size;) {
        const bool first = at == 1;
        if (next_unit(payload, size, &at, &unit, &unit_size) < 0)
            return -1;
        const unsigned type = unit[0] & 0x1F;
        seen->begins |= first && may_begin(type);
        seen->key |= type == MCU_H264_IDR;
    }
    return 0;
}

int mcu_h264_look(const uint8_t *payload, size_t size, bool mode0, struct mcu_payload *seen)
{
    *seen = (struct mcu_payload){.picture_id = -1, .temporal = -1};
    if (!size)
        return -1;
    const unsigned type = payload[0] & 0x1F;
    if (type >= 1 && type <= 23) {
        seen->begins = may_begin(type);
        seen->key = type == MCU_H264_IDR;
        return 0;
    }
    if (!mode0 && type == MCU_H264_STAP_A && size > 1)
        return look_at_aggregate(payload, size, seen);
    if (mode0 || type != MCU_H264_FU_A || size < 3)
        return -1;
    seen->begins = (payload[1] & 0x80) && may_begin(payload[1] & 0x1F);
    seen->key = (payload[1] & 0x1F) == MCU_H264_IDR;
    return 0;
}

static void put(uint8_t *out, size_t *used, const void *bytes, size_t size)
{
    memcpy(out + *used, bytes, size);
    *used += size;
}

static int append_unit(const uint8_t *unit, size_t size, uint8_t *out, size_t room,
                       size_t *used)
{
    if (size + sizeof START > room - *used)
        return -1;
    put(out, used, START, sizeof START);
    put(out, used, unit, size);
    return 0;
}

/* What does not fit is refused whole: *used moves with the last unit. */
static int append_aggregate(const uint8_t *payload, size_t size, uint8_t *out, size_t room,
                            size_t *used)
{
    const uint8_t *unit;
    size_t unit_size, filled = *used;
    for (size_t at = 1; at < size;)
        if (next_unit(payload, size, &at, &unit, &unit_size) < 0 ||
            append_unit(unit, unit_size, out, room, &filled) < 0)
            return -1;
    *used = filled;
    return 0;
}

/* RFC 6184 section 5.8: the unit's header is put together from the indicator and the FU
 * header. */
static int append_fragment(const uint8_t *payload, size_t size, bool first, uint8_t *out,
                           size_t room, size_t *used)
{
    const bool start = payload[1] & 0x80;
    if ((first && !start) || (start ? size + 3 : size - 2) > room - *used)
        return -1;
    if (start) {
        const uint8_t header = (uint8_t)((payload[0] & 0xE0) | (payload[1] & 0x1F));
        put(out, used, START, sizeof START);
        put(out, used, &header, 1);
    }
    put(out, used, payload + 2, size - 2);
    return 0;
}

int mcu_h264_append(const uint8_t *payload, size_t size, bool mode0, bool first, uint8_t *out,
                    size_t room, size_t *used)
{
    if (!size)
        return -1;
    const unsigned type = payload[0] & 0x1F;
    if (type >= 1 && type <= 23)
        return append_unit(payload, size, out, room, used);
    if (!mode0 && type == MCU_H264_STAP_A && size > 1)
        return append_aggregate(payload, size, out, room, used);
    if (mode0 || type != MCU_H264_FU_A || size < 3)
        return -1;
    return append_fragment(payload, size, first, out, room, used);
}

/* Whether there is a unit of one of these types, a bit each. */
static bool has(const uint8_t *picture, size_t size, uint32_t types)
{
    const uint8_t *end = picture + size, *at = mcu_nal_start_code(picture, end);
    for (; end - at > 3; at = mcu_nal_start_code(at + 3, end))
        if (types >> (at[3] & 0x1F) & 1)
            return true;
    return false;
}

bool mcu_h264_key(const uint8_t *picture, size_t size)
{
    return has(picture, size, 1u << MCU_H264_IDR);
}

bool mcu_h264_has_slice(const uint8_t *picture, size_t size)
{
    return has(picture, size, ((1u << (MCU_H264_IDR + 1)) - 1) & ~1u);
}
