#include "tests.h"

#include <mcu/rtp.h>
#include <mcu/srtp.h>

#include <stdlib.h>
#include <string.h>

enum { ROOM = MCU_DATAGRAM + MCU_SRTP_TRAILER, SSRC = 0x12345678 };

struct pair {
    struct mcu_srtp *sender, *receiver;
};

static struct pair pair_of(enum mcu_srtp_profile profile, const uint8_t *key)
{
    const struct pair pair = {mcu_srtp_new(profile, key, true),
                              mcu_srtp_new(profile, key, false)};
    CHECK(pair.sender && pair.receiver);
    return pair;
}

static struct pair new_pair(enum mcu_srtp_profile profile)
{
    uint8_t *key = noise_bytes(mcu_srtp_key_size(profile));
    const struct pair pair = pair_of(profile, key);
    free(key);
    return pair;
}

static void free_pair(struct pair pair)
{
    mcu_srtp_free(pair.sender);
    mcu_srtp_free(pair.receiver);
}

struct datagram {
    uint8_t data[ROOM];
    size_t size;
};

static struct datagram clear(uint32_t ssrc, int64_t index, size_t payload)
{
    struct datagram packet = {.size = 12 + payload};
    const struct mcu_rtp header = {.payload_type = 111,
                                   .sequence = (uint16_t)index,
                                   .timestamp = (uint32_t)index * 960,
                                   .ssrc = ssrc,
                                   .level = -1};
    mcu_rtp_write(packet.data, &header, &(struct mcu_rtp_extensions){0});
    for (size_t i = 0; i < payload; i++)
        packet.data[12 + i] = (uint8_t)((size_t)index + i);
    return packet;
}

static struct datagram sealed_as(struct mcu_srtp *sender, uint32_t ssrc, int64_t index)
{
    struct datagram packet = clear(ssrc, index, 100);
    CHECK(mcu_srtp_protect(sender, packet.data, &packet.size) == 0);
    return packet;
}

static struct datagram sealed(struct mcu_srtp *sender, int64_t index)
{
    return sealed_as(sender, SSRC, index);
}

/* Whether the packet is taken, and is what was sent. Leaves the datagram as it is. */
static bool opens(struct mcu_srtp *receiver, const struct datagram *packet, int64_t index)
{
    struct datagram copy = *packet;
    if (mcu_srtp_unprotect(receiver, copy.data, &copy.size))
        return false;
    const struct datagram want = clear(SSRC, index, 100);
    CHECK(copy.size == want.size && memcmp(copy.data + 12, want.data + 12, 100) == 0);
    return true;
}

static void each_profile(void (*test)(enum mcu_srtp_profile))
{
    for (int profile = 0; profile < MCU_SRTP_PROFILES; profile++)
        test((enum mcu_srtp_profile)profile);
}

static void crosses(enum mcu_srtp_profile profile)
{
    const struct pair pair = new_pair(profile);
    static const size_t payloads[] = {0, 1, 15, 16, 17, 100, 1188, MCU_DATAGRAM - 28};
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        const struct datagram want = clear(SSRC, 7 + (int64_t)i, payloads[i]);
        struct datagram packet = want;
        CHECK(mcu_srtp_protect(pair.sender, packet.data, &packet.size) == 0);
        CHECK(packet.size > want.size && packet.size <= want.size + MCU_SRTP_TRAILER);
        CHECK(payloads[i] < 16 || memcmp(packet.data + 12, want.data + 12, payloads[i]) != 0);
        CHECK(mcu_srtp_unprotect(pair.receiver, packet.data, &packet.size) == 0);
        CHECK(packet.size == want.size && memcmp(packet.data, want.data, want.size) == 0);
    }
    free_pair(pair);
}

static void what_is_protected_is_unprotected_by_each_profile(void) { each_profile(crosses); }

