#include "tests.h"

#include <mcu/rtcp.h>

#include <stdlib.h>
#include <string.h>

static struct mcu_rtcp_reader reader(const uint8_t *data, size_t size)
{
    return (struct mcu_rtcp_reader){.data = data, .size = size};
}

/* The only event of a packet, or a failure. */
static struct mcu_rtcp_event only(const uint8_t *data, size_t size)
{
    struct mcu_rtcp_reader all = reader(data, size);
    struct mcu_rtcp_event event = {0}, next;
    CHECK(mcu_rtcp_next(&all, &event) == 1);
    CHECK(mcu_rtcp_next(&all, &next) == 0);
    return event;
}

static struct mcu_rtcp_block any_block(void)
{
    return (struct mcu_rtcp_block){.ssrc = noise(),
                                   .highest = noise(),
                                   .jitter = noise(),
                                   .last_sr = noise(),
                                   .delay = noise(),
                                   .lost = between(-0x800000, 0x7FFFFF),
                                   .fraction_lost = (uint8_t)noise()};
}

static bool is_block(const struct mcu_rtcp_event *event, const struct mcu_rtcp_block *block)
{
    return event->kind == MCU_RTCP_REPORT && event->media_ssrc == block->ssrc &&
           event->highest == block->highest && event->jitter == block->jitter &&
           event->last_sr == block->last_sr && event->delay == block->delay &&
           event->lost == block->lost && event->fraction_lost == block->fraction_lost;
}

static void reports_are_read_as_they_were_written(void)
{
    for (int round = 0; round < 200; round++) {
        uint8_t out[MCU_RTCP_MAX];
        size_t size = 0;
        struct mcu_rtcp_block blocks[31];
        const size_t count = (size_t)between(0, 31);
        for (size_t i = 0; i < count; i++)
            blocks[i] = any_block();
        const bool sender = noise() & 1;
        if (sender)
            CHECK(mcu_rtcp_sr(out, &size, 7, 0x123456789ABCDEF0, 8, 9, 10, blocks, count) ==
                  0);
        else
            CHECK(mcu_rtcp_rr(out, &size, 7, blocks, count) == 0);
        struct mcu_rtcp_reader all = reader(out, size);
        struct mcu_rtcp_event event;
        if (sender) {
            CHECK(mcu_rtcp_next(&all, &event) == 1 && event.kind == MCU_RTCP_SENDER);
            CHECK(event.ssrc == 7 && event.ntp == 0x123456789ABCDEF0);
            CHECK(event.timestamp == 8 && event.packets == 9 && event.bytes == 10);
        }
        for (size_t i = 0; i < count; i++) {
            CHECK(mcu_rtcp_next(&all, &event) == 1 && event.ssrc == 7);
            CHECK(is_block(&event, &blocks[i]));
        }
        CHECK(mcu_rtcp_next(&all, &event) == 0);
    }
}

static void a_loss_that_24_bits_cannot_say_stays_at_the_end(void)
{
    uint8_t out[MCU_RTCP_MAX];
    size_t size = 0;
    const struct mcu_rtcp_block blocks[2] = {{.lost = 0x800000}, {.lost = -0x800001}};
    mcu_rtcp_rr(out, &size, 1, blocks, 2);
    struct mcu_rtcp_reader all = reader(out, size);
    struct mcu_rtcp_event event;
    CHECK(mcu_rtcp_next(&all, &event) == 1 && event.lost == 0x7FFFFF);
    CHECK(mcu_rtcp_next(&all, &event) == 1 && event.lost == -0x800000);
}

