/* Sound in and out: what is decrypted, what is skipped, what numbers it has. */
#include "client.h"
#include "tests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Sends so many and waits until all came, so that no socket overflows. */
static void say_many(struct client *client, int count, int level)
{
    const uint64_t before = stream_stats(client->plane, client->leg, MCU_AUDIO, false).packets;
    for (int i = 0; i < count; i++) {
        say(client, level);
        if (i % 64 == 63)
            CHECK(received(client, MCU_AUDIO, before + (uint64_t)i + 1));
    }
    CHECK(received(client, MCU_AUDIO, before + (uint64_t)count));
}

static uint64_t skipped(struct client *client)
{
    struct mcu_leg_stats stats;
    CHECK(mcu_plane_leg_stats(client->plane, client->leg, &stats) == 0);
    return stats.drops[MCU_DROP_SKIPPED];
}

static void what_nobody_hears_is_not_decrypted_but_one_in_64(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    join(&client, plane, -1);
    say_many(&client, 1 + 64 * 5, 20); /* the first one tells the SSRC */
    CHECK(skipped(&client) == 63 * 5);
    CHECK(stream_stats(plane, client.leg, MCU_AUDIO, false).lost == 0);
    leave(&client);
    mcu_plane_free(plane);
}

static void what_is_quieter_than_the_bar_is_not_decrypted_and_what_is_louder_is(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    join(&client, plane, -1);
    be_heard(&client, 1);
    say_many(&client, 33, 100);
    CHECK(skipped(&client) == 32);
    say_many(&client, 20, 20);
    CHECK(skipped(&client) == 32);
    leave(&client);
    mcu_plane_free(plane);
}

static void a_leg_that_is_skipped_for_hours_is_understood_at_once(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    join(&client, plane, -1);
    client.sequence = 65000;
    say_many(&client, 70000, 100);
    be_heard(&client, 1);
    const uint64_t before = skipped(&client);
    say_many(&client, 10, -1);
    CHECK(skipped(&client) == before);
    CHECK(dropped(plane, MCU_DROP_SRTP) == 0);
    CHECK(stream_stats(plane, client.leg, MCU_AUDIO, false).lost == 0);
    leave(&client);
    mcu_plane_free(plane);
}

static void a_forged_leap_of_the_sequence_poisons_nothing(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    uint8_t out[256];
    join(&client, plane, -1);
    say_many(&client, 10, 100);
    for (int leap = 4000; leap < 60000; leap += 1000) {
        const uint16_t sequence = client.sequence;
        const size_t size = make_sound(&client, 100, out);
        client.sequence = sequence;
        client.timestamp -= MCU_TICK;
        const uint16_t forged = (uint16_t)(sequence + leap);
        out[2] = (uint8_t)(forged >> 8);
        out[3] = (uint8_t)forged;
        send_raw(&client, out, size);
    }
    CHECK(drops(plane, MCU_DROP_SRTP, 56));
    say_many(&client, 200, 100);
    CHECK(dropped(plane, MCU_DROP_SRTP) == 56);
    CHECK(stream_stats(plane, client.leg, MCU_AUDIO, false).lost == 0);
    leave(&client);
    mcu_plane_free(plane);
}

static void another_ssrc_begins_another_stream(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    join(&client, plane, -1);
    say_many(&client, 10, -1);
    client.ssrc = 77;
    client.sequence = 40000;
    for (int i = 0; i < 10; i++)
        say(&client, -1);
    CHECK(received(&client, MCU_AUDIO, 20)); /* its sums go on */
    CHECK(stream_stats(plane, client.leg, MCU_AUDIO, false).lost == 0);
    leave(&client);
    mcu_plane_free(plane);
}

static void another_ssrc_is_skipped_like_the_first(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    join(&client, plane, -1);
    client.sequence = 60000;
    say_many(&client, 20, 100);
    const uint64_t before = skipped(&client);
    client.ssrc = 77;
    client.sequence = 100;
    for (int i = 0; i < 33; i++)
        say(&client, 100);
    CHECK(drops(plane, MCU_DROP_SKIPPED, before + 32));
    leave(&client);
    mcu_plane_free(plane);
}

static void what_was_kept_of_one_ssrc_is_not_heard_in_another(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    join(&client, plane, -1);
    be_heard(&client, 1);
    client.timestamp = 1 << 24;
    say_many(&client, 20, 100);
    client.ssrc = 77;
    client.timestamp = 1000;
    for (int i = 0; i < 10; i++) {
        say(&client, 20);
        usleep(5000);
        tick(plane);
    }
    CHECK(dropped(plane, MCU_DROP_LATE) == 0 && dropped(plane, MCU_DROP_SRTP) == 0);
    leave(&client);
    mcu_plane_free(plane);
}

