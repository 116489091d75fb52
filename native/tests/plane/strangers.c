/* Nothing from an address that proved nothing is looked at. */
#include "client.h"
#include "tests.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint8_t hello[14] = {22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1};

static void what_a_stranger_sends_is_dropped(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client, stranger;
    join(&client, plane, -1);
    stranger = client; /* its keys, its SSRC, and another port */
    stranger.fd = open_socket(&stranger.local);
    say(&stranger, 20);
    send_raw(&stranger, hello, sizeof hello);
    uint8_t report[64];
    size_t size = 0;
    mcu_rtcp_rr(report, &size, 1, NULL, 0);
    send_raw(&stranger, report, size);
    send_raw(&stranger, "GET / HTTP/1.1", 14);
    CHECK(drops(plane, MCU_DROP_STRANGER, 4));
    CHECK(!said(plane, MCU_EVENT_DTLS, 0, QUIET_MS));
    CHECK(stream_stats(plane, client.leg, MCU_AUDIO, false).packets == 0);
    close(stranger.fd);
    leave(&client);
    mcu_plane_free(plane);
}

static void dtls_of_a_proved_leg_is_handed_over_and_bounded(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct mcu_event event;
    join(&client, plane, -1);
    for (int i = 0; i < MCU_PLANE_BEFORE + 5; i++)
        send_raw(&client, hello, sizeof hello);
    CHECK(drops(plane, MCU_DROP_DTLS, 5));
    for (int i = 0; i < MCU_PLANE_BEFORE; i++) {
        CHECK(await(plane, MCU_EVENT_DTLS, client.leg, &event, PATIENCE_MS));
        CHECK(event.size == sizeof hello && !memcmp(event.data, hello, sizeof hello));
        free(event.data);
    }
    send_raw(&client, hello, sizeof hello); /* there is room again */
    CHECK(said(plane, MCU_EVENT_DTLS, client.leg, PATIENCE_MS));
    leave(&client);
    mcu_plane_free(plane);
}

/* Python answers each: whoever may join must not keep it busy. */
static void a_flood_of_dtls_is_cut_to_what_a_handshake_needs(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct mcu_event event;
    uint64_t said = 0;
    join(&client, plane, -1);
    for (uint64_t sent = 0; sent < 640; sent += MCU_PLANE_BEFORE) {
        for (int i = 0; i < MCU_PLANE_BEFORE; i++)
            send_raw(&client, hello, sizeof hello);
        while (said + dropped(plane, MCU_DROP_DTLS) < sent + MCU_PLANE_BEFORE)
            if (mcu_plane_event(plane, &event)) {
                said += event.kind == MCU_EVENT_DTLS;
                free(event.data);
            }
    }
    CHECK(said >= 100 && said <= 300); /* of one second, or of parts of two or three */
    leave(&client);
    mcu_plane_free(plane);
}

static void without_keys_a_leg_is_deaf(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    add_client(&client, plane, -1);
    CHECK(check(&client, true) == 200);
    say(&client, 20);
    CHECK(drops(plane, MCU_DROP_RTP_NO_KEYS, 1));
    leave(&client);
    mcu_plane_free(plane);
}

static void packets_with_bad_tags_leave_the_call_alone(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    uint8_t out[256];
    join(&client, plane, -1);
    be_heard(&client, 3);
    say(&client, -1);
    CHECK(received(&client, MCU_AUDIO, 1));
    const size_t size = make_sound(&client, -1, out);
    for (unsigned i = 1; i <= 100000; i++) { /* each from wherever in the sequence it likes */
        out[2] = (uint8_t)noise();
        out[3] = (uint8_t)noise();
        out[size - 1] ^= (uint8_t)(i | 1);
        send_raw(&client, out, size);
        if (i % 100 == 0)
            CHECK(drops(plane, MCU_DROP_SRTP, i));
    }
    for (int i = 0; i < 20; i++)
        say(&client, -1);
    CHECK(received(&client, MCU_AUDIO, 21));
    CHECK(stream_stats(plane, client.leg, MCU_AUDIO, false).lost == 1);
    leave(&client);
    mcu_plane_free(plane);
}