static void a_nack_asks_for_what_is_lost_and_nothing_else(void)
{
    for (int round = 0; round < 500; round++) {
        int64_t lost[60];
        const size_t count = (size_t)between(1, 60);
        int64_t number = 65536 * between(0, 3) + between(0, 65535);
        for (size_t i = 0; i < count; i++)
            lost[i] = number += between(1, noise() % 8 ? 4 : 300);
        uint8_t out[MCU_RTCP_MAX];
        size_t size = 0, found = 0;
        CHECK(mcu_rtcp_nack(out, &size, 1, 2, lost, count) == 0);
        struct mcu_rtcp_reader all = reader(out, size);
        struct mcu_rtcp_event event;
        while (mcu_rtcp_next(&all, &event) == 1) {
            CHECK(event.kind == MCU_RTCP_NACK && event.ssrc == 1 && event.media_ssrc == 2);
            CHECK(event.pid == (uint16_t)lost[found++]);
            for (unsigned bit = 0; bit < 16; bit++)
                if (event.mask >> bit & 1)
                    CHECK((uint16_t)(event.pid + bit + 1) == (uint16_t)lost[found++]);
        }
        CHECK(found == count);
    }
}

static void seventeen_in_a_row_take_one_entry_of_a_nack(void)
{
    int64_t lost[18];
    for (int i = 0; i < 18; i++)
        lost[i] = 65530 + i;
    uint8_t out[MCU_RTCP_MAX];
    size_t size = 0;
    CHECK(mcu_rtcp_nack(out, &size, 1, 2, lost, 17) == 0 && size == 12 + 4);
    size = 0;
    CHECK(mcu_rtcp_nack(out, &size, 1, 2, lost, 18) == 0 && size == 12 + 8);
}

static void feedback_is_read_as_it_was_written(void)
{
    uint8_t out[MCU_RTCP_MAX];
    size_t size = 0;
    CHECK(mcu_rtcp_pli(out, &size, 1, 2) == 0 && size == 12);
    struct mcu_rtcp_event event = only(out, size);
    CHECK(event.kind == MCU_RTCP_PLI && event.ssrc == 1 && event.media_ssrc == 2);
    size = 0;
    CHECK(mcu_rtcp_fir(out, &size, 1, 2, 200) == 0);
    event = only(out, size);
    CHECK(event.kind == MCU_RTCP_FIR && event.ssrc == 1 && event.media_ssrc == 2);
    CHECK(event.command == 200);
    size = 0;
    CHECK(mcu_rtcp_bye(out, &size, 9) == 0);
    event = only(out, size);
    CHECK(event.kind == MCU_RTCP_BYE && event.ssrc == 9);
}

static void a_limit_is_read_as_it_was_written_to_18_bits(void)
{
    const uint32_t ssrcs[3] = {1, 2, 3};
    for (unsigned bits = 0; bits < 64; bits++) {
        const uint64_t want = ((uint64_t)1 << bits) + bits;
        uint8_t out[MCU_RTCP_MAX];
        size_t size = 0;
        CHECK(mcu_rtcp_remb(out, &size, 1, want, ssrcs, bits % 4) == 0);
        const struct mcu_rtcp_event event = only(out, size);
        CHECK(event.kind == MCU_RTCP_REMB && event.ssrc == 1);
        CHECK(event.bits_per_second <= want);
        CHECK(want - event.bits_per_second <= want >> 17);
        CHECK(event.body_size == 4 * (bits % 4));
        CHECK(bits % 4 == 0 || event.body[event.body_size - 1] == bits % 4);
    }
}

static void a_limit_beyond_64_bits_is_the_most_there_is(void)
{
    uint8_t remb[20] = {0x8F, 206, 0,   4,   0,   0,   0, 1,    0,    0,
                        0,    0,   'R', 'E', 'M', 'B', 0, 0xFF, 0xFF, 0xFF};
    CHECK(only(remb, 20).bits_per_second == UINT64_MAX);
    const uint8_t tmmbr[20] = {0x83, 205, 0, 4, 0, 0, 0,    1,    0,    0,
                               0,    0,   0, 0, 0, 5, 0xFF, 0xFF, 0xFE, 0x00};
    const struct mcu_rtcp_event event = only(tmmbr, 20);
    CHECK(event.kind == MCU_RTCP_TMMBR && event.media_ssrc == 5);
    CHECK(event.bits_per_second == UINT64_MAX);
    memcpy(remb + 12, "GOOG", 4); /* of another application */
    struct mcu_rtcp_reader all = reader(remb, 20);
    struct mcu_rtcp_event none;
    CHECK(mcu_rtcp_next(&all, &none) == 0);
}

