/* No datagram of ours is too long for any path, whatever is in it. */
#include "client.h"
#include "tests.h"

#include <stdlib.h>
#include <string.h>

/* The longest that comes within a while; how many were there. */
static size_t longest(struct client *client, size_t *count)
{
    struct packet packet;
    size_t most = 0;
    for (*count = 0; receive(client, &packet, QUIET_MS * 2); ++*count)
        most = packet.size > most ? packet.size : most;
    return most;
}

/* A leg with the longest mid and name, all extensions, RTX, and the profile with the longest
 * tag. */
static void add_wordy(struct client *client, struct mcu_plane *plane)
{
    add_client(client, plane, -1);
    struct mcu_stream_options options = camera_options(RTX_TYPE);
    options.fir = true;
    strcpy(options.mid, "sixteen letters!");
    memset(options.cname, 'n', sizeof options.cname - 1);
    CHECK(mcu_plane_add_stream(plane, client->leg, &options) == 0);
    enter(client);
}

static void pictures_and_their_repeats_fit(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct packet packet;
    static uint8_t picture[20000] = {0x10, 0, 0, 0x9D, 1, 0x2A, 0x80, 2, 0x68, 1};
    size_t count;
    add_wordy(&client, plane);
    CHECK(mcu_plane_send_picture(plane, MCU_CAMERA, &client.leg, 1, false, picture,
                                 sizeof picture, 3000, true) == 1);
    CHECK(receive_rtp(&client, VIDEO_TYPE, &packet, PATIENCE_MS));
    const int64_t first = packet.rtp.sequence;
    CHECK(packet.size > 1100); /* nor is the room wasted */
    CHECK(longest(&client, &count) <= MCU_DATAGRAM_OUT && count >= 16);
    uint8_t nack[MCU_RTCP_MAX];
    size_t size = 0;
    const int64_t lost[] = {first, first + 1, first + 2};
    CHECK(mcu_rtcp_rr(nack, &size, client.ssrc, NULL, 0) == 0);
    CHECK(mcu_rtcp_nack(nack, &size, client.ssrc, packet.rtp.ssrc, lost, 3) == 0);
    send_report(&client, nack, size);
    CHECK(longest(&client, &count) <= MCU_DATAGRAM_OUT && count >= 3);
    leave(&client);
    mcu_plane_free(plane);
}

static void a_datagram_that_would_not_fit_is_not_sent(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    uint8_t *data = calloc(1, MCU_DATAGRAM_OUT + 1);
    add_wordy(&client, plane);
    CHECK(mcu_plane_send_dtls(plane, client.leg, false, data, MCU_DATAGRAM_OUT) == 0);
    CHECK(mcu_plane_send_dtls(plane, client.leg, false, data, MCU_DATAGRAM_OUT + 1) == -1);
    size_t count;
    CHECK(longest(&client, &count) == MCU_DATAGRAM_OUT);
    free(data);
    leave(&client);
    mcu_plane_free(plane);
}

/* Noise is what Opus needs most for. */
static void sound_at_the_highest_rate_fits(void)
{
    struct sockaddr_storage address = {0};
    *(struct sockaddr_in *)&address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct mcu_plane_options options = {
        .addresses = &address, .address_count = 1, .bits_per_second = 510000};
    struct mcu_plane *plane = mcu_plane_new(&options);
    struct client client;
    struct packet packet;
    int16_t samples[MCU_TICK];
    join(&client, plane, -1);
    const int sound = mcu_plane_add_sound(plane, false);
    const struct mcu_route route = {.leg = client.leg, .sound = sound};
    for (int64_t tick = 1; tick < 10; tick++) {
        for (int i = 0; i < MCU_TICK; i++)
            samples[i] = (int16_t)noise();
        const struct mcu_mix mix = {.sound = sound, .samples = samples};
        CHECK(mcu_plane_send(plane, tick, &mix, 1, &route, 1) == 0);
        CHECK(receive_rtp(&client, AUDIO_TYPE, &packet, PATIENCE_MS));
        CHECK(packet.size > 600 && packet.size + MCU_SRTP_TRAILER <= MCU_DATAGRAM_OUT);
    }
    leave(&client);
    mcu_plane_free(plane);
}

void size_tests(void)
{
    TEST(pictures_and_their_repeats_fit);
    TEST(a_datagram_that_would_not_fit_is_not_sent);
    TEST(sound_at_the_highest_rate_fits);
}
