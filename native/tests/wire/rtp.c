#include "tests.h"

#include <mcu/rtp.h>

#include <stdlib.h>
#include <string.h>

static const struct mcu_rtp_extensions ids = {
    .mid = 1, .rid = 5, .repaired = 6, .level = 2, .send_time = 3, .sequence = 4};

static int parse(struct mcu_rtp *packet, const uint8_t *data, size_t size, bool encrypted)
{
    return mcu_rtp_parse(packet, data, size, &ids, encrypted);
}

static void what_is_written_is_read_back(void)
{
    for (int i = 0; i < 2000; i++) {
        uint8_t out[MCU_RTP_HEADER_MAX + 8];
        const char mid[MCU_MID_MAX + 1] = "0123456789abcdef";
        const struct mcu_rtp want = {.payload_type = (uint8_t)(noise() & 0x7F),
                                     .marker = noise() & 1,
                                     .sequence = (uint16_t)noise(),
                                     .timestamp = noise(),
                                     .ssrc = noise(),
                                     .mid = mid,
                                     .mid_size = (size_t)between(0, MCU_MID_MAX),
                                     .rid = mid,
                                     .rid_size = (size_t)between(0, MCU_MID_MAX),
                                     .level = between(-1, 127),
                                     .voice = noise() & 1,
                                     .has_send_time = noise() & 1,
                                     .send_time = noise() & 0xFFFFFF,
                                     .has_wide_sequence = noise() & 1,
                                     .wide_sequence = (uint16_t)noise()};
        const size_t size = mcu_rtp_write(out, &want, &ids);
        CHECK(size <= MCU_RTP_HEADER_MAX && size % 4 == 0);
        memcpy(out + size, "payload", 7);
        struct mcu_rtp got;
        CHECK(parse(&got, out, size + 7, false) == 0);
        CHECK(got.header_size == size && got.payload == out + size && got.payload_size == 7);
        CHECK(got.payload_type == want.payload_type && got.marker == want.marker);
        CHECK(got.sequence == want.sequence && got.timestamp == want.timestamp);
        CHECK(got.ssrc == want.ssrc && got.level == want.level);
        CHECK(got.level < 0 || got.voice == want.voice);
        CHECK(got.mid_size == want.mid_size && (got.mid != NULL) == (want.mid_size > 0));
        CHECK(!got.mid || memcmp(got.mid, mid, got.mid_size) == 0);
        CHECK(got.rid_size == want.rid_size && (got.rid != NULL) == (want.rid_size > 0));
        CHECK(!got.rid || memcmp(got.rid, mid, got.rid_size) == 0);
        CHECK(got.has_send_time == want.has_send_time);
        CHECK(!got.has_send_time || got.send_time == want.send_time);
        CHECK(got.has_wide_sequence == want.has_wide_sequence);
        CHECK(!got.has_wide_sequence || got.wide_sequence == want.wide_sequence);
    }
}

static void nothing_is_written_for_what_was_not_negotiated(void)
{
    uint8_t out[MCU_RTP_HEADER_MAX];
    const struct mcu_rtp packet = {.mid = "0",
                                   .mid_size = 1,
                                   .level = 3,
                                   .has_send_time = true,
                                   .has_wide_sequence = true};
    CHECK(mcu_rtp_write(out, &packet, &(struct mcu_rtp_extensions){0}) == 12);
    CHECK(out[0] == 0x80);
    /* ids that one byte cannot say */
    CHECK(mcu_rtp_write(out, &packet,
                        &(struct mcu_rtp_extensions){
                            .mid = 15, .level = 16, .send_time = 255, .sequence = 33}) == 12);
}

static void the_two_byte_form_is_read(void)
{
    const uint8_t data[] = {0x90, 111, 0,   1,   0, 0, 0, 2,    0, 0, 0, 3, 0x10, 0x05, 0,  3,
                            1,    2,   'm', 'd', 0, 2, 1, 0x85, 9, 0, 4, 2, 0x12, 0x34, 'p'};
    struct mcu_rtp packet;
    /* the last element's second byte is in the payload: it is not read */
    CHECK(parse(&packet, data, sizeof data, false) == 0);
    CHECK(packet.mid_size == 2 && memcmp(packet.mid, "md", 2) == 0);
    CHECK(packet.level == 5 && packet.voice && !packet.has_wide_sequence);
    CHECK(packet.payload_size == 3);
}

