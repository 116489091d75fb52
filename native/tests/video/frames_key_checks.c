/* Key frames: when they are asked for, what they may claim, what they save. */
#include "checks.h"

#include "harness.h"

#include <string.h>

static int64_t missing[MCU_FRAMES_PACKETS];

static bool due(struct stream *stream, int64_t rtt)
{
    return mcu_frames_key_due(stream->frames, stream->now, rtt);
}

static void a_stream_that_begins_in_the_middle_is_asked_for_a_key_frame_at_once(void)
{
    struct stream stream = stream_new();
    CHECK(!due(&stream, 0));
    send(&stream, 10, 0, WHOLE);
    CHECK(stream.given == 0 && dropped(&stream, MCU_FRAMES_NO_KEY) == 1);
    CHECK(mcu_frames_wake(stream.frames) <= stream.now);
    CHECK(due(&stream, 0));
    CHECK(!due(&stream, 0));
    CHECK(mcu_frames_wake(stream.frames) == stream.now + 500000);
    stream.now += 500000;
    CHECK(due(&stream, 400000));
    stream.now += 799999;
    CHECK(!due(&stream, 0)); /* twice the round trip */
    stream.now += 1;
    CHECK(due(&stream, 0));
    send(&stream, 11, 1, WHOLE_KEY);
    stream.now += 10000000;
    CHECK(!due(&stream, 0));
    stream_end(&stream);
}

static void a_key_frame_on_its_way_is_waited_for(void)
{
    struct stream stream = stream_new();
    send(&stream, 10, 0, KEY | BEGIN);
    CHECK(!due(&stream, 0));
    stream.now += 499999;
    CHECK(!due(&stream, 0));
    stream.now += 1;
    CHECK(due(&stream, 0)); /* but not for ever */
    stream_end(&stream);
}

static void key_frames_that_never_end_do_not_put_off_the_asking(void)
{
    struct stream stream = stream_new();
    for (uint32_t i = 0; i < 5; i++, stream.now += 100000) {
        CHECK(!due(&stream, 0));
        send(&stream, 10 + 2 * i, i, KEY | BEGIN);
    }
    CHECK(due(&stream, 0));
    stream_end(&stream);
}

static void who_wants_a_key_frame_gets_one_and_the_pictures_until_then(void)
{
    struct stream stream = stream_new();
    send(&stream, 10, 0, WHOLE_KEY);
    mcu_frames_want_key(stream.frames);
    CHECK(due(&stream, 0));
    mcu_frames_want_key(stream.frames);
    CHECK(!due(&stream, 0)); /* it was just asked for */
    send(&stream, 11, 1, WHOLE);
    CHECK(stream.given == 2);
    send(&stream, 12, 2, WHOLE_KEY);
    stream.now += 1000000;
    CHECK(!due(&stream, 0));
    stream_end(&stream);
}

static void a_key_frame_ends_the_wait_for_what_is_missing_before_it(void)
{
    struct stream stream = stream_new();
    send(&stream, 9, 0, WHOLE); /* nothing can be given */
    send(&stream, 11, 1, BEGIN);
    send(&stream, 13, 2, KEY | BEGIN);
    send(&stream, 14, 2, END);
    CHECK(stream.given == 1 && stream.last_timestamp == 2);
    CHECK(wait_us(&stream, 1000000, missing) == 0);
    stream_end(&stream);
}

static void a_key_frame_that_misses_its_beginning_is_not_given(void)
{
    struct stream stream = stream_new();
    send(&stream, 10, 0, 0);
    send(&stream, 11, 0, END);
    send(&stream, 12, 1, WHOLE_KEY);
    CHECK(stream.given == 1 && stream.last_timestamp == 1);
    stream_end(&stream);
}

/* -- what is claimed ------------------------------------------------------------------------
 */

static void a_vp8_key_frame_of_16200_by_16200_is_refused_by_its_header(void)
{
    struct stream stream = stream_new();
    const uint8_t payload[] = {0x10, 0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x48, 0x3F, 0x48, 0x3F, 0};
    send_payload(&stream, MCU_VP8, 10, 0, true, payload, sizeof payload);
    CHECK(stream.given == 0 && dropped(&stream, MCU_FRAMES_TOO_LARGE) == 1);
    stream.now += 500000;
    CHECK(due(&stream, 0));
    send(&stream, 11, 1, WHOLE);
    CHECK(stream.given == 0);
    stream_end(&stream);
}

struct writer {
    uint8_t data[32];
    unsigned bits;
};

static void put(struct writer *writer, unsigned count, uint32_t value)
{
    for (; count; count--, writer->bits++)
        writer->data[writer->bits / 8] |=
            (uint8_t)((value >> (count - 1) & 1) << (7 - writer->bits % 8));
}

static void put_unsigned(struct writer *writer, uint32_t value)
{
    unsigned size = 0;
    while ((value + 1) >> (size + 1))
        size++;
    put(writer, size, 0);
    put(writer, size + 1, value + 1);
}

/* A baseline parameter set of so many macroblocks each way; its size. */
static size_t write_sps(uint8_t *out, uint32_t across, uint32_t down)
{
    struct writer writer = {.data = {0x67, 66, 0, 40}, .bits = 32};
    const uint32_t before[] = {0, 0, 0, 0, 1}; /* ids, frame number, order count, references */
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        put_unsigned(&writer, before[i]);
    put(&writer, 1, 0);
    put_unsigned(&writer, across - 1);
    put_unsigned(&writer, down - 1);
    put(&writer, 5, 0x19); /* frames only, direct 8x8, not cropped, no VUI; the stop bit */
    memcpy(out, writer.data, sizeof writer.data);
    return (writer.bits + 7) / 8;
}