static void a_packet_that_comes_again_is_dropped(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    uint8_t out[256];
    join(&client, plane, -1);
    be_heard(&client, 3);
    const size_t size = make_sound(&client, -1, out);
    for (int i = 0; i < 3; i++)
        send_raw(&client, out, size);
    CHECK(drops(plane, MCU_DROP_SRTP, 2));
    CHECK(stream_stats(plane, client.leg, MCU_AUDIO, false).packets == 1);
    leave(&client);
    mcu_plane_free(plane);
}

/* Whether reports are authentic, and no replays, up to one that asks for this at most. */
static bool asks_for(struct client *client, uint64_t most)
{
    struct packet packet;
    struct mcu_rtcp_event event;
    while (receive(client, &packet, PATIENCE_MS)) {
        if (mcu_srtp_unprotect_rtcp(client->in, packet.data, &packet.size))
            return false;
        struct mcu_rtcp_reader reader = {.data = packet.data, .size = packet.size};
        while (mcu_rtcp_next(&reader, &event) > 0)
            if (event.kind == MCU_RTCP_REMB && event.bits_per_second <= most)
                return true;
    }
    return false;
}

/* As each re-INVITE of a telephone does. Were they new, what comes after the sequence numbers
 * wrapped would not be authentic, what came before would be once more, and our next report
 * would have the number of the first. */
static void the_same_keys_again_change_nothing(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    uint8_t out[256] = {0};
    join(&client, plane, 0); /* with video, which is limited by RTCP */
    be_heard(&client, 3);
    show(&client, VIDEO_TYPE, client.video_ssrc, 1, false, out, 1);
    CHECK(received(&client, MCU_CAMERA, 1));
    CHECK(mcu_plane_limit(plane, client.leg, 1000000) == 0);
    CHECK(asks_for(&client, 1000000));
    client.sequence = 65535;
    say(&client, -1);
    const size_t size = make_sound(&client, -1, out);
    send_raw(&client, out, size);
    CHECK(received(&client, MCU_AUDIO, 2));
    set_keys_again(&client);
    send_raw(&client, out, size);
    CHECK(drops(plane, MCU_DROP_SRTP, 1));
    say(&client, -1);
    CHECK(received(&client, MCU_AUDIO, 3));
    CHECK(mcu_plane_limit(plane, client.leg, 500000) == 0);
    CHECK(asks_for(&client, 500000));
    leave(&client);
    mcu_plane_free(plane);
}

static void what_is_of_no_protocol_or_no_stream_is_counted(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    uint8_t long_one[1600] = {0x80, AUDIO_TYPE};
    join(&client, plane, -1);
    send_raw(&client, "\x50 hello there", 13);
    send_raw(&client, long_one, sizeof long_one);
    CHECK(drops(plane, MCU_DROP_DATAGRAM, 2));
    const uint8_t other_type[40] = {0x80, 5, 0, 1};
    send_raw(&client, other_type, sizeof other_type);
    CHECK(drops(plane, MCU_DROP_RTP_UNKNOWN, 1));
    const uint8_t sources[40] = {0x8F, AUDIO_TYPE, 0, 1}; /* 15 CSRCs that are not there */
    send_raw(&client, sources, sizeof sources);
    CHECK(drops(plane, MCU_DROP_RTP_MALFORMED, 1));
    leave(&client);
    mcu_plane_free(plane);
}

void stranger_tests(void)
{
    TEST(what_a_stranger_sends_is_dropped);
    TEST(dtls_of_a_proved_leg_is_handed_over_and_bounded);
    TEST(a_flood_of_dtls_is_cut_to_what_a_handshake_needs);
    TEST(without_keys_a_leg_is_deaf);
    TEST(packets_with_bad_tags_leave_the_call_alone);
    TEST(a_packet_that_comes_again_is_dropped);
    TEST(the_same_keys_again_change_nothing);
    TEST(what_is_of_no_protocol_or_no_stream_is_counted);
}