static void tmmbr_is_read_and_written_and_answered(void)
{
    /* exponent 3, mantissa 125000, overhead 40 (RFC 5104 section 4.2.1.1) */
    const uint32_t entry = 3u << 26 | 125000u << 9 | 40;
    const uint8_t data[20] = {0x83,
                              205,
                              0,
                              4,
                              0,
                              0,
                              0,
                              1,
                              0,
                              0,
                              0,
                              0,
                              0,
                              0,
                              0,
                              5,
                              (uint8_t)(entry >> 24),
                              (uint8_t)(entry >> 16),
                              (uint8_t)(entry >> 8),
                              (uint8_t)entry};
    CHECK(only(data, 20).bits_per_second == 1000000 && only(data, 20).overhead == 40);
    uint8_t out[MCU_RTCP_MAX];
    size_t size = 0;
    const uint32_t five = 5;
    CHECK(mcu_rtcp_tmmbr(out, &size, 1, 1000000, 40, &five, 1) == 0);
    CHECK(size == sizeof data && memcmp(out, data, size) == 0);
    size = 0;
    CHECK(mcu_rtcp_tmmbn(out, &size, 1, 1000000, 40, 5) == 0); /* alike, but for its format */
    out[0] = 0x83;
    CHECK(size == sizeof data && memcmp(out, data, size) == 0);
}

static void a_compound_of_all_kinds_is_read_in_order(void)
{
    uint8_t out[MCU_RTCP_MAX];
    size_t size = 0;
    const struct mcu_rtcp_block block = any_block();
    mcu_rtcp_sr(out, &size, 1, 2, 3, 4, 5, &block, 1);
    mcu_rtcp_sdes(out, &size, 1, "cname");
    mcu_rtcp_pli(out, &size, 1, 2);
    mcu_rtcp_bye(out, &size, 1);
    struct mcu_rtcp_reader all = reader(out, size);
    struct mcu_rtcp_event event;
    CHECK(mcu_rtcp_next(&all, &event) == 1 && event.kind == MCU_RTCP_SENDER);
    CHECK(mcu_rtcp_next(&all, &event) == 1 && is_block(&event, &block));
    CHECK(mcu_rtcp_next(&all, &event) == 1 && event.kind == MCU_RTCP_PLI);
    CHECK(mcu_rtcp_next(&all, &event) == 1 && event.kind == MCU_RTCP_BYE);
    CHECK(mcu_rtcp_next(&all, &event) == 0);
}

static void a_name_of_any_length_is_padded_to_words(void)
{
    char name[257];
    for (size_t length = 0; length <= 256; length++) {
        memset(name, 'n', length);
        name[length] = 0;
        uint8_t out[MCU_RTCP_MAX];
        memset(out, 0xFF, sizeof out);
        size_t size = 0;
        CHECK(mcu_rtcp_sdes(out, &size, 1, name) == (length < 256 ? 0 : -1));
        if (length == 256)
            break;
        CHECK(size % 4 == 0 && (size_t)(out[2] << 8 | out[3]) * 4 + 4 == size);
        CHECK(out[9] == length && out[10 + length] == 0 && size - 10 - length <= 4);
        CHECK(out[size - 1] == 0);
    }
}

