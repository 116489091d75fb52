#include "h264.h"

#include "../wire/bytes.h"

#include <string.h>

/* Pieces as they are cut, and the units that wait to share one. */
struct cutting {
    struct mcu_piece *pieces;
    size_t count, room, most;
    const uint8_t *from, *to; /* what waits: from the first one's start code; NULL: nothing */
    size_t waiting, filled;   /* how many, and bytes of a STAP-A with them */
    uint8_t importance;       /* NRI: the highest inside (RFC 6184 section 5.7.1) */
};

static struct mcu_piece *add(struct cutting *cutting, const uint8_t *at, size_t size)
{
    if (cutting->count == cutting->room)
        return NULL;
    struct mcu_piece *piece = &cutting->pieces[cutting->count++];
    *piece = (struct mcu_piece){.at = at, .size = size};
    return piece;
}

/* What waits goes: one unit as it is, more as a STAP-A. */
static int flush(struct cutting *cutting)
{
    if (!cutting->waiting)
        return 0;
    const bool alone = cutting->waiting == 1;
    const uint8_t *at = cutting->from + (alone ? 3 : 0);
    struct mcu_piece *piece = add(cutting, at, (size_t)(cutting->to - at));
    if (!piece)
        return -1;
    if (!alone) {
        piece->aggregate = true;
        piece->prefix[0] = cutting->importance | MCU_H264_STAP_A;
        piece->prefix_size = 1;
    }
    cutting->waiting = 0;
    return 0;
}

/* Section 5.8. */
static int fragment(struct cutting *cutting, const struct mcu_nal *nal)
{
    const size_t size =
        (size_t)(nal->end - nal->start) - 1; /* the header goes in each prefix */
    const size_t count = (size - 1) / (cutting->most - 2) + 1, each = (size - 1) / count + 1;
    for (size_t at = 0; at < size; at += each) {
        const bool last = size - at <= each;
        struct mcu_piece *piece = add(cutting, nal->start + 1 + at, last ? size - at : each);
        if (!piece)
            return -1;
        piece->prefix[0] = (nal->start[0] & 0xE0) | MCU_H264_FU_A;
        piece->prefix[1] =
            (uint8_t)((at ? 0 : 0x80) | (last ? 0x40 : 0) | (nal->start[0] & 0x1F));
        piece->prefix_size = 2;
    }
    return 0;
}

static void wait_for_more(struct cutting *cutting, const struct mcu_nal *nal)
{
    if (!cutting->waiting) {
        cutting->from = nal->code;
        cutting->filled = 1;
        cutting->importance = 0;
    }
    const uint8_t importance = nal->start[0] & 0x60;
    if (importance > cutting->importance)
        cutting->importance = importance;
    cutting->to = nal->end;
    cutting->filled += 2 + (size_t)(nal->end - nal->start);
    cutting->waiting++;
}

static int cut_unit(struct cutting *cutting, const struct mcu_nal *nal, bool mode0)
{
    const size_t size = (size_t)(nal->end - nal->start);
    const bool fits = size <= cutting->most;
    const bool shares = fits && !mode0 && cutting->filled + 2 + size <= cutting->most;
    if (cutting->waiting && !shares && flush(cutting) < 0)
        return -1;
    if (!fits)
        return mode0 ? -1 : fragment(cutting, nal);
    wait_for_more(cutting, nal);
    return 0;
}

int mcu_h264_cut(const uint8_t *picture, size_t size, size_t most, bool mode0,
                 struct mcu_piece *pieces, size_t room)
{
    struct cutting cutting = {.pieces = pieces, .room = room, .most = most};
    const uint8_t *at = picture, *end = picture + size;
    struct mcu_nal nal;
    while (mcu_nal_next(&at, end, &nal))
        if (cut_unit(&cutting, &nal, mode0) < 0)
            return -1;
    return flush(&cutting) < 0 ? -1 : (int)cutting.count;
}

size_t mcu_h264_write_aggregate(const struct mcu_piece *piece, uint8_t *out)
{
    const uint8_t *at = piece->at, *end = piece->at + piece->size;
    uint8_t *to = out;
    struct mcu_nal nal;
    while (mcu_nal_next(&at, end, &nal)) {
        const size_t size = (size_t)(nal.end - nal.start);
        put16(to, (uint32_t)size);
        memcpy(to + 2, nal.start, size);
        to += 2 + size;
    }
    return (size_t)(to - out);
}