static void crosses_rtcp(enum mcu_srtp_profile profile)
{
    const struct pair pair = new_pair(profile);
    for (uint8_t i = 0; i < 20; i++) {
        const struct datagram want = {.data = {0x80, 201, 0, 1, 0, 0, 0, i}, .size = 8};
        struct datagram packet = want;
        CHECK(mcu_srtp_protect_rtcp(pair.sender, packet.data, &packet.size) == 0);
        CHECK(packet.size <= want.size + MCU_SRTP_TRAILER);
        struct datagram again = packet, bad = packet;
        bad.data[packet.size - 1] ^= 1;
        CHECK(mcu_srtp_unprotect_rtcp(pair.receiver, bad.data, &bad.size) == -1);
        CHECK(mcu_srtp_unprotect_rtcp(pair.receiver, packet.data, &packet.size) == 0);
        CHECK(packet.size == want.size && memcmp(packet.data, want.data, want.size) == 0);
        CHECK(mcu_srtp_unprotect_rtcp(pair.receiver, again.data, &again.size) == -1);
    }
    free_pair(pair);
}

static void knows_its_key(enum mcu_srtp_profile profile)
{
    uint8_t key[MCU_SRTP_KEY_MAX];
    const size_t size = mcu_srtp_key_size(profile);
    CHECK(size <= sizeof key);
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)noise();
    struct mcu_srtp *srtp = mcu_srtp_new(profile, key, true);
    CHECK(mcu_srtp_has(srtp, profile, key));
    CHECK(!mcu_srtp_has(srtp, (profile + 1) % MCU_SRTP_PROFILES, key));
    key[size - 1] ^= 1;
    CHECK(!mcu_srtp_has(srtp, profile, key));
    mcu_srtp_free(srtp);
}

static void the_key_that_it_was_made_with_is_known_again(void) { each_profile(knows_its_key); }

static void rtcp_crosses_once_by_each_profile(void) { each_profile(crosses_rtcp); }

static void is_refused_twice(enum mcu_srtp_profile profile)
{
    const struct pair pair = new_pair(profile);
    struct datagram packets[1200];
    for (int i = 0; i < 1200; i++)
        packets[i] = sealed(pair.sender, i);
    for (int i = 0; i < 1200; i += 2) {
        CHECK(opens(pair.receiver, &packets[i], i));
        CHECK(!opens(pair.receiver, &packets[i], i));
    }
    for (int i = 0; i < 1200; i += 2)
        CHECK(!opens(pair.receiver, &packets[i], i));
    CHECK(opens(pair.receiver, &packets[199], 199)); /* late, within the window */
    CHECK(!opens(pair.receiver, &packets[199], 199));
    CHECK(!opens(pair.receiver, &packets[171], 171)); /* before it */
    free_pair(pair);
}

static void a_packet_that_was_seen_is_refused_and_a_late_one_taken(void)
{
    each_profile(is_refused_twice);
}

static void is_refused_altered(enum mcu_srtp_profile profile)
{
    const struct pair pair = new_pair(profile), other = new_pair(profile);
    const struct datagram packet = sealed(pair.sender, 1);
    for (size_t at = 0; at < packet.size; at++) {
        struct datagram bad = packet;
        bad.data[at] ^= (uint8_t)(1 << between(0, 7));
        CHECK(mcu_srtp_unprotect(pair.receiver, bad.data, &bad.size) == -1);
        bad = packet;
        bad.size = at;
        CHECK(mcu_srtp_unprotect(pair.receiver, bad.data, &bad.size) == -1);
    }
    CHECK(!opens(other.receiver, &packet, 1));
    CHECK(opens(pair.receiver, &packet, 1)); /* all that did it no harm */
    free_pair(pair);
    free_pair(other);
}

static void a_packet_that_was_altered_or_is_of_another_key_is_refused(void)
{
    each_profile(is_refused_altered);
}

