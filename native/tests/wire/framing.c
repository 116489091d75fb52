/* Datagrams on a stream, however it is cut. */
#include "tests.h"

#include <mcu/framing.h>

#include <stdlib.h>
#include <string.h>

static void a_datagram_is_told_from_its_length_and_only_when_it_is_whole(void)
{
    const uint8_t stream[] = {0, 3, 'a', 'b', 'c', 0, 0, 0, 1, 'd'};
    for (size_t size = 0; size < 5; size++) {
        uint8_t *part = exact(stream, size);
        CHECK(mcu_frame(part, size, 100) == -1);
        free(part);
    }
    CHECK(mcu_frame(stream, sizeof stream, 100) == 3);
    CHECK(mcu_frame(stream + 5, 5, 100) == 0); /* an empty one is one */
    CHECK(mcu_frame(stream + 7, 3, 100) == 1);
}

static void a_datagram_longer_than_we_take_is_refused_by_its_length_alone(void)
{
    const uint8_t stream[] = {0, 101};
    CHECK(mcu_frame(stream, 2, 100) == -2);
    CHECK(mcu_frame(stream, 2, 101) == -1);
}

static void a_stream_is_known_by_its_first_bytes(void)
{
    const uint8_t frames[] = {0, 20, 0, 1}, longest[] = {5, 0}, longer[] = {5, 1};
    const uint8_t tls[] = {0x16, 3, 1, 2, 0};
    CHECK(mcu_opening(frames, 0) == MCU_OPENS_MORE);
    CHECK(mcu_opening(frames, 1) == MCU_OPENS_MORE);
    CHECK(mcu_opening(frames, 2) == MCU_OPENS_FRAMES);
    CHECK(mcu_opening(longest, 2) == MCU_OPENS_FRAMES);
    CHECK(mcu_opening(longer, 2) == MCU_OPENS_OTHER);
    CHECK(mcu_opening(tls, 1) == MCU_OPENS_OTHER && mcu_opening(tls, 5) == MCU_OPENS_OTHER);
    CHECK(mcu_opening((const uint8_t *)"GET / HTTP/1.1", 14) == MCU_OPENS_OTHER);
}

static void a_false_greeting_is_waited_for_whatever_its_challenge_is(void)
{
    const uint8_t start[] = {0x80, 0x46, 1, 3, 1, 0, 0x2D, 0, 0, 0, 0x10};
    uint8_t hello[MCU_GREETING + 1];
    for (size_t i = 0; i < sizeof hello; i++)
        hello[i] = i < sizeof start ? start[i] : (uint8_t)noise();
    for (size_t size = 1; size < MCU_GREETING; size++) {
        uint8_t *part = exact(hello, size);
        CHECK(mcu_opening(part, size) == MCU_OPENS_MORE);
        free(part);
    }
    CHECK(mcu_opening(hello, MCU_GREETING) == MCU_OPENS_GREETING);
    CHECK(mcu_opening(hello, sizeof hello) == MCU_OPENS_GREETING);
    hello[4] = 3; /* another version: a real one */
    CHECK(mcu_opening(hello, sizeof hello) == MCU_OPENS_OTHER);
}

void framing_tests(void)
{
    TEST(a_datagram_is_told_from_its_length_and_only_when_it_is_whole);
    TEST(a_datagram_longer_than_we_take_is_refused_by_its_length_alone);
    TEST(a_stream_is_known_by_its_first_bytes);
    TEST(a_false_greeting_is_waited_for_whatever_its_challenge_is);
}
