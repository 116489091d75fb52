/* What is sent once for many, and sent again. */
#include "checks.h"

#include "harness.h"

#include <mcu/resend.h>

#include <stdlib.h>
#include <string.h>

enum { SECOND = 1000000, RTT = 40000 };

static struct mcu_payloads *payloads_of(size_t size, int64_t now)
{
    uint8_t *picture = noise_picture(NULL, 0, size);
    struct mcu_payloads *made =
        mcu_payloads_new(MCU_VP8, picture, size, 1000, 77, 3000, true, now);
    free(picture);
    return made;
}

static void payloads_are_what_was_cut(void)
{
    const uint8_t head[] = {0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 1, 0x65};
    struct mcu_piece pieces[16];
    uint8_t *picture = noise_picture(head, sizeof head, 5000), out[1000];
    struct mcu_payloads *payloads =
        mcu_payloads_new(MCU_H264, picture, 5000, 1000, 0, 3000, true, SECOND);
    const int count = mcu_payload_cut(MCU_H264, picture, 5000, 1000, 0, pieces, 16);
    CHECK(count == (int)payloads->count && payloads->timestamp == 3000 && payloads->key);
    for (int i = 0; i < count; i++) {
        size_t size;
        const uint8_t *payload = mcu_payloads_at(payloads, (uint32_t)i, &size);
        CHECK(mcu_piece_write(&pieces[i], out) == size && memcmp(out, payload, size) == 0);
    }
    mcu_payloads_drop(payloads);
    free(picture);
}

static void what_cannot_be_cut_is_no_payloads(void)
{
    uint8_t *picture = noise_picture((const uint8_t *)"\0\0\1\x65", 4, 2000);
    CHECK(!mcu_payloads_new(MCU_H264_MODE0, picture, 2000, 1000, 0, 0, true, 0));
    CHECK(!mcu_payloads_new(MCU_VP8, picture, 0, 1000, 0, 0, true, 0));
    CHECK(!mcu_payloads_new(MCU_H264, picture + 3, 1000, 1000, 0, 0, true, 0));
    free(picture);
}

static void legs_share_payloads_until_the_last_forgets_them(void)
{
    struct mcu_sent *sent = calloc(2, sizeof *sent);
    struct mcu_payloads *payloads = payloads_of(2500, SECOND);
    for (uint32_t number = 0; number < 3; number++) {
        mcu_sent_remember(&sent[0], number, payloads, number);
        mcu_sent_remember(&sent[1], 70000 + number, payloads, number);
    }
    CHECK(payloads->references == 7);
    mcu_payloads_drop(payloads);
    mcu_sent_clear(&sent[0]);
    CHECK(payloads->references == 3);
    mcu_sent_remember(&sent[1], 70000, payloads, 0); /* in its own place */
    CHECK(payloads->references == 3);
    mcu_sent_clear(&sent[1]); /* the sanitizer tells whether it is freed, and once */
    free(sent);
}

static void what_was_sent_is_sent_again_once_in_a_round_trip(void)
{
    struct mcu_sent *sent = calloc(1, sizeof *sent);
    struct mcu_payloads *payloads = payloads_of(2500, SECOND), *found;
    uint32_t number;
    size_t size, first_size;
    for (uint32_t i = 0; i < 3; i++)
        mcu_sent_remember(sent, 65535 + i, payloads, i);
    const uint8_t *first = mcu_payloads_at(payloads, 1, &first_size);
    CHECK(mcu_sent_again(sent, 65536, SECOND, RTT, &size, &found, &number) == first);
    CHECK(size == first_size && found == payloads && number == 1);
    CHECK(!mcu_sent_again(sent, 65536, SECOND + RTT - 1, RTT, &size, &found, &number));
    CHECK(mcu_sent_again(sent, 65536, SECOND + RTT, RTT, &size, &found, &number));
    CHECK(mcu_sent_again(sent, 65537, SECOND + RTT, RTT, &size, &found, &number));
    CHECK(!mcu_sent_again(sent, 65538, SECOND + RTT, RTT, &size, &found, &number));
    CHECK(!mcu_sent_again(sent, 0, SECOND + RTT, RTT, &size, &found, &number)); /* as 65536 */
    mcu_payloads_drop(payloads);
    mcu_sent_clear(sent);
    free(sent);
}

static void what_is_too_old_is_not_sent_again(void)
{
    struct mcu_sent *sent = calloc(1, sizeof *sent);
    struct mcu_payloads *found, *old = payloads_of(10, 0);
    uint32_t number;
    size_t size;
    mcu_sent_remember(sent, 5, old, 0);
    mcu_payloads_drop(old);
    CHECK(mcu_sent_again(sent, 5, MCU_RESEND_FOR, RTT, &size, &found, &number));
    CHECK(!mcu_sent_again(sent, 5, 2 * MCU_RESEND_FOR, RTT, &size, &found, &number));
    struct mcu_payloads *recent = payloads_of(10, SECOND);
    mcu_sent_remember(sent, 5 + MCU_RESEND_PACKETS, recent, 0); /* `old` is freed here */
    mcu_payloads_drop(recent);
    CHECK(!mcu_sent_again(sent, 5, SECOND, RTT, &size, &found, &number));
    CHECK(mcu_sent_again(sent, 5 + MCU_RESEND_PACKETS, SECOND, RTT, &size, &found, &number));
    mcu_sent_clear(sent);
    CHECK(!mcu_sent_again(sent, 5 + MCU_RESEND_PACKETS, SECOND, 0, &size, &found, &number));
    free(sent);
}

void resend_tests(void)
{
    TEST(payloads_are_what_was_cut);
    TEST(what_cannot_be_cut_is_no_payloads);
    TEST(legs_share_payloads_until_the_last_forgets_them);
    TEST(what_was_sent_is_sent_again_once_in_a_round_trip);
    TEST(what_is_too_old_is_not_sent_again);
}
