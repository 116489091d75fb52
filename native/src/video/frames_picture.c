/* Packets in order into pictures. */
#include "frames_parts.h"
#include "h264.h"

#include <stdlib.h>

enum { ROOM_FIRST = 16 * 1024, ROOM_KEPT = 256 * 1024 }; /* bytes for a picture */

void mcu_frames_lose(struct mcu_frames *frames)
{
    struct mcu_assembly *assembly = &frames->assembly;
    if (!assembly->hole && !assembly->spoiled)
        frames->drops[MCU_FRAMES_INCOMPLETE]++;
    assembly->spoiled = assembly->open;
    assembly->hole = true;
    assembly->used = 0;
    frames->broken = true;
    mcu_frames_key_needed(frames);
}

/* The picture being put together cannot be given. */
static void spoil(struct mcu_frames *frames)
{
    frames->assembly.spoiled = true;
    frames->assembly.used = 0;
    frames->broken = true;
    mcu_frames_key_needed(frames);
}

/* The caller is done with the picture. The memory of a very large one goes back: the next ones
 * seldom need it. */
static void take_back(struct mcu_assembly *assembly)
{
    assembly->given = false;
    assembly->used = 0;
    if (assembly->room <= ROOM_KEPT)
        return;
    free(assembly->data);
    assembly->data = NULL;
    assembly->room = 0;
}

/* Room for what a payload of this size adds, or for the largest picture there is. */
static bool make_room(struct mcu_assembly *assembly, size_t size)
{
    size_t room = assembly->room ? assembly->room : ROOM_FIRST;
    const size_t needed = assembly->used + MCU_PAYLOAD_ADDS(size);
    while (room < needed && room < MCU_PICTURE_MAX)
        room *= 2;
    if (room <= assembly->room)
        return true;
    uint8_t *data = realloc(assembly->data, room);
    if (!data)
        return false;
    assembly->data = data;
    assembly->room = room;
    return true;
}

/* After a hole only the payload itself can tell that nothing of its picture is missing. */
static void open_picture(struct mcu_frames *frames, const struct mcu_slot *slot)
{
    struct mcu_assembly *assembly = &frames->assembly;
    assembly->open = assembly->empty = true;
    assembly->spoiled = assembly->hole && !(slot->flags & MCU_SLOT_BEGINS);
    if (assembly->spoiled || slot->codec != assembly->codec)
        assembly->used = 0; /* parameter sets that came before it */
    assembly->timestamp = slot->timestamp;
    assembly->codec = slot->codec;
    assembly->temporal = slot->temporal;
    assembly->layer_sync = slot->flags & MCU_SLOT_SYNC;
}

static void take(struct mcu_frames *frames, const struct mcu_slot *slot)
{
    struct mcu_assembly *assembly = &frames->assembly;
    if (!assembly->open)
        open_picture(frames, slot);
    assembly->hole = false; /* it was before this picture, or in it */
    if (assembly->spoiled)
        return;
    if (slot->flags & MCU_SLOT_MALFORMED) { /* counted when it came */
        spoil(frames);
        return;
    }
    const bool fits = make_room(assembly, slot->size);
    if (fits && slot->codec == assembly->codec &&
        mcu_payload_append(slot->codec, slot->cell, slot->size, assembly->empty,
                           assembly->data, assembly->room, &assembly->used) == 0) {
        assembly->empty = false;
        return;
    }
    const bool long_one = assembly->used + MCU_PAYLOAD_ADDS(slot->size) > MCU_PICTURE_MAX;
    frames->drops[long_one ? MCU_FRAMES_TOO_LARGE : MCU_FRAMES_MALFORMED]++;
    spoil(frames);
}

/* Whether a decoder may see it: a small packet can claim a picture of a gigabyte. */
static bool may_be_seen(struct mcu_frames *frames, bool key)
{
    const struct mcu_assembly *assembly = &frames->assembly;
    struct mcu_size claimed;
    const int claims =
        mcu_picture_size(assembly->codec, assembly->data, assembly->used, &claimed);
    if (claims < 0 || (claims && (uint64_t)claimed.coded_width * claimed.coded_height >
                                     frames->pixels_max)) {
        frames->drops[claims < 0 ? MCU_FRAMES_MALFORMED : MCU_FRAMES_TOO_LARGE]++;
        spoil(frames);
        return false;
    }
    if ((!key && frames->broken) || (key && !claims && !frames->size.width)) {
        frames->drops[MCU_FRAMES_NO_KEY]++;
        return false;
    }
    if (claims)
        frames->size = claimed;
    return true;
}