/* What warmed a decoder has been decrypted: sent again, it is a replay. */
static void what_was_kept_is_decrypted_when_its_leg_speaks_up(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    uint8_t kept[256];
    size_t size = 0;
    join(&client, plane, -1);
    be_heard(&client, 1);
    say_many(&client, 5, 100);
    size = make_sound(&client, 100, kept);
    send_raw(&client, kept, size);
    CHECK(drops(plane, MCU_DROP_SKIPPED, 5));
    for (int i = 0; i < 3; i++) {
        say_many(&client, 1, 20);
        tick(plane);
    }
    CHECK(dropped(plane, MCU_DROP_SRTP) == 0);
    send_raw(&client, kept, size);
    CHECK(drops(plane, MCU_DROP_SRTP, 1));
    leave(&client);
    mcu_plane_free(plane);
}

/* A packet that is decrypted is refused when it comes again; one that was let go is only late.
 */
static void what_was_said_before_a_leg_is_heard_is_never_decrypted(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    uint8_t kept[256];
    join(&client, plane, -1);
    say_many(&client, 5, 20);
    const size_t size = make_sound(&client, 20, kept);
    send_raw(&client, kept, size);
    CHECK(drops(plane, MCU_DROP_SKIPPED, 5)); /* all but the first, which tells of its SSRC */
    be_heard(&client, 1);
    for (int i = 0; i < 3; i++) {
        say_many(&client, 1, 20);
        tick(plane);
    }
    send_raw(&client, kept, size);
    CHECK(drops(plane, MCU_DROP_LATE, 1));
    CHECK(dropped(plane, MCU_DROP_SRTP) == 0);
    leave(&client);
    mcu_plane_free(plane);
}

static void a_key_press_is_told_once(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct mcu_event event;
    join(&client, plane, -1);
    const uint8_t five[4] = {5, 10, 0, 160}, ended[4] = {5, 0x8A, 3, 32};
    for (int i = 0; i < 6; i++) {
        uint8_t out[256];
        const struct mcu_rtp header = {.payload_type = DTMF_TYPE,
                                       .marker = i == 0,
                                       .sequence = client.sequence++,
                                       .timestamp = client.timestamp,
                                       .ssrc = client.ssrc,
                                       .level = -1};
        send_raw(&client, out, make(&client, &header, i < 3 ? five : ended, 4, out));
    }
    CHECK(await(plane, MCU_EVENT_DIGIT, client.leg, &event, PATIENCE_MS));
    CHECK(event.a == '5');
    CHECK(!said(plane, MCU_EVENT_DIGIT, client.leg, QUIET_MS));
    leave(&client);
    mcu_plane_free(plane);
}

/* Keys of a telephone may be all that comes, and from more than one source. */
static void keys_are_told_of_whoever_has_said_nothing_yet(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct mcu_event event;
    join(&client, plane, -1);
    for (uint8_t key = 1; key < 4; key++) {
        uint8_t out[256];
        const uint8_t press[4] = {key, 10, 0, 160};
        const struct mcu_rtp header = {
            .payload_type = DTMF_TYPE, .sequence = key, .ssrc = 50u + key, .level = -1};
        send_raw(&client, out, make(&client, &header, press, sizeof press, out));
        CHECK(await(plane, MCU_EVENT_DIGIT, client.leg, &event, PATIENCE_MS));
        CHECK(event.a == '0' + key);
    }
    leave(&client);
    mcu_plane_free(plane);
}

static void who_is_loud_is_among_the_talkers(void)
{
    struct mcu_plane *plane = new_plane();
    struct client loud, quiet;
    static struct mcu_talker talkers[8];
    static int16_t samples[8 * MCU_TICK];
    join(&loud, plane, -1);
    join(&quiet, plane, -1);
    const int room = mcu_plane_add_room(plane, 1);
    CHECK(mcu_plane_hear(plane, loud.leg, room) == 0);
    CHECK(mcu_plane_hear(plane, quiet.leg, room) == 0);
    size_t count = 0;
    for (int i = 0; i < 20; i++) {
        say(&loud, 20);
        say(&quiet, 50);
        usleep(5000);
        tick(plane);
        count = mcu_plane_talkers(plane, talkers, samples, 8);
    }
    CHECK(count == 1 && talkers[0].leg == loud.leg && talkers[0].room == room);
    CHECK(skipped(&quiet) > 10 && skipped(&loud) == 0);
    leave(&loud);
    leave(&quiet);
    mcu_plane_free(plane);
}

