/* Reports, and what they ask for. */
#include "client.h"
#include "tests.h"

#include <mcu/demux.h>

#include <string.h>
#include <unistd.h>

static void each_second_a_leg_is_told_what_came_and_went(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct mcu_rtcp_event event;
    join(&client, plane, -1);
    be_heard(&client, 1);
    for (int i = 0; i < 10; i++, usleep(1000)) {
        if (i == 4)
            client.sequence++; /* one is lost */
        say(&client, 20);
    }
    CHECK(received(&client, MCU_AUDIO, 10));
    CHECK(receive_rtcp(&client, MCU_RTCP_REPORT, &event, PATIENCE_MS));
    CHECK(event.media_ssrc == client.ssrc && event.lost == 1 && event.highest == 10);
    CHECK(event.fraction_lost > 20 && event.fraction_lost < 26);
    CHECK(receive_rtcp(&client, MCU_RTCP_REPORT, &event, 1200));
    CHECK(event.lost == 1 && event.fraction_lost == 0);
    leave(&client);
    mcu_plane_free(plane);
}

static void the_round_trip_is_measured_by_our_reports(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct mcu_rtcp_event sender;
    struct mcu_leg_stats stats;
    uint8_t picture[50] = {0x10, 2, 0, 0x9D, 1, 0x2A, 64, 0, 48, 0}, report[100];
    join(&client, plane, 0);
    CHECK(mcu_plane_leg_stats(plane, client.leg, &stats) == 0 && stats.rtt_ms < 0);
    CHECK(mcu_plane_send_picture(plane, MCU_CAMERA, &client.leg, 1, false, picture,
                                 sizeof picture, 90000, true) == 1);
    CHECK(receive_rtcp(&client, MCU_RTCP_SENDER, &sender, PATIENCE_MS));
    CHECK(sender.packets == 1 && sender.timestamp - 90000 < 2 * 90000);
    usleep(50000); /* on its way and back, as far as the report tells */
    const struct mcu_rtcp_block block = {.ssrc = sender.ssrc,
                                         .last_sr = (uint32_t)(sender.ntp >> 16)};
    size_t size = 0;
    mcu_rtcp_rr(report, &size, client.ssrc, &block, 1);
    send_report(&client, report, size);
    usleep(20000);
    CHECK(mcu_plane_leg_stats(plane, client.leg, &stats) == 0);
    CHECK(stats.rtt_ms >= 50 && stats.rtt_ms < 500);
    leave(&client);
    mcu_plane_free(plane);
}

/* The time by the report's clock, ms, of what has this timestamp (RFC 3550 section 6.4.1). */
static double time_of(const struct mcu_rtcp_event *report, uint32_t timestamp, double clock)
{
    const double reported =
        (double)(report->ntp >> 32) * 1e3 + (double)(uint32_t)report->ntp * 1e3 / 4294967296.0;
    return reported - (double)(int32_t)(report->timestamp - timestamp) * 1e3 / clock;
}

/* A picture and a tick of sound that leave together, told apart by their reports alone. */
static void by_the_reports_sound_and_picture_of_one_moment_are_of_one_moment(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct packet packet;
    struct mcu_rtcp_event event, audio = {0}, video = {0};
    uint8_t picture[50] = {0x10, 2, 0, 0x9D, 1, 0x2A, 64, 0, 48, 0};
    join(&client, plane, 0);
    const int sound = mcu_plane_add_sound(plane, false);
    const struct mcu_route route = {.leg = client.leg, .sound = sound};
    const int16_t samples[MCU_TICK] = {0};
    const struct mcu_mix mix = {.sound = sound, .samples = samples};
    CHECK(mcu_plane_send(plane, 1, &mix, 1, &route, 1) == 0);
    CHECK(receive_rtp(&client, AUDIO_TYPE, &packet, PATIENCE_MS));
    const struct mcu_rtp said = packet.rtp;
    CHECK(mcu_plane_send_picture(plane, MCU_CAMERA, &client.leg, 1, false, picture,
                                 sizeof picture, 4000000000, true) == 1);
    CHECK(receive_rtp(&client, VIDEO_TYPE, &packet, PATIENCE_MS));
    const uint32_t shown = packet.rtp.ssrc;
    while ((!audio.ntp || !video.ntp) && receive(&client, &packet, PATIENCE_MS)) {
        if (mcu_demux(packet.data, packet.size) != MCU_IS_RTCP ||
            (client.in && mcu_srtp_unprotect_rtcp(client.in, packet.data, &packet.size)))
            continue;
        struct mcu_rtcp_reader reader = {.data = packet.data, .size = packet.size};
        while (mcu_rtcp_next(&reader, &event) > 0)
            if (event.kind == MCU_RTCP_SENDER)
                *(event.ssrc == shown ? &video : &audio) = event;
    }
    CHECK(audio.ssrc == said.ssrc && video.ssrc == shown);
    const double apart =
        time_of(&audio, said.timestamp, 48000) - time_of(&video, 4000000000, 90000);
    CHECK(apart > -100 && apart < 100);
    leave(&client);
    mcu_plane_free(plane);
}