static void is_refused_short(enum mcu_srtp_profile profile)
{
    const struct pair pair = new_pair(profile);
    for (size_t size = 0; size < 60; size++) {
        for (unsigned second = 0; second < 256; second += 51) {
            uint8_t *data = noise_bytes(size);
            size_t length = size;
            if (size > 1) {
                data[0] = (uint8_t)(0x80 | (data[0] & 0x3F));
                data[1] = (uint8_t)second;
            }
            CHECK(mcu_srtp_unprotect(pair.receiver, data, &length) == -1);
            length = size;
            CHECK(mcu_srtp_unprotect_rtcp(pair.receiver, data, &length) == -1);
            free(data);
        }
    }
    free_pair(pair);
}

static void noise_of_any_size_is_refused(void) { each_profile(is_refused_short); }

static void goes_on_over_turns(enum mcu_srtp_profile profile)
{
    const struct pair pair = new_pair(profile);
    for (int64_t index = 60000; index < 4 * 65536; index += 3001) {
        const struct datagram packet = sealed(pair.sender, index);
        CHECK(opens(pair.receiver, &packet, index));
    }
    free_pair(pair);
}

static void the_counter_follows_over_turns(void) { each_profile(goes_on_over_turns); }

/* Sends on without anybody listening. */
static void skip(struct mcu_srtp *sender, int64_t from, int64_t to)
{
    for (int64_t index = from; index < to; index += 30000)
        sealed(sender, index);
}

static void begins_late(enum mcu_srtp_profile profile)
{
    const int64_t counters[] = {1, 2, 3, 90};
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        const struct pair pair = new_pair(profile);
        int64_t index = counters[i] * 65536 + 65000;
        skip(pair.sender, 1000, index);
        int missed = 0;
        for (struct datagram packet = sealed(pair.sender, index);
             !opens(pair.receiver, &packet, index); packet = sealed(pair.sender, index))
            missed++, index++;
        CHECK(missed <= (counters[i] - 1) / 3);
        for (; index < (counters[i] + 3) * 65536;
             index += 20000) { /* and over the next turns */
            const struct datagram packet = sealed(pair.sender, index + 1);
            CHECK(opens(pair.receiver, &packet, index + 1));
            CHECK(!opens(pair.receiver, &packet, index + 1));
        }
        free_pair(pair);
    }
}

static void a_source_that_has_been_sending_for_long_is_found_at_its_counter(void)
{
    each_profile(begins_late);
}

static void begins_among_forged(enum mcu_srtp_profile profile)
{
    const struct pair pair = new_pair(profile);
    skip(pair.sender, 1000, 7 * 65536);
    int64_t index = 7 * 65536 + 5;
    struct datagram packet = sealed(pair.sender, index);
    for (int round = 0; round < 4096 && !opens(pair.receiver, &packet, index); round++) {
        struct datagram forged = packet;
        for (int time = round % 5; time; time--) {
            forged.data[20]++;
            CHECK(mcu_srtp_unprotect(pair.receiver, forged.data, &forged.size) == -1);
        }
        packet = sealed(pair.sender, ++index);
    }
    CHECK(!opens(pair.receiver, &packet, index)); /* it was found, and this seen */
    packet = sealed(pair.sender, ++index);
    CHECK(opens(pair.receiver, &packet, index));
    free_pair(pair);
}

static void forged_packets_do_not_hide_a_source_from_who_joins_late(void)
{
    each_profile(begins_among_forged);
}

