#include "checks.h"

#include "harness.h"

#include <stdlib.h>
#include <string.h>

enum { RTT = 30000 };

struct stream stream_new(void)
{
    return (struct stream){.frames = mcu_frames_new(1920 * 1088), .now = 1000000};
}

void stream_end(struct stream *stream) { mcu_frames_free(stream->frames); }

static void pop_all(struct stream *stream)
{
    struct mcu_picture picture;
    while (mcu_frames_pop(stream->frames, &picture)) {
        stream->given++;
        stream->keys += picture.key;
        stream->last_size = picture.size;
        stream->last_timestamp = picture.timestamp;
    }
}

void send_payload(struct stream *stream, enum mcu_video_codec codec, int64_t sequence,
                  uint32_t timestamp, bool marker, const void *payload, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1); /* so that a byte too many is seen */
    if (size)
        memcpy(exact, payload, size);
    mcu_frames_push(stream->frames, codec, sequence, timestamp, marker, exact, size,
                    stream->now);
    free(exact);
    pop_all(stream);
}

void send(struct stream *stream, int64_t sequence, uint32_t timestamp, int flags)
{
    uint8_t payload[21] = {flags & BEGIN ? 0x10 : 0};
    if (flags & BEGIN) {
        const uint8_t key[] = {0x10, 0, 0, 0x9D, 0x01, 0x2A, 64, 1, 180, 0}; /* 320 x 180 */
        memcpy(payload + 1, key, sizeof key);
        payload[1] |= flags & KEY ? 0 : 1;
    }
    send_payload(stream, MCU_VP8, sequence, timestamp, flags & END, payload, sizeof payload);
}

size_t wait_us(struct stream *stream, int64_t time, int64_t *missing)
{
    stream->now += time;
    const size_t count =
        mcu_frames_nacks(stream->frames, stream->now, RTT, missing, MCU_FRAMES_PACKETS);
    pop_all(stream);
    return count;
}

uint64_t dropped(const struct stream *stream, enum mcu_frames_drop why)
{
    return mcu_frames_drops(stream->frames)[why];
}