/* The SSRC of what the leg is sent as video. */
static uint32_t video_ssrc(struct client *client)
{
    uint8_t picture[50] = {0x10, 2, 0, 0x9D, 1, 0x2A, 64, 0, 48, 0};
    struct packet packet;
    mcu_plane_send_picture(client->plane, MCU_CAMERA, &client->leg, 1, false, picture,
                           sizeof picture, 1, true);
    CHECK(receive_rtp(client, VIDEO_TYPE, &packet, PATIENCE_MS));
    return packet.rtp.ssrc;
}

static void a_key_frame_that_is_asked_for_is_told_and_a_repeat_is_not(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct mcu_event event;
    uint8_t data[100];
    size_t size = 0;
    join(&client, plane, 0);
    const uint32_t ssrc = video_ssrc(&client);
    mcu_rtcp_pli(data, &size, 1, ssrc);
    send_report(&client, data, size);
    CHECK(await(plane, MCU_EVENT_KEY_WANTED, client.leg, &event, PATIENCE_MS));
    CHECK(event.a == MCU_CAMERA);
    for (int i = 0; i < 3; i++) {
        size = 0;
        mcu_rtcp_fir(data, &size, 1, ssrc, 9);
        send_report(&client, data, size);
    }
    CHECK(said(plane, MCU_EVENT_KEY_WANTED, client.leg, PATIENCE_MS));
    CHECK(!said(plane, MCU_EVENT_KEY_WANTED, client.leg, QUIET_MS));
    size = 0;
    mcu_rtcp_pli(data, &size, 1, ssrc + 1); /* of no stream of ours */
    send_report(&client, data, size);
    CHECK(!said(plane, MCU_EVENT_KEY_WANTED, client.leg, QUIET_MS));
    leave(&client);
    mcu_plane_free(plane);
}

static void loss_of_a_picture_is_told_where_it_changes(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct mcu_event event;
    join(&client, plane, 0);
    struct mcu_rtcp_block block = {.ssrc = video_ssrc(&client), .fraction_lost = 40};
    for (int i = 0; i < 3; i++) {
        uint8_t data[100];
        size_t size = 0;
        block.fraction_lost = i < 2 ? 40 : 0;
        mcu_rtcp_rr(data, &size, client.ssrc, &block, 1);
        send_report(&client, data, size);
    }
    CHECK(await(plane, MCU_EVENT_LOSS, client.leg, &event, PATIENCE_MS));
    CHECK(event.a == MCU_CAMERA && event.b == 40);
    CHECK(await(plane, MCU_EVENT_LOSS, client.leg, &event, PATIENCE_MS));
    CHECK(event.a == MCU_CAMERA && event.b == 0);
    leave(&client);
    mcu_plane_free(plane);
}

static void bandwidth_and_bye_are_told(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct mcu_event event;
    uint8_t data[100];
    size_t size = 0;
    const uint32_t ours = 5;
    join(&client, plane, 0);
    say(&client, 20);
    CHECK(received(&client, MCU_AUDIO, 1));
    mcu_rtcp_remb(data, &size, 1, 3000000, &ours, 1);
    send_report(&client, data, size);
    CHECK(await(plane, MCU_EVENT_BANDWIDTH, client.leg, &event, PATIENCE_MS));
    CHECK(event.a > 2900000 && event.a < 3100000); /* of pictures alone */
    size = 0;
    mcu_rtcp_rr(data, &size, 1, NULL, 0);
    mcu_rtcp_bye(data, &size, client.ssrc);
    send_report(&client, data, size);
    CHECK(said(plane, MCU_EVENT_BYE, client.leg, PATIENCE_MS));
    leave(&client);
    mcu_plane_free(plane);
}

static void what_a_leg_asks_for_is_bounded_and_malformed_rtcp_counted(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    uint8_t data[200];
    size_t size;
    join(&client, plane, 0);
    const uint32_t ssrc = video_ssrc(&client);
    for (int i = 0; i < 400; i++) {
        size = 0;
        mcu_rtcp_pli(data, &size, 1, ssrc);
        send_report(&client, data, size);
    }
    for (int i = 0; i < 100 && dropped(plane, MCU_DROP_EVENT) < 100; i++)
        usleep(10000);
    CHECK(dropped(plane, MCU_DROP_EVENT) >= 100);
    size = 0;
    mcu_rtcp_pli(data, &size, 1, ssrc);
    data[3] = 9; /* longer than it is */
    send_report(&client, data, size);
    CHECK(drops(plane, MCU_DROP_RTCP_MALFORMED, 1));
    data[0] = 0x81;
    data[1] = 206;
    send_raw(&client, data, 40); /* not authentic */
    CHECK(drops(plane, MCU_DROP_SRTP, 1));
    leave(&client);
    mcu_plane_free(plane);
}