static void forgets(enum mcu_srtp_profile profile)
{
    uint8_t *key = noise_bytes(mcu_srtp_key_size(profile));
    const struct pair pair = pair_of(profile, key);
    const struct datagram first = sealed(pair.sender, 5);
    CHECK(opens(pair.receiver, &first, 5));
    const struct datagram once = sealed_as(pair.sender, 0, 9);
    for (int time = 0; time < 2; time++) {
        struct datagram copy = once;
        CHECK(mcu_srtp_unprotect(pair.receiver, copy.data, &copy.size) == -time);
    }
    for (uint32_t ssrc = 1; ssrc < 10 * MCU_SRTP_SOURCES; ssrc++) {
        const struct pair other = pair_of(profile, key); /* each has only so many to send */
        struct datagram another = sealed_as(other.sender, ssrc, 9);
        CHECK(mcu_srtp_unprotect(pair.receiver, another.data, &another.size) == 0);
        if (ssrc % 20 == 0) {
            const struct datagram packet = sealed(pair.sender, 5 + ssrc);
            CHECK(opens(pair.receiver, &packet, 5 + ssrc));
            CHECK(!opens(pair.receiver, &first, 5)); /* it was never forgotten */
        }
        free_pair(other);
    }
    struct datagram again = once; /* that one was */
    CHECK(mcu_srtp_unprotect(pair.receiver, again.data, &again.size) == 0);
    free_pair(pair);
    free(key);
}

/* Were one forgotten, it would begin anew with nonces that were used. */
static void a_sender_forgets_no_stream_and_takes_no_more_than_it_remembers(void)
{
    const struct pair pair = new_pair(MCU_SRTP_AEAD_AES_256_GCM);
    for (uint32_t ssrc = 0; ssrc < MCU_SRTP_SOURCES; ssrc++)
        sealed_as(pair.sender, ssrc, 9);
    struct datagram packet = clear(MCU_SRTP_SOURCES, 9, 100);
    CHECK(mcu_srtp_protect(pair.sender, packet.data, &packet.size) == -1);
    packet = (struct datagram){.data = {0x80, 201, 0, 1, 9, 9, 9, 9}, .size = 8};
    CHECK(mcu_srtp_protect_rtcp(pair.sender, packet.data, &packet.size) == -1);
    sealed_as(pair.sender, 0, 10);
    free_pair(pair);
}

static void the_stream_heard_least_lately_makes_room_for_a_new_one(void)
{
    each_profile(forgets);
}

static void the_very_same_packet_can_be_sent_again(void)
{
    const struct pair pair = new_pair(MCU_SRTP_AEAD_AES_128_GCM);
    const struct datagram first = sealed(pair.sender, 1), again = sealed(pair.sender, 1);
    CHECK(first.size == again.size && memcmp(first.data, again.data, first.size) == 0);
    free_pair(pair);
}

static void what_is_too_short_or_too_long_is_not_protected(void)
{
    const struct pair pair = new_pair(MCU_SRTP_AES128_CM_SHA1_80);
    struct datagram packet = clear(SSRC, 1, 0);
    packet.size = 11;
    CHECK(mcu_srtp_protect(pair.sender, packet.data, &packet.size) == -1);
    packet.size = 7;
    CHECK(mcu_srtp_protect_rtcp(pair.sender, packet.data, &packet.size) == -1);
    packet.size = MCU_DATAGRAM + 1;
    CHECK(mcu_srtp_protect(pair.sender, packet.data, &packet.size) == -1);
    CHECK(mcu_srtp_protect_rtcp(pair.sender, packet.data, &packet.size) == -1);
    CHECK(packet.size == MCU_DATAGRAM + 1);
    free_pair(pair);
}

void srtp_tests(void)
{
    TEST(what_is_protected_is_unprotected_by_each_profile);
    TEST(the_key_that_it_was_made_with_is_known_again);
    TEST(rtcp_crosses_once_by_each_profile);
    TEST(a_packet_that_was_seen_is_refused_and_a_late_one_taken);
    TEST(a_packet_that_was_altered_or_is_of_another_key_is_refused);
    TEST(noise_of_any_size_is_refused);
    TEST(the_counter_follows_over_turns);
    TEST(a_source_that_has_been_sending_for_long_is_found_at_its_counter);
    TEST(forged_packets_do_not_hide_a_source_from_who_joins_late);
    TEST(the_stream_heard_least_lately_makes_room_for_a_new_one);
    TEST(a_sender_forgets_no_stream_and_takes_no_more_than_it_remembers);
    TEST(the_very_same_packet_can_be_sent_again);
    TEST(what_is_too_short_or_too_long_is_not_protected);
}