static void extensions_that_do_not_fit_are_passed_over(void)
{
    /* level, then an element of 16 bytes where 1 is left; id 15 ends; another profile */
    uint8_t data[] = {0x90, 0, 0,    0,    0, 0, 0,    0,    0,    0,
                      0,    0, 0xBE, 0xDE, 0, 1, 0x20, 0x81, 0x4F, 0xFF};
    struct mcu_rtp packet;
    CHECK(parse(&packet, data, sizeof data, false) == 0);
    CHECK(packet.level == 1 && packet.voice && packet.payload_size == 0);
    data[16] = 0xF0;
    CHECK(parse(&packet, data, sizeof data, false) == 0 && packet.level == -1);
    data[16] = 0x20;
    data[12] = 0xAB;
    CHECK(parse(&packet, data, sizeof data, false) == 0 && packet.level == -1);
}

/* A packet with this extension block and two bytes of payload that would read on as a level.
 */
static struct mcu_rtp with_block(uint16_t profile, const uint8_t *block, size_t size)
{
    static uint8_t data[64];
    memset(data, 0, sizeof data);
    data[0] = 0x90;
    data[12] = (uint8_t)(profile >> 8);
    data[13] = (uint8_t)profile;
    data[15] = (uint8_t)(size / 4);
    memcpy(data + 16, block, size);
    data[16 + size] = 1;
    data[17 + size] = 0x85;
    struct mcu_rtp packet;
    CHECK(parse(&packet, data, 18 + size, false) == 0 && packet.payload_size == 2);
    return packet;
}

static void elements_of_a_wrong_length_are_not_believed(void)
{
    /* two bytes of send time, then one of sequence, padded */
    const uint8_t one[] = {0x31, 1, 2, 0x40, 3, 0, 0, 0};
    const struct mcu_rtp packet = with_block(0xBEDE, one, sizeof one);
    CHECK(!packet.has_send_time && !packet.has_wide_sequence);
    uint8_t mid[20] = {1, MCU_MID_MAX + 1};
    CHECK(with_block(0x1000, mid, sizeof mid).mid == NULL);
    mid[1] = MCU_MID_MAX;
    CHECK(with_block(0x1000, mid, sizeof mid).mid_size == MCU_MID_MAX);
    const uint8_t empty[] = {2, 0, 2, 0};
    CHECK(with_block(0x1000, empty, sizeof empty).level == -1);
    const uint8_t lone[] = {0, 0, 0, 2}; /* its length would be in the payload */
    CHECK(with_block(0x1000, lone, sizeof lone).level == -1);
}

static void nothing_is_read_after_the_reserved_id(void)
{
    const uint8_t reserved[] = {0xF0, 0, 0x20, 0x81};
    CHECK(with_block(0xBEDE, reserved, sizeof reserved).level == -1);
}

static void the_id_zero_is_nobody_s(void)
{
    const uint8_t data[] = {0x90, 0, 0,    0,    0, 0, 0, 0,   0,   0,
                            0,    0, 0xBE, 0xDE, 0, 1, 1, 'a', 'b', 0};
    const struct mcu_rtp_extensions none = {0};
    struct mcu_rtp packet;
    CHECK(mcu_rtp_parse(&packet, data, sizeof data, &none, false) == 0);
    CHECK(packet.mid == NULL && packet.level == -1);
}

static void a_packet_that_is_cut_anywhere_is_refused_or_shorter(void)
{
    uint8_t out[MCU_RTP_HEADER_MAX + 20] = {0};
    const struct mcu_rtp want = {.mid = "01", .mid_size = 2, .level = 3};
    const size_t header = mcu_rtp_write(out, &want, &ids);
    for (size_t size = 0; size < header + 20; size++) {
        uint8_t *copy = exact(out, size);
        struct mcu_rtp packet;
        CHECK(parse(&packet, copy, size, false) == (size < header ? -1 : 0));
        CHECK(size < header || packet.payload_size == size - header);
        free(copy);
    }
}

static void padding_is_cut_off_and_what_is_more_than_there_is_refused(void)
{
    uint8_t data[20] = {0xA0};
    struct mcu_rtp packet;
    for (unsigned last = 0; last < 256; last++) {
        data[19] = (uint8_t)last;
        const bool fits = last >= 1 && last <= 8;
        CHECK(parse(&packet, data, 20, false) == (fits ? 0 : -1));
        CHECK(!fits || packet.payload_size == 8 - last);
        CHECK(parse(&packet, data, 20, true) == 0 && packet.payload_size == 8);
    }
}

