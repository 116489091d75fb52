#include "waiting.h"

void waiting_set(struct mcu_plane *plane, struct in_stream *stream, bool waits)
{
    list_set(&plane->waiting, &stream->waiting, waits);
}

int64_t waiting_wake(const struct mcu_plane *plane)
{
    int64_t first = INT64_MAX;
    for (const struct links *at = plane->waiting.after; at != &plane->waiting;
         at = at->after) {
        const int64_t wake = mcu_frames_wake(((const struct in_stream *)at)->frames);
        first = wake < first ? wake : first;
    }
    return first;
}