/* A stream of sound that the client hears, so many ticks of it. */
static void play(struct client *client, int sound, int64_t first, int count)
{
    static int16_t samples[MCU_TICK];
    for (int i = 0; i < MCU_TICK; i++)
        samples[i] = (int16_t)between(-9000, 9000);
    const struct mcu_mix mix = {.sound = sound, .samples = samples};
    const struct mcu_route route = {.leg = client->leg, .sound = sound};
    for (int i = 0; i < count; i++) {
        while (mcu_plane_send(client->plane, first + i, &mix, 1, &route, 1) < 0) {
            CHECK(errno == EAGAIN); /* the machine is busy */
            usleep(2000);
        }
        usleep(2000);
    }
}

static void what_a_leg_is_sent_has_rising_numbers_and_its_ticks_timestamps(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct packet first, packet;
    join(&client, plane, -1);
    CHECK(mcu_plane_sent_sequence(plane, client.leg) == -1);
    const int sound = mcu_plane_add_sound(plane, true);
    play(&client, sound, 1000, 5);
    play(&client, sound, 1100, 5); /* 95 ticks were silent */
    CHECK(receive_rtp(&client, AUDIO_TYPE, &first, PATIENCE_MS));
    CHECK(first.rtp.marker && first.rtp.level < 30 && first.rtp.has_send_time);
    CHECK(first.rtp.mid_size == 1 && first.rtp.mid[0] == '0');
    for (uint32_t i = 1; i < 10; i++) {
        CHECK(receive_rtp(&client, AUDIO_TYPE, &packet, PATIENCE_MS));
        CHECK(packet.rtp.ssrc == first.rtp.ssrc);
        CHECK(packet.rtp.sequence == (uint16_t)(first.rtp.sequence + i));
        const uint32_t ticks = i < 5 ? i : i + 95;
        CHECK(packet.rtp.timestamp == first.rtp.timestamp + ticks * MCU_TICK);
        CHECK(packet.rtp.marker == (i == 5));
    }
    CHECK((uint16_t)mcu_plane_sent_sequence(plane, client.leg) == packet.rtp.sequence);
    CHECK(stream_stats(plane, client.leg, MCU_AUDIO, true).packets == 10);
    leave(&client);
    mcu_plane_free(plane);
}

static void reports_tell_how_far_a_leg_has_heard(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct packet packet;
    struct mcu_event event;
    uint8_t report[128];
    size_t size = 0;
    join(&client, plane, -1);
    play(&client, mcu_plane_add_sound(plane, true), 1, 3);
    for (int i = 0; i < 3; i++)
        CHECK(receive_rtp(&client, AUDIO_TYPE, &packet, PATIENCE_MS));
    const struct mcu_rtcp_block block = {.ssrc = packet.rtp.ssrc,
                                         .highest = 7 << 16 | packet.rtp.sequence,
                                         .lost = 2,
                                         .fraction_lost = 64,
                                         .jitter = 480};
    mcu_rtcp_rr(report, &size, client.ssrc, &block, 1);
    send_report(&client, report, size);
    CHECK(await(plane, MCU_EVENT_REPORT, client.leg, &event, PATIENCE_MS));
    CHECK(event.a == mcu_plane_sent_sequence(plane, client.leg) && event.b == 2);
    const struct mcu_stream_stats stats = stream_stats(plane, client.leg, MCU_AUDIO, true);
    CHECK(stats.lost == 2 && stats.loss == 0.25 && stats.jitter_ms == 10.0);
    leave(&client);
    mcu_plane_free(plane);
}

void sound_tests(void)
{
    TEST(what_nobody_hears_is_not_decrypted_but_one_in_64);
    TEST(what_is_quieter_than_the_bar_is_not_decrypted_and_what_is_louder_is);
    TEST(a_leg_that_is_skipped_for_hours_is_understood_at_once);
    TEST(a_forged_leap_of_the_sequence_poisons_nothing);
    TEST(another_ssrc_begins_another_stream);
    TEST(another_ssrc_is_skipped_like_the_first);
    TEST(what_was_kept_of_one_ssrc_is_not_heard_in_another);
    TEST(what_was_kept_is_decrypted_when_its_leg_speaks_up);
    TEST(what_was_said_before_a_leg_is_heard_is_never_decrypted);
    TEST(a_key_press_is_told_once);
    TEST(keys_are_told_of_whoever_has_said_nothing_yet);
    TEST(who_is_loud_is_among_the_talkers);
    TEST(what_a_leg_is_sent_has_rising_numbers_and_its_ticks_timestamps);
    TEST(reports_tell_how_far_a_leg_has_heard);
}
