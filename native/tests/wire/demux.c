#include "tests.h"

#include <mcu/demux.h>

#include <stdlib.h>
#include <string.h>

static enum mcu_datagram of(const uint8_t *data, size_t size)
{
    uint8_t *copy = exact(data, size);
    const enum mcu_datagram kind = mcu_demux(copy, size);
    free(copy);
    return kind;
}

static void each_protocol_is_known_by_its_first_bytes(void)
{
    for (uint8_t first = 0; first < 5; first++) {
        const uint8_t stun[20] = {first, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
        CHECK(of(stun, 20) == (first < 4 ? MCU_IS_STUN : MCU_IS_NOTHING));
    }
    const uint8_t rtp[12] = {0x80, 111}, marked[12] = {0x90, 128 | 63};
    CHECK(of(rtp, 12) == MCU_IS_RTP && of(marked, 12) == MCU_IS_RTP);
    const uint8_t high[12] = {0x80, 128 | 96};
    CHECK(of(high, 12) == MCU_IS_RTP);
    for (unsigned type = 192; type <= 223; type++)
        CHECK(of((const uint8_t[8]){0x80, (uint8_t)type}, 8) == MCU_IS_RTCP);
    CHECK(of((const uint8_t[12]){0x80, 191}, 12) == MCU_IS_RTP);
    CHECK(of((const uint8_t[12]){0x80, 224}, 12) == MCU_IS_RTP);
}

static void what_is_too_short_for_its_protocol_is_nothing(void)
{
    const uint8_t stun[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    const uint8_t rtp[12] = {0x80, 111}, rtcp[8] = {0x80, 200};
    CHECK(of(stun, 0) == MCU_IS_NOTHING);
    for (size_t size = 1; size < 20; size++)
        CHECK(of(stun, size) == MCU_IS_NOTHING);
    for (size_t size = 1; size < 12; size++)
        CHECK(of(rtp, size) == MCU_IS_NOTHING);
    for (size_t size = 1; size < 8; size++)
        CHECK(of(rtcp, size) == MCU_IS_NOTHING);
}

static void dtls_is_whole_records_of_a_known_kind(void)
{
    /* a handshake of 3 bytes, then a change of cipher */
    uint8_t flight[30] = {22, 0xfe, 0xff, 0,    0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 2,
                          3,  20,   0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1};
    CHECK(of(flight, 30) == MCU_IS_DTLS);
    CHECK(of(flight, 16) == MCU_IS_DTLS);
    for (size_t size = 1; size < 30; size++)
        CHECK((of(flight, size) == MCU_IS_DTLS) == (size == 16));
    for (unsigned kind = 0; kind < 64; kind++) {
        flight[0] = (uint8_t)kind;
        CHECK((of(flight, 30) == MCU_IS_DTLS) == (kind >= 20 && kind <= 23));
    }
    flight[0] = 22;
    flight[2] = 0xfc; /* DTLS 1.3 is not spoken on the wire */
    CHECK(of(flight, 30) == MCU_IS_NOTHING);
}

static void no_other_first_byte_is_anything(void)
{
    for (unsigned first = 0; first < 256; first++) {
        uint8_t data[64] = {(uint8_t)first};
        const enum mcu_datagram kind = of(data, 64);
        CHECK(kind == (first >= 128 && first < 192 ? MCU_IS_RTP : MCU_IS_NOTHING));
    }
}

void demux_tests(void)
{
    TEST(each_protocol_is_known_by_its_first_bytes);
    TEST(what_is_too_short_for_its_protocol_is_nothing);
    TEST(dtls_is_whole_records_of_a_known_kind);
    TEST(no_other_first_byte_is_anything);
}
