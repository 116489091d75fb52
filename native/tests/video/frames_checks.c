/* Order, loss and memory. */
#include "checks.h"

#include "harness.h"

#include <stdlib.h>
#include <string.h>

static int64_t missing[MCU_FRAMES_PACKETS];

static void a_picture_is_given_at_its_marker(void)
{
    struct stream stream = stream_new();
    send(&stream, 10, 0, KEY | BEGIN);
    send(&stream, 11, 0, 0);
    CHECK(stream.given == 0);
    send(&stream, 12, 0, END);
    CHECK(stream.given == 1 && stream.keys == 1 && stream.last_size == 60);
    send(&stream, 13, 3000, WHOLE);
    CHECK(stream.given == 2 && stream.last_size == 20 && stream.last_timestamp == 3000);
    CHECK(mcu_frames_wake(stream.frames) == INT64_MAX);
    stream_end(&stream);
}

static void a_picture_whose_marker_is_not_set_is_given_when_the_next_begins(void)
{
    struct stream stream = stream_new();
    send(&stream, 10, 0, KEY | BEGIN);
    send(&stream, 11, 3000, BEGIN);
    CHECK(stream.given == 1 && stream.last_timestamp == 0);
    send(&stream, 12, 3000, END);
    CHECK(stream.given == 2 && stream.last_size == 40);
    stream_end(&stream);
}

static void one_lost_packet_is_asked_for_when_three_overtook_it(void)
{
    struct stream stream = stream_new();
    send(&stream, 10, 0, WHOLE_KEY);
    send(&stream, 12, 1, WHOLE);
    send(&stream, 13, 2, WHOLE);
    CHECK(wait_us(&stream, 0, missing) == 0);
    send(&stream, 14, 3, WHOLE);
    CHECK(mcu_frames_wake(stream.frames) <= stream.now);
    CHECK(wait_us(&stream, 0, missing) == 1 && missing[0] == 11);
    CHECK(wait_us(&stream, 29999, missing) == 0); /* a round trip */
    CHECK(mcu_frames_wake(stream.frames) == stream.now + 1);
    CHECK(wait_us(&stream, 1, missing) == 1);
    stream_end(&stream);
}

static void one_lost_packet_is_asked_for_after_ten_milliseconds(void)
{
    struct stream stream = stream_new();
    send(&stream, 10, 0, WHOLE_KEY);
    send(&stream, 12, 1, WHOLE);
    CHECK(mcu_frames_wake(stream.frames) == stream.now + 10000);
    CHECK(wait_us(&stream, 9999, missing) == 0);
    CHECK(wait_us(&stream, 1, missing) == 1 && missing[0] == 11);
    stream_end(&stream);
}

static void a_burst_is_overtaken_by_packets_not_by_numbers(void)
{
    struct stream stream = stream_new();
    send(&stream, 10, 0, WHOLE_KEY);
    send(&stream, 17, 1, WHOLE); /* six are missing, one came */
    CHECK(wait_us(&stream, 0, missing) == 0);
    send(&stream, 18, 2, WHOLE);
    CHECK(wait_us(&stream, 0, missing) == 0);
    send(&stream, 19, 3, WHOLE);
    CHECK(wait_us(&stream, 0, missing) == 6 && missing[0] == 11 && missing[5] == 16);
    stream_end(&stream);
}

static void those_that_there_is_no_room_to_ask_for_are_asked_for_next(void)
{
    struct stream stream = stream_new();
    send(&stream, 10, 0, WHOLE_KEY);
    send(&stream, 14, 1, WHOLE);
    stream.now += 10000;
    CHECK(mcu_frames_nacks(stream.frames, stream.now, 0, missing, 2) == 2 && missing[1] == 12);
    CHECK(mcu_frames_wake(stream.frames) <= stream.now);
    CHECK(mcu_frames_nacks(stream.frames, stream.now, 0, missing, 2) == 1 && missing[0] == 13);
    CHECK(mcu_frames_wake(stream.frames) == stream.now + 20000);
    stream_end(&stream);
}

