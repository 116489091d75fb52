/* Transport-wide numbers and feedback, over real sockets; and what a thin line is sent. */
#include "client.h"
#include "tests.h"

#include <mcu/feedback.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t micros(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void say_numbered(struct client *client, uint16_t number)
{
    const uint8_t silence[3] = {0xF8, 0xFF, 0xFE};
    const struct mcu_rtp header = {.payload_type = AUDIO_TYPE,
                                   .sequence = client->sequence++,
                                   .timestamp = client->timestamp += 960,
                                   .ssrc = client->ssrc,
                                   .level = 50,
                                   .has_wide_sequence = true,
                                   .wide_sequence = number};
    uint8_t out[256];
    send_raw(client, out, make(client, &header, silence, sizeof silence, out));
}

/* Microseconds from one time to another, as feedback tells them: 24 bits of 64 ms. */
static int64_t passed(int64_t from, int64_t to)
{
    const int64_t turn = ((int64_t)1 << 24) * 64000;
    return ((to - from) % turn + turn + turn / 2) % turn - turn / 2;
}

/* Sound that nobody hears is not decrypted, and is reported all the same. */
static void a_leg_is_told_when_its_packets_arrived(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct mcu_rtcp_event event;
    struct mcu_feedback feedback;
    struct mcu_feedback_packet packet;
    join(&client, plane, 0);
    unsigned reported = 0;
    int64_t sent[30];
    for (unsigned i = 0; i < 30; i++) {
        sent[i] = micros();
        if (i != 7)
            say_numbered(&client, (uint16_t)(65530 + i));
        usleep(5000);
    }
    while (reported < 30 && receive_rtcp(&client, MCU_RTCP_WIDE, &event, PATIENCE_MS) &&
           mcu_feedback_open(&feedback, event.body, event.body_size) == 0) {
        CHECK(event.media_ssrc == client.ssrc);
        const int64_t reference = (int64_t)feedback.reference * 64000;
        for (; mcu_feedback_next(&feedback, &packet); reported++) {
            CHECK(packet.number == (uint16_t)(65530 + reported));
            CHECK(packet.received == (reported != 7));
            if (packet.received && reported < 30) {
                CHECK(passed(sent[reported], reference + packet.at) > -250); /* its unit */
                CHECK(passed(reference + packet.at, micros()) >= 0);
            }
        }
    }
    CHECK(reported == 30);
    leave(&client);
    mcu_plane_free(plane);
}

static uint8_t picture[40000] = {0x10, 2, 0, 0x9D, 1, 0x2A, 64, 0, 48, 0};

static int send_picture(struct client *client, size_t size, uint32_t timestamp)
{
    return mcu_plane_send_picture(client->plane, MCU_CAMERA, &client->leg, 1, false, picture,
                                  size, timestamp, true);
}

static void all_that_a_leg_is_sent_has_one_row_of_numbers(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct packet packet;
    join(&client, plane, RTX_TYPE);
    const int sound = mcu_plane_add_sound(plane, false);
    const struct mcu_route route = {.leg = client.leg, .sound = sound};
    const int16_t samples[MCU_TICK] = {0};
    const struct mcu_mix mix = {.sound = sound, .samples = samples};
    CHECK(send_picture(&client, 3000, 1) == 1);
    CHECK(mcu_plane_send(plane, 1, &mix, 1, &route, 1) == 0);
    bool seen[8] = {0};
    for (int i = 0; i < 4; i++) {
        CHECK(receive_rtp(&client, i < 3 ? VIDEO_TYPE : AUDIO_TYPE, &packet, PATIENCE_MS));
        CHECK(packet.rtp.has_wide_sequence && packet.rtp.wide_sequence < 8);
        seen[packet.rtp.wide_sequence & 7] = true;
    }
    CHECK(seen[1] && seen[2] && seen[3] && seen[4]);
    leave(&client);
    mcu_plane_free(plane);
}

static void pictures_without_rtx_have_no_numbers(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct packet packet;
    join(&client, plane, 0);
    CHECK(send_picture(&client, 900, 1) == 1);
    CHECK(receive_rtp(&client, VIDEO_TYPE, &packet, PATIENCE_MS));
    CHECK(!packet.rtp.has_wide_sequence);
    leave(&client);
    mcu_plane_free(plane);
}

static void a_large_picture_leaves_at_the_pace_of_the_line(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct packet packet;
    join(&client, plane, RTX_TYPE);
    const int64_t begun = micros();
    CHECK(send_picture(&client, sizeof picture, 1) == 1);
    size_t bytes = 0;
    do {
        CHECK(receive_rtp(&client, VIDEO_TYPE, &packet, PATIENCE_MS));
        bytes += packet.rtp.payload_size;
    } while (!packet.rtp.marker && bytes < sizeof picture);
    CHECK(bytes >= sizeof picture);
    CHECK(micros() - begun > 35000); /* 27 kB at 5 Mbit/s, after the first 12 at once */
    leave(&client);
    mcu_plane_free(plane);
}

/* Its far end takes no more than this for pictures. */
static void join_narrow(struct client *client, struct mcu_plane *plane,
                        uint64_t bits_per_second)
{
    const uint32_t ours = 4711;
    struct mcu_stream_options camera = camera_options(0);
    size_t size = 0;
    uint8_t data[200];
    camera.tmmbr = true;
    camera.ssrc = ours;
    add_client(client, plane, -1);
    CHECK(mcu_plane_add_stream(plane, client->leg, &camera) == 0);
    enter(client);
    mcu_rtcp_rr(data, &size, 5, NULL, 0);
    mcu_rtcp_tmmbr(data, &size, 5, bits_per_second, 40, &ours, 1);
    send_report(client, data, size);
    CHECK(said(plane, MCU_EVENT_BANDWIDTH, client->leg, PATIENCE_MS));
}