static void a_limit_is_asked_for_at_once(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct mcu_rtcp_event event;
    const uint8_t piece[20] = {0x10};
    join(&client, plane, 0);
    show(&client, VIDEO_TYPE, client.video_ssrc, 1, false, piece, sizeof piece);
    CHECK(received(&client, MCU_CAMERA, 1));
    CHECK(mcu_plane_limit(plane, client.leg, 600000) == 0);
    CHECK(receive_rtcp(&client, MCU_RTCP_REMB, &event, 100));
    CHECK(event.bits_per_second > 590000 && event.bits_per_second <= 600000);
    leave(&client);
    mcu_plane_free(plane);
}

/* Whether a packet that came answers a TMMBR. */
static bool is_tmmbn(struct client *client, struct packet *packet)
{
    CHECK(mcu_srtp_unprotect_rtcp(client->in, packet->data, &packet->size) == 0);
    return packet->size == 28 && packet->data[8] == 0x84 && packet->data[9] == 205 &&
           packet->data[23] == 5;
}

/* A hundred of them in each of ten datagrams; there may be a turn of the second between. */
static void a_flood_of_tmmbr_is_answered_by_few(struct client *client, uint32_t ours)
{
    uint32_t each[100];
    uint8_t data[MCU_RTCP_MAX + MCU_SRTP_TRAILER];
    struct packet packet;
    unsigned answers = 0;
    for (size_t i = 0; i < 100; i++)
        each[i] = ours;
    for (int i = 0; i < 10; i++) {
        size_t size = 0;
        mcu_rtcp_rr(data, &size, 5, NULL, 0);
        mcu_rtcp_tmmbr(data, &size, 5, 300000, 40, each, 100);
        send_report(client, data, size);
    }
    while (receive(client, &packet, 300))
        answers += is_tmmbn(client, &packet);
    CHECK(answers > 0 && answers <= 200);
}

static void who_knows_tmmbr_is_asked_by_that_and_answered(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct mcu_rtcp_event event;
    const uint8_t piece[20] = {0x10};
    struct mcu_stream_options camera = camera_options(0);
    camera.tmmbr = true;
    camera.ssrc = 4711;
    add_client(&client, plane, -1);
    CHECK(mcu_plane_add_stream(plane, client.leg, &camera) == 0);
    enter(&client);
    const struct mcu_rtp header = {.payload_type = VIDEO_TYPE, .ssrc = 5, .level = -1};
    uint8_t out[200];
    send_raw(&client, out, make(&client, &header, piece, sizeof piece, out));
    CHECK(received(&client, MCU_CAMERA, 1));
    CHECK(mcu_plane_limit(plane, client.leg, 600000) == 0);
    CHECK(receive_rtcp(&client, MCU_RTCP_TMMBR, &event, 100));
    CHECK(event.bits_per_second > 590000 && event.bits_per_second <= 600000);
    CHECK(event.media_ssrc == 5);

    const uint32_t ours = 4711;
    size_t size = 0;
    uint8_t data[200];
    struct packet packet;
    mcu_rtcp_rr(data, &size, 5, NULL, 0);
    mcu_rtcp_tmmbr(data, &size, 5, 300000, 40, &ours, 1);
    send_report(&client, data, size);
    bool answered = false;
    while (!answered && receive(&client, &packet, PATIENCE_MS))
        answered = is_tmmbn(&client, &packet);
    CHECK(answered);
    CHECK(said(plane, MCU_EVENT_BANDWIDTH, client.leg, PATIENCE_MS));
    a_flood_of_tmmbr_is_answered_by_few(&client, ours);
    leave(&client);
    mcu_plane_free(plane);
}

void rtcp_tests(void)
{
    TEST(who_knows_tmmbr_is_asked_by_that_and_answered);
    TEST(each_second_a_leg_is_told_what_came_and_went);
    TEST(the_round_trip_is_measured_by_our_reports);
    TEST(by_the_reports_sound_and_picture_of_one_moment_are_of_one_moment);
    TEST(a_key_frame_that_is_asked_for_is_told_and_a_repeat_is_not);
    TEST(loss_of_a_picture_is_told_where_it_changes);
    TEST(bandwidth_and_bye_are_told);
    TEST(what_a_leg_asks_for_is_bounded_and_malformed_rtcp_counted);
    TEST(a_limit_is_asked_for_at_once);
}