static void one_that_was_given_up_behind_another_still_counts_when_it_comes(void)
{
    struct stream stream = stream_new();
    send(&stream, 10, 0, WHOLE_KEY);
    send(&stream, 13, 2, WHOLE);
    for (int i = 0; i < MCU_NACK_TIMES; i++, stream.now += 30000) {
        stream.now += i ? 0 : 10000;
        mcu_frames_nacks(stream.frames, stream.now, 30000, missing, 2);
    }
    mcu_frames_nacks(stream.frames, stream.now, 30000, missing, 2); /* both are given up */
    CHECK(mcu_frames_wake(stream.frames) <= stream.now);
    mcu_frames_push(stream.frames, MCU_VP8, 12, 1, true, (const uint8_t *)"\x10\x01", 2,
                    stream.now);
    send(&stream, 11, 1, WHOLE);
    CHECK(stream.given == 4 && dropped(&stream, MCU_FRAMES_INCOMPLETE) == 0);
    CHECK(mcu_frames_wake(stream.frames) == INT64_MAX);
    stream_end(&stream);
}

static void what_comes_late_completes_all_at_once(void)
{
    struct stream stream = stream_new();
    send(&stream, 10, 0, WHOLE_KEY);
    send(&stream, 12, 1, END);
    send(&stream, 13, 2, WHOLE);
    CHECK(stream.given == 1);
    send(&stream, 11, 1, BEGIN);
    CHECK(stream.given == 3 && stream.last_timestamp == 2);
    CHECK(mcu_frames_wake(stream.frames) == INT64_MAX);
    CHECK(wait_us(&stream, 1000000, missing) == 0);
    stream_end(&stream);
}

static void what_came_before_is_counted_and_changes_nothing(void)
{
    struct stream stream = stream_new();
    send(&stream, 10, 0, WHOLE_KEY);
    send(&stream, 10, 0, WHOLE_KEY);
    send(&stream, 12, 1, END);
    send(&stream, 12, 1, END);
    CHECK(stream.given == 1);
    CHECK(dropped(&stream, MCU_FRAMES_LATE) == 1);
    CHECK(dropped(&stream, MCU_FRAMES_DUPLICATE) == 1);
    stream_end(&stream);
}

static void what_never_comes_is_asked_for_ten_times_and_given_up(void)
{
    struct stream stream = stream_new();
    size_t asked = 0;
    send(&stream, 10, 0, WHOLE_KEY);
    send(&stream, 12, 1, WHOLE);
    for (int i = 0; i < 1000 && stream.now < 3000000; i++) {
        const int64_t wake = mcu_frames_wake(stream.frames);
        if (wake == INT64_MAX || dropped(&stream, MCU_FRAMES_INCOMPLETE))
            break;
        asked += wait_us(&stream, wake - stream.now, missing);
    }
    CHECK(asked == MCU_NACK_TIMES);
    CHECK(stream.now == 1000000 + 10000 + MCU_NACK_TIMES * 30000);
    CHECK(dropped(&stream, MCU_FRAMES_INCOMPLETE) == 1);
    CHECK(dropped(&stream, MCU_FRAMES_NO_KEY) == 1); /* number 12 */
    CHECK(mcu_frames_key_due(stream.frames, stream.now, 0));
    send(&stream, 11, 1, WHOLE);
    CHECK(dropped(&stream, MCU_FRAMES_LATE) == 1);
    send(&stream, 13, 2, WHOLE);
    CHECK(stream.given == 1);
    send(&stream, 14, 3, WHOLE_KEY);
    send(&stream, 15, 4, WHOLE);
    CHECK(stream.given == 3);
    stream_end(&stream);
}

static void sequence_numbers_pass_every_power_of_two(void)
{
    const int64_t starts[] = {0, 1000, 65530, INT64_C(1) << 32, (INT64_C(1) << 48) - 5};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct stream stream = stream_new();
        send(&stream, starts[i], 0xFFFFFFF0, WHOLE_KEY);
        for (int n = 1; n < 3000; n++)
            send(&stream, starts[i] + n, 0xFFFFFFF0 + (uint32_t)n, WHOLE);
        CHECK(stream.given == 3000);
        stream_end(&stream);
    }
}

