/* When a key frame is asked for. */
#include "frames_parts.h"

enum { EVERY_LEAST = 500000 }; /* us */

void mcu_frames_key_needed(struct mcu_frames *frames)
{
    if (frames->key_wanted)
        return;
    frames->key_wanted = true;
    frames->key_coming = false;
    frames->key_at = 0;
}

void mcu_frames_want_key(struct mcu_frames *frames) { mcu_frames_key_needed(frames); }

/* One is on its way: it is waited for as if it had just been asked for, once. */
void mcu_frames_key_began(struct mcu_frames *frames, int64_t now)
{
    if (!frames->key_wanted || frames->key_coming)
        return;
    frames->key_coming = true;
    frames->key_at = now + EVERY_LEAST;
}

void mcu_frames_key_came(struct mcu_frames *frames)
{
    frames->key_wanted = false;
    frames->key_at = INT64_MAX;
}

bool mcu_frames_key_due(struct mcu_frames *frames, int64_t now, int64_t rtt)
{
    if (now < frames->key_at)
        return false;
    frames->key_coming = false;
    frames->key_at = now + (2 * rtt > EVERY_LEAST ? 2 * rtt : EVERY_LEAST);
    return true;
}

int64_t mcu_frames_wake(const struct mcu_frames *frames)
{
    const struct mcu_slot *head = &frames->slots[frames->next & (MCU_FRAMES_PACKETS - 1)];
    if (frames->next <= frames->highest && head->state != MCU_SLOT_MISSING)
        return 0; /* mcu_frames_pop was not called until 0 */
    const int64_t nack_at = frames->missing ? frames->nack_at : INT64_MAX;
    return nack_at < frames->key_at ? nack_at : frames->key_at;
}