static void what_is_decrypted_ends_before_the_tag_and_the_padding(void)
{
    uint8_t data[30] = {0xA0, [19] = 3};
    struct mcu_rtp packet;
    CHECK(parse(&packet, data, sizeof data, true) == 0 && packet.payload_size == 18);
    CHECK(mcu_rtp_decrypted(&packet, 20) == 0 && packet.payload_size == 5);
    data[19] = 9;
    CHECK(mcu_rtp_decrypted(&packet, 20) == -1);
    data[19] = 0;
    CHECK(mcu_rtp_decrypted(&packet, 20) == -1 && packet.payload_size == 5);
    data[11] = 1; /* of the header, not padding */
    CHECK(mcu_rtp_decrypted(&packet, 12) == -1);
    CHECK(mcu_rtp_decrypted(&packet, 11) == -1);
}

static void csrcs_are_passed_over(void)
{
    const uint8_t data[12 + 60 + 1] = {0x8F};
    struct mcu_rtp packet;
    CHECK(parse(&packet, data, sizeof data, false) == 0);
    CHECK(packet.payload_size == 1 && packet.header_size == 72);
    CHECK(parse(&packet, data, 71, false) == -1);
}

static void other_versions_are_refused(void)
{
    struct mcu_rtp packet;
    for (unsigned version = 0; version < 4; version++) {
        const uint8_t data[12] = {(uint8_t)(version << 6)};
        CHECK(parse(&packet, data, 12, false) == (version == 2 ? 0 : -1));
    }
}

static void numbers_are_extended_to_the_nearest(void)
{
    CHECK(mcu_extend16(-1, 65535) == 65535);
    CHECK(mcu_extend16(65535, 0) == 65536);
    CHECK(mcu_extend16(65536, 65535) == 65535);
    CHECK(mcu_extend16(10, 65535) == 65535); /* there was no turn before the first */
    CHECK(mcu_extend16(3 * 65536 + 10, 65000) == 2 * 65536 + 65000);
    /* at half a turn, the same turn */
    CHECK(mcu_extend16(65536 + 100, 100 + 32768) == 65536 + 100 + 32768);
    CHECK(mcu_extend16(65536 + 40000, 40000 - 32768) == 65536 + 40000 - 32768);
    CHECK(mcu_extend24(0xFFFFFF, 5) == 0x1000005);
    CHECK(mcu_extend24(0x1000005, 0xFFFFFF) == 0xFFFFFF);
    CHECK(mcu_extend32(0xFFFFFFFF, 5) == 0x100000005);
    CHECK(mcu_extend32(0x100000005, 0xFFFFFFFF) == 0xFFFFFFFF);
    for (int i = 0; i < 10000; i++) {
        const int64_t reference = (int64_t)noise() + 65536;
        const int64_t number = reference + between(-32767, 32767);
        CHECK(mcu_extend16(reference, (uint16_t)number) == number);
    }
}

static void the_send_time_counts_seconds_and_wraps_after_64(void)
{
    CHECK(mcu_send_time(0) == 0);
    CHECK(mcu_send_time(1000000) == 1 << 18);
    CHECK(mcu_send_time(63500000) == (63u << 18 | 1 << 17));
    CHECK(mcu_send_time(64000000) == 0);
    CHECK(mcu_send_time((int64_t)64000000 * 3000000 + 1000000) == 1 << 18);
}

void rtp_tests(void)
{
    TEST(what_is_written_is_read_back);
    TEST(nothing_is_written_for_what_was_not_negotiated);
    TEST(the_two_byte_form_is_read);
    TEST(extensions_that_do_not_fit_are_passed_over);
    TEST(elements_of_a_wrong_length_are_not_believed);
    TEST(nothing_is_read_after_the_reserved_id);
    TEST(the_id_zero_is_nobody_s);
    TEST(a_packet_that_is_cut_anywhere_is_refused_or_shorter);
    TEST(padding_is_cut_off_and_what_is_more_than_there_is_refused);
    TEST(what_is_decrypted_ends_before_the_tag_and_the_padding);
    TEST(csrcs_are_passed_over);
    TEST(other_versions_are_refused);
    TEST(numbers_are_extended_to_the_nearest);
    TEST(the_send_time_counts_seconds_and_wraps_after_64);
}