static void give(struct mcu_frames *frames, struct mcu_picture *picture, bool key)
{
    struct mcu_assembly *assembly = &frames->assembly;
    *picture = (struct mcu_picture){.codec = assembly->codec,
                                    .data = assembly->data,
                                    .size = assembly->used,
                                    .timestamp = assembly->timestamp,
                                    .key = key,
                                    .temporal = assembly->temporal,
                                    .layer_sync = assembly->layer_sync};
    assembly->given = true;
    if (!key)
        return;
    picture->width = frames->size.width;
    picture->height = frames->size.height;
    frames->broken = false;
    mcu_frames_key_came(frames);
}

/* The picture has ended: whether it is given. */
static bool finish(struct mcu_frames *frames, struct mcu_picture *picture)
{
    struct mcu_assembly *assembly = &frames->assembly;
    assembly->open = false;
    if (assembly->spoiled || assembly->empty)
        return false;
    if (assembly->codec != MCU_VP8 && !mcu_h264_has_slice(assembly->data, assembly->used))
        return false; /* parameter sets on their own: they go with the next picture */
    const bool key = mcu_picture_key(assembly->codec, assembly->data, assembly->used);
    const bool seen = may_be_seen(frames, key);
    if (seen)
        give(frames, picture, key);
    else
        assembly->used = 0;
    return seen;
}

/* The packet at the head of the window: taken, and its cell free again. Whether it completes a
 * picture that is given. */
static bool take_head(struct mcu_frames *frames, struct mcu_picture *picture)
{
    struct mcu_slot *slot = mcu_slot_at(frames, frames->next);
    const struct mcu_assembly *assembly = &frames->assembly;
    const bool padding = !slot->size && !(slot->flags & MCU_SLOT_MALFORMED);
    if (assembly->open && !padding && slot->timestamp != assembly->timestamp)
        return finish(frames, picture); /* its marker never came; the packet waits its turn */
    if (!padding)
        take(frames, slot);
    mcu_cell_give(&frames->cells, slot->cell);
    frames->next++;
    return slot->flags & MCU_SLOT_MARKER && assembly->open && finish(frames, picture);
}

/* Where a key frame surely begins behind what is missing, or -1. */
static int64_t find_key(struct mcu_frames *frames)
{
    int64_t begins = -1;
    for (int64_t at = frames->next + 1; at <= frames->key; at++) {
        const struct mcu_slot *slot = mcu_slot_at(frames, at);
        if (slot->state != MCU_SLOT_HELD)
            continue;
        if (slot->flags & MCU_SLOT_BEGINS)
            begins = at;
        if (slot->flags & MCU_SLOT_KEY && begins >= 0 &&
            mcu_slot_at(frames, begins)->timestamp == slot->timestamp)
            return begins;
    }
    return -1;
}

/* While nothing can be given but a key frame, what is missing before one is not waited for. */
static bool skip_to_key(struct mcu_frames *frames)
{
    const int64_t key = frames->broken ? find_key(frames) : -1;
    if (key < 0)
        return false;
    mcu_frames_lose(frames);
    mcu_frames_skip_to(frames, key);
    frames->assembly.open = false;
    return true;
}

int mcu_frames_pop(struct mcu_frames *frames, struct mcu_picture *picture)
{
    if (frames->assembly.given)
        take_back(&frames->assembly);
    while (frames->next <= frames->highest) {
        switch (mcu_slot_at(frames, frames->next)->state) {
        case MCU_SLOT_HELD:
            if (take_head(frames, picture))
                return 1;
            break;
        case MCU_SLOT_LOST:
            mcu_frames_lose(frames);
            frames->next++;
            break;
        default:
            if (!skip_to_key(frames))
                return 0;
        }
    }
    return 0;
}