static void padding_belongs_to_no_picture(void)
{
    struct stream stream = stream_new();
    send(&stream, 10, 0, WHOLE_KEY);
    send_payload(&stream, MCU_VP8, 11, 0, false, "", 0);
    send_payload(&stream, MCU_VP8, 12, 7, false, "", 0);
    send(&stream, 13, 1, BEGIN);
    send_payload(&stream, MCU_VP8, 14, 0, false, "", 0);
    send(&stream, 15, 1, END);
    CHECK(stream.given == 2 && stream.last_size == 40);
    stream_end(&stream);
}

static void a_malformed_packet_ends_its_picture_and_is_not_asked_for(void)
{
    struct stream stream = stream_new();
    send(&stream, 10, 0, WHOLE_KEY);
    send(&stream, 11, 1, BEGIN);
    send_payload(&stream, MCU_VP8, 12, 1, true, "\x90", 1);
    CHECK(stream.given == 1 && dropped(&stream, MCU_FRAMES_MALFORMED) == 1);
    CHECK(wait_us(&stream, 1000000, missing) == 0);
    CHECK(mcu_frames_key_due(stream.frames, stream.now, 0));
    send(&stream, 13, 2, WHOLE_KEY);
    CHECK(stream.given == 2);
    stream_end(&stream);
}

static void a_packet_too_far_ahead_gives_up_all_before_it(void)
{
    struct stream stream = stream_new();
    send(&stream, 0, 0, WHOLE_KEY);
    for (int n = 2; n < MCU_FRAMES_PACKETS; n++)
        send(&stream, n, (uint32_t)n, WHOLE);
    send(&stream, MCU_FRAMES_PACKETS, 5000, WHOLE); /* the last that fits */
    CHECK(stream.given == 1 && dropped(&stream, MCU_FRAMES_TOO_FAR) == 0);
    send(&stream, MCU_FRAMES_PACKETS + 1, 6000, WHOLE_KEY);
    CHECK(stream.given == 2 && dropped(&stream, MCU_FRAMES_TOO_FAR) == 1);
    send(&stream, INT64_C(1) << 40, 7000, WHOLE_KEY);
    CHECK(stream.given == 3);
    CHECK(wait_us(&stream, 1000000, missing) == 0);
    stream_end(&stream);
}

static void a_sender_that_begins_anew_is_followed(void)
{
    struct stream stream = stream_new();
    send(&stream, 50000, 0, WHOLE_KEY);
    send(&stream, 49000, 9, WHOLE_KEY); /* merely late */
    CHECK(stream.given == 1 && dropped(&stream, MCU_FRAMES_LATE) == 1);
    send(&stream, 20000, 10, WHOLE_KEY);
    send(&stream, 20001, 11, WHOLE);
    CHECK(stream.given == 3);
    stream_end(&stream);
}

static void a_picture_that_is_too_long_is_dropped_and_the_next_key_frame_given(void)
{
    struct stream stream = stream_new();
    static uint8_t payload[1400];
    int64_t sequence = 0;
    send(&stream, sequence++, 0, KEY | BEGIN);
    for (size_t filled = 0; filled <= MCU_PICTURE_MAX; filled += sizeof payload - 1)
        send_payload(&stream, MCU_VP8, sequence++, 0, false, payload, sizeof payload);
    send(&stream, sequence++, 0, END);
    CHECK(stream.given == 0 && dropped(&stream, MCU_FRAMES_TOO_LARGE) == 1);
    send(&stream, sequence++, 1, WHOLE_KEY);
    CHECK(stream.given == 1);
    stream_end(&stream);
}

static void after_a_very_large_picture_small_ones_come_as_before(void)
{
    struct stream stream = stream_new();
    static const uint8_t payload[1400];
    int64_t sequence = 0;
    send(&stream, sequence++, 0, WHOLE_KEY);
    for (uint32_t round = 1; round < 4; round++) {
        send(&stream, sequence++, 2 * round, BEGIN);
        for (int i = 0; i < 1000; i++)
            send_payload(&stream, MCU_VP8, sequence++, 2 * round, i == 999, payload, 1400);
        CHECK(stream.last_size == 20 + 1000 * 1399);
        send(&stream, sequence++, 2 * round + 1, WHOLE);
        CHECK(stream.last_size == 20 && stream.given == 1 + 2 * round);
    }
    stream_end(&stream);
}