static void what_does_not_fit_is_not_written(void)
{
    uint8_t *out = malloc(MCU_RTCP_MAX);
    size_t size = 0;
    while (mcu_rtcp_pli(out, &size, 1, 2) == 0)
        ;
    CHECK(size == MCU_RTCP_MAX / 12 * 12);
    size = MCU_RTCP_MAX - 8;
    const size_t before = size;
    const struct mcu_rtcp_block blocks[32] = {{0}};
    const int64_t lost[1] = {1};
    CHECK(mcu_rtcp_rr(out, &size, 1, blocks, 1) == -1);
    CHECK(mcu_rtcp_sr(out, &size, 1, 2, 3, 4, 5, NULL, 0) == -1);
    CHECK(mcu_rtcp_nack(out, &size, 1, 2, lost, 1) == -1);
    CHECK(mcu_rtcp_fir(out, &size, 1, 2, 3) == -1);
    CHECK(mcu_rtcp_remb(out, &size, 1, 2, NULL, 0) == -1);
    CHECK(mcu_rtcp_sdes(out, &size, 1, "") == -1);
    CHECK(size == before && mcu_rtcp_bye(out, &size, 1) == 0 && size == MCU_RTCP_MAX);
    CHECK(mcu_rtcp_bye(out, &size, 1) == -1);
    size = 0;
    CHECK(mcu_rtcp_rr(out, &size, 1, blocks, 32) == -1);
    CHECK(mcu_rtcp_sr(out, &size, 1, 2, 3, 4, 5, blocks, 32) == -1);
    const uint32_t ssrcs[256] = {0};
    CHECK(mcu_rtcp_remb(out, &size, 1, 2, ssrcs, 256) == -1);
    CHECK(mcu_rtcp_nack(out, &size, 1, 2, lost, 0) == -1 && size == 0);
    free(out);
}

static int read_all(const uint8_t *data, size_t size, size_t *events)
{
    struct mcu_rtcp_reader all = reader(data, size);
    struct mcu_rtcp_event event;
    int verdict;
    *events = 0;
    while ((verdict = mcu_rtcp_next(&all, &event)) == 1)
        ++*events;
    CHECK(mcu_rtcp_next(&all, &event) == 0); /* nothing after the end, malformed or not */
    return verdict;
}

static void what_is_cut_is_read_up_to_there(void)
{
    uint8_t out[MCU_RTCP_MAX];
    size_t size = 0, events;
    mcu_rtcp_pli(out, &size, 1, 2);
    const struct mcu_rtcp_block block = any_block();
    mcu_rtcp_rr(out, &size, 1, &block, 1);
    for (size_t cut = 0; cut <= size; cut++) {
        uint8_t *copy = exact(out, cut);
        const int verdict = read_all(copy, cut, &events);
        CHECK(verdict == (cut == 0 || cut == 12 || cut == size ? 0 : -1));
        CHECK(events == (size_t)(cut >= 12) + (cut == size));
        free(copy);
    }
}

static void counts_beyond_the_packet_are_refused(void)
{
    size_t events;
    const uint8_t report[8] = {0x81, 201, 0, 1};
    CHECK(read_all(report, 8, &events) == -1 && events == 0);
    const uint8_t bye[8] = {0x82, 203, 0, 1};
    CHECK(read_all(bye, 8, &events) == -1 && events == 0);
    const uint8_t sender[8] = {0x80, 200, 0, 1};
    CHECK(read_all(sender, 8, &events) == -1 && events == 0);
    const uint8_t pli[8] = {0x81, 206, 0, 1};
    CHECK(read_all(pli, 8, &events) == -1 && events == 0);
    const uint8_t remb[20] = {0x8F, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 1};
    CHECK(read_all(remb, 20, &events) == -1 && events == 0);
}