static const uint8_t PPS[] = {0x68, 0xCE, 0x38, 0x80}, IDR[] = {0x65, 0x88, 0x84, 0x11},
                     SLICE[] = {0x41, 0x9A, 0x22, 0x11};

static void an_h264_key_frame_of_16200_by_16200_is_refused_by_its_parameter_set(void)
{
    struct stream stream = stream_new();
    uint8_t sps[32];
    const size_t size = write_sps(sps, 1013, 1013);
    send_payload(&stream, MCU_H264, 10, 0, false, sps, size);
    send_payload(&stream, MCU_H264, 11, 0, false, PPS, sizeof PPS);
    send_payload(&stream, MCU_H264, 12, 0, true, IDR, sizeof IDR);
    CHECK(stream.given == 0 && dropped(&stream, MCU_FRAMES_TOO_LARGE) == 1);
    send_payload(&stream, MCU_H264, 13, 1, true, IDR, sizeof IDR);
    CHECK(stream.given == 0 && dropped(&stream, MCU_FRAMES_NO_KEY) == 1);
    stream_end(&stream);
}

static void parameter_sets_on_their_own_go_with_the_next_picture(void)
{
    struct stream stream = stream_new();
    uint8_t sps[32];
    const size_t size = write_sps(sps, 20, 12);
    send_payload(&stream, MCU_H264, 10, 0, true, sps, size);
    send_payload(&stream, MCU_H264, 11, 0, true, PPS, sizeof PPS);
    CHECK(stream.given == 0);
    send_payload(&stream, MCU_H264, 12, 1, true, IDR, sizeof IDR);
    CHECK(stream.keys == 1 && stream.last_size == 12 + size + sizeof PPS + sizeof IDR);
    send_payload(&stream, MCU_H264, 13, 2, true, SLICE, sizeof SLICE);
    CHECK(stream.given == 2 && stream.last_size == 4 + sizeof SLICE);
    send_payload(&stream, MCU_H264, 14, 3, true, IDR, sizeof IDR); /* the set came before */
    CHECK(stream.keys == 2);
    stream_end(&stream);
}

static void an_h264_key_frame_behind_a_hole_needs_its_parameter_set(void)
{
    struct stream stream = stream_new();
    uint8_t sps[32];
    const size_t size = write_sps(sps, 20, 12);
    send_payload(&stream, MCU_H264, 10, 0, true, SLICE, sizeof SLICE);
    send_payload(&stream, MCU_H264, 12, 1, true, IDR, sizeof IDR); /* 11: maybe its set */
    CHECK(stream.given == 0);
    send_payload(&stream, MCU_H264, 14, 2, false, sps, size);
    send_payload(&stream, MCU_H264, 15, 2, true, IDR, sizeof IDR);
    CHECK(stream.keys == 1 && stream.last_timestamp == 2);
    stream_end(&stream);
}

static void an_h264_key_frame_behind_what_was_given_up_needs_its_parameter_set(void)
{
    struct stream stream = stream_new();
    uint8_t sps[32];
    const size_t size = write_sps(sps, 20, 12);
    send_payload(&stream, MCU_H264, 10, 0, false, sps, size);
    send_payload(&stream, MCU_H264, 11, 0, true, IDR, sizeof IDR);
    send_payload(&stream, MCU_H264, 13, 1, true, IDR, sizeof IDR); /* 12: maybe a new set */
    for (int i = 0; i <= MCU_NACK_TIMES; i++)
        wait_us(&stream, 1000000, missing);
    CHECK(stream.given == 1 && dropped(&stream, MCU_FRAMES_INCOMPLETE) == 1);
    send_payload(&stream, MCU_H264, 14, 2, true, IDR,
                 sizeof IDR); /* nothing missing before it */
    CHECK(stream.given == 2);
    stream_end(&stream);
}

static void the_rest_of_a_picture_is_not_taken_for_a_picture(void)
{
    struct stream stream = stream_new();
    const uint8_t like_a_key[] = {0, 0x10, 0, 0, 0x9D, 0x01, 0x2A, 64, 1, 180, 0, 0};
    send(&stream, 10, 0, WHOLE_KEY);
    send(&stream, 11, 1, BEGIN);
    send_payload(&stream, MCU_VP8, 13, 1, true, like_a_key, sizeof like_a_key);
    for (int i = 0; i <= MCU_NACK_TIMES; i++)
        wait_us(&stream, 1000000, missing);
    CHECK(stream.given == 1 && dropped(&stream, MCU_FRAMES_INCOMPLETE) == 1);
    CHECK(dropped(&stream, MCU_FRAMES_NO_KEY) == 0);
    stream_end(&stream);
}

void frames_key_tests(void)
{
    TEST(key_frames_that_never_end_do_not_put_off_the_asking);
    TEST(an_h264_key_frame_behind_what_was_given_up_needs_its_parameter_set);
    TEST(the_rest_of_a_picture_is_not_taken_for_a_picture);
    TEST(a_stream_that_begins_in_the_middle_is_asked_for_a_key_frame_at_once);
    TEST(a_key_frame_on_its_way_is_waited_for);
    TEST(who_wants_a_key_frame_gets_one_and_the_pictures_until_then);
    TEST(a_key_frame_ends_the_wait_for_what_is_missing_before_it);
    TEST(a_key_frame_that_misses_its_beginning_is_not_given);
    TEST(a_vp8_key_frame_of_16200_by_16200_is_refused_by_its_header);
    TEST(an_h264_key_frame_of_16200_by_16200_is_refused_by_its_parameter_set);
    TEST(parameter_sets_on_their_own_go_with_the_next_picture);
    TEST(an_h264_key_frame_behind_a_hole_needs_its_parameter_set);
}
