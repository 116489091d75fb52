/* What is missing, and when it is asked for. */
#include "frames_parts.h"

enum {
    OVERTAKEN = 3,         /* packets that came after it: then it is not just late */
    OVERTAKEN_FOR = 10000, /* us, or for so long */
    EVERY_LEAST = 20000
};

static int64_t lower(int64_t a, int64_t b) { return a < b ? a : b; }

void mcu_frames_note_missing(struct mcu_frames *frames, int64_t sequence, int64_t now)
{
    const uint32_t hurry = frames->advances + OVERTAKEN;
    *mcu_slot_at(frames, sequence) = (struct mcu_slot){
        .state = MCU_SLOT_MISSING, .due = now + OVERTAKEN_FOR, .hurry = hurry};
    if (!frames->missing++) {
        frames->hurry = hurry;
        frames->nack_at = now + OVERTAKEN_FOR;
    }
    frames->nack_at = lower(frames->nack_at, now + OVERTAKEN_FOR);
}

void mcu_frames_advance(struct mcu_frames *frames, int64_t now)
{
    frames->advances++;
    if (frames->missing && (int32_t)(frames->advances - frames->hurry) >= 0)
        frames->nack_at = now;
}

static bool is_due(const struct mcu_frames *frames, const struct mcu_slot *slot, int64_t now)
{
    return slot->due <= now ||
           (!slot->asked && (int32_t)(frames->advances - slot->hurry) >= 0);
}

/* When to look at this one again. */
static void expect(struct mcu_frames *frames, const struct mcu_slot *slot)
{
    frames->nack_at = lower(frames->nack_at, slot->due);
    if (!slot->asked && (int32_t)(slot->hurry - frames->hurry) < 0)
        frames->hurry = slot->hurry;
}

size_t mcu_frames_nacks(struct mcu_frames *frames, int64_t now, int64_t rtt, int64_t *missing,
                        size_t room)
{
    const int64_t every = rtt > EVERY_LEAST ? rtt : EVERY_LEAST;
    size_t count = 0;
    if (!frames->missing || now < frames->nack_at)
        return 0;
    frames->nack_at = INT64_MAX;
    frames->hurry = frames->advances + OVERTAKEN;
    for (int64_t at = frames->next; at < frames->highest; at++) {
        struct mcu_slot *slot = mcu_slot_at(frames, at);
        if (slot->state != MCU_SLOT_MISSING)
            continue;
        if (is_due(frames, slot, now) && slot->asked == MCU_NACK_TIMES) {
            slot->state = MCU_SLOT_LOST;
            frames->missing--;
            continue;
        }
        if (is_due(frames, slot, now) && count < room) {
            missing[count++] = at;
            slot->asked++;
            slot->due = now + every;
        }
        expect(frames, slot);
    }
    return count;
}