static void padding_is_only_of_the_last_packet(void)
{
    size_t events;
    /* an RR, then a BYE of one source with four bytes of padding */
    uint8_t data[20] = {0x80, 201, 0, 1, 0, 0, 0, 1, 0xA1, 203, 0, 2, 0, 0, 0, 9, 0, 0, 0, 4};
    CHECK(read_all(data, 20, &events) == 0 && events == 1);
    static const uint8_t wrong[] = {0, 3, 12, 252, 255};
    for (size_t i = 0; i < sizeof wrong; i++) {
        data[19] = wrong[i];
        CHECK(read_all(data, 20, &events) == -1 && events == 0);
    }
    data[19] = 8; /* fits, but takes the source away */
    CHECK(read_all(data, 20, &events) == -1 && events == 0);
    const uint8_t early[20] = {0xA0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4, 0x81, 203, 0, 1};
    CHECK(read_all(early, 12, &events) == 0 && events == 0);
    CHECK(read_all(early, 20, &events) == -1 && events == 0);
}

static void what_is_not_known_is_passed_over(void)
{
    size_t events;
    /* APP, XR, an unknown RTPFB and PSFB, then a PLI */
    const uint8_t data[] = {0x80, 204,  0,    2,    0,   0, 0, 0, 0, 0, 0, 0, 0x80,
                            207,  0,    0,    0x9E, 205, 0, 2, 0, 0, 0, 0, 0, 0,
                            0,    0,    0x9E, 206,  0,   2, 0, 0, 0, 0, 0, 0, 0,
                            0,    0x81, 206,  0,    2,   0, 0, 0, 1, 0, 0, 0, 2};
    CHECK(read_all(data, sizeof data, &events) == 0 && events == 1);
}

static void wide_feedback_is_handed_on_whole(void)
{
    const uint8_t data[20] = {0x8F, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8};
    const struct mcu_rtcp_event event = only(data, 20);
    CHECK(event.kind == MCU_RTCP_WIDE && event.media_ssrc == 2);
    CHECK(event.body == data + 12 && event.body_size == 8);
}

static void noise_comes_to_an_end(void)
{
    for (int i = 0; i < 20000; i++) {
        const size_t size = (size_t)between(0, 100);
        uint8_t *data = noise_bytes(size);
        if (size > 1) {
            data[0] = (uint8_t)(0x80 | (data[0] & 31));
            data[1] = (uint8_t)(200 + data[1] % 8);
        }
        if (size > 3) {
            data[2] = 0;
            data[3] &= 15;
        }
        size_t events;
        read_all(data, size, &events);
        CHECK(events <= size / 4);
        free(data);
    }
}

/* -- other names -- */

/* Own ones become 1000 more, others' 2000 more; 13 has none. */
static bool rename_one(void *of, bool own, uint32_t *ssrc)
{
    unsigned *asked = of;
    ++*asked;
    const bool taken = *ssrc != 13;
    *ssrc += own ? 1000 : 2000;
    return taken;
}

