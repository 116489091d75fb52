#include "waiting.h"

void waiting_set(struct mcu_plane *plane, struct in_stream *stream, bool waits)
{
    if (waits == stream->waiting)
        return;
    stream->waiting = waits;
    if (waits) {
        stream->waiting_before = NULL;
        stream->waiting_after = plane->waiting;
        if (plane->waiting)
            plane->waiting->waiting_before = stream;
        plane->waiting = stream;
        return;
    }
    if (stream->waiting_after)
        stream->waiting_after->waiting_before = stream->waiting_before;
    if (stream->waiting_before)
        stream->waiting_before->waiting_after = stream->waiting_after;
    else
        plane->waiting = stream->waiting_after;
}

int64_t waiting_wake(const struct mcu_plane *plane)
{
    int64_t first = INT64_MAX;
    for (const struct in_stream *stream = plane->waiting; stream;
         stream = stream->waiting_after) {
        const int64_t wake = mcu_frames_wake(stream->frames);
        first = wake < first ? wake : first;
    }
    return first;
}
