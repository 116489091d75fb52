/* A stream of packets, each five bytes and a payload: the codec, marker and what is called
 * after it (2 + 1 + 5 bits: a rest is 64 without 32); how far its sequence number is from the
 * last (signed); how far its timestamp; milliseconds that pass; the payload's size. */
#include <mcu/frames.h>

#include <stdlib.h>

enum { PIXELS_MAX = 1920 * 1088, HEAD = 5 };

struct stream {
    struct mcu_frames *frames;
    int64_t sequence, now;
    uint32_t timestamp;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void pop_all(struct stream *stream)
{
    struct mcu_picture picture;
    while (mcu_frames_pop(stream->frames, &picture)) {
        if (!picture.size || picture.size > MCU_PICTURE_MAX ||
            (uint64_t)picture.width * picture.height > PIXELS_MAX ||
            picture.key != (picture.width != 0))
            abort();
        if (picture.key != mcu_picture_key(picture.codec, picture.data, picture.size))
            abort();
    }
}

static void ask(struct stream *stream, size_t room)
{
    int64_t missing[32];
    const size_t count = mcu_frames_nacks(stream->frames, stream->now, 30000, missing, room);
    if (count > room)
        abort();
    for (size_t i = 1; i < count; i++)
        if (missing[i] <= missing[i - 1])
            abort();
}

/* One packet; how many bytes it took. */
static size_t push(struct stream *stream, const uint8_t *data, size_t size)
{
    const size_t payload = data[4] < size - HEAD ? data[4] : size - HEAD;
    const unsigned jump = data[0] & 8 ? 200 : 1;
    stream->sequence += (int8_t)data[1] * (int)jump;
    stream->timestamp += data[2];
    stream->now += data[3] * 1000;
    mcu_frames_push(stream->frames, (enum mcu_video_codec)((data[0] & 3) % 3),
                    stream->sequence, stream->timestamp, data[0] & 4, data + HEAD, payload,
                    stream->now);
    if (data[0] & 16)
        mcu_frames_want_key(stream->frames);
    if (data[0] & 32)
        ask(stream, data[0] & 64 ? 32 : 1);
    if ((data[0] & 96) == 64)
        mcu_frames_rest(stream->frames);
    if (!(data[0] & 128))
        pop_all(stream);
    mcu_frames_key_due(stream->frames, stream->now, 30000);
    mcu_frames_wake(stream->frames);
    return HEAD + payload;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stream stream = {.frames = mcu_frames_new(PIXELS_MAX), .sequence = 1 << 20};
    while (size >= HEAD) {
        const size_t used = push(&stream, data, size);
        data += used;
        size -= used;
    }
    pop_all(&stream);
    mcu_frames_free(stream.frames);
    return 0;
}