enum { SENT = 3000, PACKET = 30 };
static struct {
    uint32_t picture;
    int place;
    bool marker;
} sent[SENT];

/* Pictures of 1 … 8 packets; every twentieth is a key frame. */
static void plan(void)
{
    uint32_t picture = 0;
    for (int at = 0; at < SENT; picture++) {
        const int count = between(1, 8);
        for (int i = 0; i < count && at < SENT; i++, at++) {
            sent[at].picture = picture;
            sent[at].place = i;
            sent[at].marker = i == count - 1;
        }
    }
}

/* Its picture's number and its place are in every byte that the format leaves free. */
static void push_planned(struct stream *stream, int at)
{
    uint8_t payload[PACKET] = {sent[at].place ? 0 : 0x10};
    memset(payload + 1, (int)(sent[at].picture * 8) + sent[at].place, sizeof payload - 1);
    if (!sent[at].place) {
        const uint8_t key[] = {0x10, 0, 0, 0x9D, 0x01, 0x2A, 64, 1, 180, 0};
        memcpy(payload + 1, key, sizeof key);
        payload[1] |= sent[at].picture % 20 != 0;
    }
    mcu_frames_push(stream->frames, MCU_VP8, at, sent[at].picture, sent[at].marker, payload,
                    sizeof payload, stream->now);
}

static void check_planned(const struct mcu_picture *picture, int64_t *last)
{
    CHECK((int64_t)picture->timestamp > *last);
    CHECK(picture->key || (int64_t)picture->timestamp == *last + 1);
    *last = picture->timestamp;
    for (size_t i = 10; i < picture->size; i++)
        CHECK(picture->data[i] == (uint8_t)(picture->timestamp * 8 + i / (PACKET - 1)));
}

static void any_loss_and_any_order(void)
{
    struct stream stream = stream_new();
    struct mcu_picture picture;
    int64_t last = -1;
    unsigned given = 0;
    const int reach = between(0, 9);
    plan();
    for (int i = reach; i < SENT - reach; i++, stream.now += between(0, 3000)) {
        push_planned(&stream, i + between(-reach, reach)); /* some twice, others never */
        if (!between(0, 9)) {
            size_t count = mcu_frames_nacks(stream.frames, stream.now, 1000, missing, 8);
            while (count--)
                if (between(0, 1))
                    push_planned(&stream, (int)missing[count]);
        }
        for (; mcu_frames_pop(stream.frames, &picture); given++)
            check_planned(&picture, &last);
        mcu_frames_key_due(stream.frames, stream.now, 1000);
    }
    CHECK(given > 10);
    stream_end(&stream);
}

static void whatever_is_lost_and_in_any_order_no_picture_is_mixed(void)
{
    const unsigned before = failures;
    for (uint32_t round = 1; round <= 100 && failures < before + 5; round++) {
        seed(round);
        any_loss_and_any_order();
    }
}

void frames_tests(void)
{
    TEST(a_picture_is_given_at_its_marker);
    TEST(a_picture_whose_marker_is_not_set_is_given_when_the_next_begins);
    TEST(one_lost_packet_is_asked_for_when_three_overtook_it);
    TEST(one_lost_packet_is_asked_for_after_ten_milliseconds);
    TEST(a_burst_is_overtaken_by_packets_not_by_numbers);
    TEST(those_that_there_is_no_room_to_ask_for_are_asked_for_next);
    TEST(one_that_was_given_up_behind_another_still_counts_when_it_comes);
    TEST(what_comes_late_completes_all_at_once);
    TEST(what_came_before_is_counted_and_changes_nothing);
    TEST(what_never_comes_is_asked_for_ten_times_and_given_up);
    TEST(sequence_numbers_pass_every_power_of_two);
    TEST(padding_belongs_to_no_picture);
    TEST(a_malformed_packet_ends_its_picture_and_is_not_asked_for);
    TEST(a_packet_too_far_ahead_gives_up_all_before_it);
    TEST(a_sender_that_begins_anew_is_followed);
    TEST(a_picture_that_is_too_long_is_dropped_and_the_next_key_frame_given);
    TEST(after_a_very_large_picture_small_ones_come_as_before);
    TEST(whatever_is_lost_and_in_any_order_no_picture_is_mixed);
}