static void every_ssrc_of_a_compound_is_named_anew_and_nothing_else_is_touched(void)
{
    uint8_t in[MCU_RTCP_MAX], out[MCU_RTCP_MAX];
    size_t size = 0, wanted = 0;
    unsigned asked = 0;
    struct mcu_rtcp_block block = {.ssrc = 2, .highest = 5}, named = block;
    const uint32_t media[2] = {2, 3}, medias[2] = {2002, 2003};
    const int64_t lost[2] = {7, 9};
    named.ssrc = 2002;
    CHECK(mcu_rtcp_sr(in, &size, 1, 2, 3, 4, 5, &block, 1) == 0 &&
          mcu_rtcp_sr(out, &wanted, 1001, 2, 3, 4, 5, &named, 1) == 0);
    CHECK(mcu_rtcp_rr(in, &size, 1, &block, 1) == 0 &&
          mcu_rtcp_rr(out, &wanted, 1001, &named, 1) == 0);
    CHECK(mcu_rtcp_sdes(in, &size, 1, "a name") == 0 &&
          mcu_rtcp_sdes(out, &wanted, 1001, "a name") == 0);
    CHECK(mcu_rtcp_nack(in, &size, 1, 2, lost, 2) == 0 &&
          mcu_rtcp_nack(out, &wanted, 1001, 2002, lost, 2) == 0);
    CHECK(mcu_rtcp_fir(in, &size, 1, 2, 4) == 0 &&
          mcu_rtcp_fir(out, &wanted, 1001, 2002, 4) == 0);
    CHECK(mcu_rtcp_remb(in, &size, 1, 64000, media, 2) == 0 &&
          mcu_rtcp_remb(out, &wanted, 1001, 64000, medias, 2) == 0);
    CHECK(mcu_rtcp_bye(in, &size, 1) == 0 && mcu_rtcp_bye(out, &wanted, 1001) == 0);
    CHECK(mcu_rtcp_rename(in, size, rename_one, &asked) == 0);
    CHECK(size == wanted && asked == 15);
    /* REMB speaks of nobody's media in its head: that is 0, and has a name here as all have.
     */
    struct mcu_rtcp_reader one = reader(in, size), other = reader(out, wanted);
    struct mcu_rtcp_event a, b;
    int left;
    while ((left = mcu_rtcp_next(&one, &a)) == mcu_rtcp_next(&other, &b) && left == 1)
        CHECK(a.kind == b.kind && a.ssrc == b.ssrc &&
              (a.media_ssrc == b.media_ssrc || a.kind == MCU_RTCP_REMB));
    CHECK(left == 0);
}

static void the_names_of_chunks_that_are_not_whole_and_of_who_has_none_are_refused(void)
{
    uint8_t in[MCU_RTCP_MAX], many[8] = {0x9F, 203, 0, 1};
    uint8_t chunks[] = {0x82, 202, 0, 4, 0, 0, 0, 1,   1,   1,
                        'a',  0,   0, 0, 0, 2, 1, 200, 'b', 'c'};
    size_t size = 0;
    unsigned asked = 0;
    CHECK(mcu_rtcp_bye(in, &size, 13) == 0);
    CHECK(mcu_rtcp_rename(in, size, rename_one, &asked) == -1);
    CHECK(mcu_rtcp_rename(many, sizeof many, rename_one, &asked) == -1);
    CHECK(mcu_rtcp_rename(in, 3, rename_one, &asked) == -1);
    asked = 0;
    CHECK(mcu_rtcp_rename(chunks, sizeof chunks, rename_one, &asked) == 0 && asked == 2);
    CHECK(chunks[6] == 1000 >> 8 && chunks[14] == 1000 >> 8);
    chunks[0] = 0x83;
    CHECK(mcu_rtcp_rename(chunks, sizeof chunks, rename_one, &asked) == -1);
}

void rtcp_tests(void)
{
    TEST(reports_are_read_as_they_were_written);
    TEST(a_loss_that_24_bits_cannot_say_stays_at_the_end);
    TEST(a_nack_asks_for_what_is_lost_and_nothing_else);
    TEST(seventeen_in_a_row_take_one_entry_of_a_nack);
    TEST(feedback_is_read_as_it_was_written);
    TEST(a_limit_is_read_as_it_was_written_to_18_bits);
    TEST(a_limit_beyond_64_bits_is_the_most_there_is);
    TEST(tmmbr_is_read_and_written_and_answered);
    TEST(a_compound_of_all_kinds_is_read_in_order);
    TEST(a_name_of_any_length_is_padded_to_words);
    TEST(what_does_not_fit_is_not_written);
    TEST(what_is_cut_is_read_up_to_there);
    TEST(counts_beyond_the_packet_are_refused);
    TEST(padding_is_only_of_the_last_packet);
    TEST(what_is_not_known_is_passed_over);
    TEST(wide_feedback_is_handed_on_whole);
    TEST(noise_comes_to_an_end);
    TEST(every_ssrc_of_a_compound_is_named_anew_and_nothing_else_is_touched);
    TEST(the_names_of_chunks_that_are_not_whole_and_of_who_has_none_are_refused);
}