static void pictures_leave_behind_sound_on_a_narrow_line(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct packet packet;
    join_narrow(&client, plane, 300000);
    const int sound = mcu_plane_add_sound(plane, false);
    const struct mcu_route route = {.leg = client.leg, .sound = sound};
    const int16_t samples[MCU_TICK] = {0};
    const struct mcu_mix mix = {.sound = sound, .samples = samples};
    int sounds = 0, pictures = 0, behind = 0;
    for (int64_t tick = 1; tick <= 15; tick++) { /* at first sound alone */
        CHECK(mcu_plane_send(plane, tick, &mix, 1, &route, tick == 1) == 0);
        if (tick == 2)
            CHECK(send_picture(&client, 12000, 1) == 1);
        for (const int64_t until = micros() + 20000; micros() < until;) {
            if (!receive(&client, &packet, 1) || packet.data[0] >> 6 != 2)
                continue;
            const uint8_t type = packet.data[1] & 0x7F;
            sounds += type == AUDIO_TYPE;
            pictures += type == VIDEO_TYPE;
            behind = type == VIDEO_TYPE ? behind + 1 : 0;
            CHECK(behind <= 2);
        }
    }
    CHECK(sounds == 15 && pictures >= 6); /* of ten; they are 270 ms of 360 kbit/s */
    leave(&client);
    mcu_plane_free(plane);
}

/* Under ASan: nothing of it is left. */
static void a_plane_may_end_while_pictures_wait_for_their_turn(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    join(&client, plane, RTX_TYPE);
    CHECK(send_picture(&client, sizeof picture, 1) == 1);
    mcu_plane_free(plane);
    forget(&client);
}

/* Answers for each packet as a line of this many bytes a second would have it arrive, until so
 * much time has passed. What the last event said of the leg's line. */
static int64_t answer_as(struct client *client, struct mcu_arrived *arrived, double carries,
                         int64_t time)
{
    static double free_at;
    struct packet packet;
    struct mcu_event event;
    int64_t said_last = -1;
    uint8_t out[MCU_RTCP_MAX];
    for (int64_t from = micros(), told = 0, sent = 0; micros() - from < time;) {
        const int64_t now = micros();
        if (now - sent > 40000) {
            send_picture(client, 10000, (uint32_t)(sent = now));
        }
        while (receive(client, &packet, 1) && packet.data[0] >> 6 == 2) {
            const struct mcu_rtp_extensions extensions = {.sequence = SEQUENCE_ID};
            if (mcu_rtp_parse(&packet.rtp, packet.data, packet.size, &extensions, true) ||
                !packet.rtp.has_wide_sequence)
                continue;
            free_at = (free_at > (double)now ? free_at : (double)now) +
                      (double)packet.size * 1e6 / carries;
            mcu_arrived_note(arrived, packet.rtp.wide_sequence, true, (int64_t)free_at);
        }
        size_t size = 0;
        if (now - told > 100000) {
            told = now;
            mcu_rtcp_rr(out, &size, 1, NULL, 0);
            if (!mcu_arrived_report(arrived, out, &size, 1, 2, now))
                send_report(client, out, size);
        }
        while (mcu_plane_event(client->plane, &event)) {
            if (event.kind == MCU_EVENT_BANDWIDTH)
                said_last = event.a;
            free(event.data);
        }
    }
    return said_last;
}

static void a_line_that_is_thin_is_told_of(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct mcu_leg_stats stats;
    static struct mcu_arrived arrived;
    join(&client, plane, RTX_TYPE);
    int64_t told = 2000000;
    for (int i = 0; i < 15 && told > 600000; i++) { /* a busy machine is waited for */
        const int64_t said_last = answer_as(&client, &arrived, 400e3 / 8, 500000);
        told = said_last >= 0 ? said_last : told;
    }
    CHECK(told > 50000 && told < 600000);
    answer_as(&client, &arrived, 400e3 / 8,
              1500000); /* and what it has no room for is dropped */
    CHECK(mcu_plane_leg_stats(plane, client.leg, &stats) == 0);
    CHECK(stats.line.bits_per_second < 600000 && stats.line.rtt > 0);
    CHECK(dropped(plane, MCU_DROP_PACED) > 0); /* whole pictures */
    CHECK(dropped(plane, MCU_DROP_UNSENT) == 0);
    leave(&client);
    mcu_plane_free(plane);
}

static void probes_find_a_line_that_carries_more_where_there_is_use_for_it(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    static struct mcu_arrived arrived;
    join(&client, plane, RTX_TYPE);
    CHECK(mcu_plane_aim(plane, client.leg, 5000000) == 0);
    int64_t told = 0;
    for (int i = 0; i < 15 && told < 3500000; i++) {
        const int64_t said_last = answer_as(&client, &arrived, 100e6 / 8, 500000);
        told = said_last >= 0 ? said_last : told;
    }
    CHECK(told > 3500000);
    CHECK(mcu_plane_aim(plane, -1, 1) == -1);
    leave(&client);
    mcu_plane_free(plane);
}

void congestion_tests(void)
{
    TEST(a_leg_is_told_when_its_packets_arrived);
    TEST(all_that_a_leg_is_sent_has_one_row_of_numbers);
    TEST(pictures_without_rtx_have_no_numbers);
    TEST(a_large_picture_leaves_at_the_pace_of_the_line);
    TEST(pictures_leave_behind_sound_on_a_narrow_line);
    TEST(a_plane_may_end_while_pictures_wait_for_their_turn);
    TEST(a_line_that_is_thin_is_told_of);
    TEST(probes_find_a_line_that_carries_more_where_there_is_use_for_it);
}
