#include "frames_parts.h"

#include <stdlib.h>
#include <string.h>

enum { BEHIND_MAX = 3000 }; /* packets: further behind, a sender began anew (RFC 3550, A.1) */

struct mcu_frames *mcu_frames_new(uint32_t pixels_max)
{
    struct mcu_frames *frames = calloc(1, sizeof *frames);
    if (!frames)
        return NULL;
    frames->pixels_max = pixels_max;
    frames->key = -1;
    frames->nack_at = frames->key_at = INT64_MAX;
    frames->broken = true;
    return frames;
}

void mcu_frames_free(struct mcu_frames *frames)
{
    if (!frames)
        return;
    mcu_cells_free(&frames->cells);
    free(frames->assembly.data);
    free(frames);
}

const uint64_t *mcu_frames_drops(const struct mcu_frames *frames) { return frames->drops; }

void mcu_frames_skip_to(struct mcu_frames *frames, int64_t sequence)
{
    for (; frames->next < sequence && frames->next <= frames->highest; frames->next++) {
        struct mcu_slot *slot = mcu_slot_at(frames, frames->next);
        if (slot->state == MCU_SLOT_HELD)
            mcu_cell_give(&frames->cells, slot->cell);
        else if (slot->state == MCU_SLOT_MISSING)
            frames->missing--;
    }
    frames->next = sequence;
}

/* The window begins anew at a packet that does not fit in it. */
static void restart(struct mcu_frames *frames, int64_t sequence)
{
    mcu_frames_skip_to(frames, frames->highest + 1);
    frames->next = sequence;
    frames->highest = sequence - 1;
    frames->key = -1;
    mcu_frames_lose(frames);
}

void mcu_frames_rest(struct mcu_frames *frames)
{
    mcu_frames_skip_to(frames, frames->highest + 1);
    frames->begun = frames->assembly.open = false;
    frames->assembly.used = 0;
    frames->broken = true;
    frames->key = -1;
    mcu_frames_key_came(frames); /* none is awaited any more */
}

static void begin(struct mcu_frames *frames, int64_t sequence)
{
    frames->begun = true;
    frames->next = sequence;
    frames->highest = sequence - 1;
    frames->assembly.hole = true; /* nobody knows what came before it */
    mcu_frames_key_needed(frames);
}

/* Whether there is room for the packet in the window; makes it. */
static bool admit(struct mcu_frames *frames, int64_t sequence)
{
    if (!frames->begun)
        begin(frames, sequence);
    if (sequence >= frames->next + MCU_FRAMES_PACKETS ||
        sequence < frames->next - BEHIND_MAX) {
        frames->drops[MCU_FRAMES_TOO_FAR]++;
        restart(frames, sequence);
    }
    if (sequence < frames->next) {
        frames->drops[MCU_FRAMES_LATE]++;
        return false;
    }
    if (sequence <= frames->highest && mcu_slot_at(frames, sequence)->state == MCU_SLOT_HELD) {
        frames->drops[MCU_FRAMES_DUPLICATE]++;
        return false;
    }
    return true;
}

/* What of the payload has a say before its turn comes. A packet without payload (padding, sent
 * to measure bandwidth) belongs to no picture. */
static uint8_t look(struct mcu_frames *frames, enum mcu_video_codec codec,
                    const uint8_t *payload, size_t size, int8_t *temporal)
{
    struct mcu_payload seen;
    *temporal = -1;
    if (!size)
        return 0;
    if (size > MCU_CELL || mcu_payload_look(codec, payload, size, &seen) < 0) {
        frames->drops[MCU_FRAMES_MALFORMED]++;
        return MCU_SLOT_MALFORMED;
    }
    *temporal = (int8_t)seen.temporal;
    return (uint8_t)((seen.begins ? MCU_SLOT_BEGINS : 0) | (seen.key ? MCU_SLOT_KEY : 0) |
                     (seen.layer_sync ? MCU_SLOT_SYNC : 0));
}

/* A malformed packet keeps its place: asking for it again would not mend it. So does one that
 * there is no memory for. */
static struct mcu_slot hold(struct mcu_frames *frames, enum mcu_video_codec codec,
                            const uint8_t *payload, size_t size)
{
    struct mcu_slot slot = {.state = MCU_SLOT_HELD, .codec = (uint8_t)codec};
    slot.flags = look(frames, codec, payload, size, &slot.temporal);
    if (!size || slot.flags & MCU_SLOT_MALFORMED)
        return slot;
    slot.cell = mcu_cell_take(&frames->cells);
    if (slot.cell) {
        memcpy(slot.cell, payload, size);
        slot.size = (uint16_t)size;
    } else {
        slot.flags = MCU_SLOT_MALFORMED;
    }
    return slot;
}

void mcu_frames_push(struct mcu_frames *frames, enum mcu_video_codec codec, int64_t sequence,
                     uint32_t timestamp, bool marker, const uint8_t *payload, size_t size,
                     int64_t now)
{
    if (!admit(frames, sequence))
        return;
    struct mcu_slot slot = hold(frames, codec, payload, size);
    slot.timestamp = timestamp;
    slot.flags |= marker ? MCU_SLOT_MARKER : 0;
    if (slot.flags & MCU_SLOT_KEY) {
        mcu_frames_key_began(frames, now);
        if (sequence > frames->key)
            frames->key = sequence;
    }
    if (sequence > frames->highest) {
        for (int64_t before = frames->highest + 1; before < sequence; before++)
            mcu_frames_note_missing(frames, before, now);
        frames->highest = sequence;
        *mcu_slot_at(frames, sequence) = slot;
        mcu_frames_advance(frames, now);
    } else {
        if (mcu_slot_at(frames, sequence)->state == MCU_SLOT_MISSING)
            frames->missing--;
        *mcu_slot_at(frames, sequence) = slot;
    }
}
