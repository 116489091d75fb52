#include "vp8.h"

#include "../wire/bytes.h"

#include <string.h>

enum { X = 0x80, S = 0x10, PID = 0x07 };                   /* the descriptor's first byte */
enum { I = 0x80, L = 0x40, T = 0x20, K = 0x10, M = 0x80 }; /* the optional ones */
enum { DESCRIPTOR = 4 };                                   /* bytes of those that we write */

/* The descriptor's optional bytes (RFC 7741 section 4.2): where the frame's bytes begin, or 0
 * where it is cut short. */
static size_t read_optional(const uint8_t *payload, size_t size, struct mcu_payload *seen)
{
    size_t at = 2;
    if (size < 3)
        return 0;
    const uint8_t which = payload[1];
    if (which & I) {
        const bool wide = payload[at] & M;
        if (at + wide >= size)
            return 0;
        seen->picture_id = wide ? get16(payload + at) & 0x7FFF : payload[at] & 0x7F;
        at += 1 + wide;
    }
    if (which & L)
        at++; /* TL0PICIDX */
    if (which & (T | K)) {
        if (at >= size)
            return 0;
        if (which & T) {
            seen->temporal = payload[at] >> 6;
            seen->layer_sync = payload[at] & 0x20;
        }
        at++;
    }
    return at;
}

/* Where the frame's bytes begin, of which there is one at least; 0: malformed. */
static size_t read_descriptor(const uint8_t *payload, size_t size, struct mcu_payload *seen)
{
    *seen = (struct mcu_payload){.picture_id = -1, .temporal = -1};
    if (!size)
        return 0;
    const size_t at = payload[0] & X ? read_optional(payload, size, seen) : 1;
    if (!at || at >= size)
        return 0;
    seen->begins = (payload[0] & (S | PID)) == S;
    seen->key = seen->begins && mcu_vp8_key(payload + at, size - at);
    return at;
}

int mcu_vp8_look(const uint8_t *payload, size_t size, struct mcu_payload *seen)
{
    return read_descriptor(payload, size, seen) ? 0 : -1;
}

int mcu_vp8_append(const uint8_t *payload, size_t size, bool first, uint8_t *out, size_t room,
                   size_t *used)
{
    struct mcu_payload seen;
    const size_t at = read_descriptor(payload, size, &seen);
    if (!at || (first && !seen.begins) || size - at > room - *used)
        return -1;
    memcpy(out + *used, payload + at, size - at);
    *used += size - at;
    return 0;
}

bool mcu_vp8_key(const uint8_t *frame, size_t size) { return size && !(frame[0] & 1); }

/* The frame tag is followed by a start code and 14 bits of width and height each; the upper
 * two bits of either ask for scaling. */
int mcu_vp8_size(const uint8_t *frame, size_t size, struct mcu_size *claimed)
{
    if (!mcu_vp8_key(frame, size))
        return 0;
    if (size < 10 || frame[3] != 0x9D || frame[4] != 0x01 || frame[5] != 0x2A)
        return -1;
    const uint32_t width = (uint32_t)(frame[7] & 0x3F) << 8 | frame[6];
    const uint32_t height = (uint32_t)(frame[9] & 0x3F) << 8 | frame[8];
    if (!width || !height)
        return -1;
    *claimed = (struct mcu_size){width, height, width, height};
    return 1;
}

int mcu_vp8_cut(const uint8_t *frame, size_t size, size_t most, uint16_t picture_id,
                struct mcu_piece *pieces, size_t room)
{
    if (!size)
        return 0;
    const size_t count = (size - 1) / (most - DESCRIPTOR) + 1;
    const size_t each = (size - 1) / count + 1;
    if (count > room)
        return -1;
    for (size_t number = 0; number < count; number++) {
        const size_t at = number * each;
        pieces[number] = (struct mcu_piece){
            .prefix = {(uint8_t)(X | (number ? 0 : S)), I, (uint8_t)(M | picture_id >> 8),
                       (uint8_t)picture_id},
            .prefix_size = DESCRIPTOR,
            .at = frame + at,
            .size = size - at < each ? size - at : each,
        };
    }
    return (int)count;
}
