/* Legs with ports of their own. */
#include "../../src/plane/internal.h"
#include "client.h"
#include "tests.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAIRS 10 /* in the range of new_plane */

/* A telephone at a plain leg: G.711, no level. */
struct telephone {
    struct client client;
    struct sockaddr_in rtcp_local;
    int rtcp_fd;
    uint16_t rtp_port, rtcp_port;
};

static void call(struct telephone *telephone, struct mcu_plane *plane)
{
    struct client *client = &telephone->client;
    memset(telephone, 0, sizeof *telephone);
    client->plane = plane;
    client->ssrc = 99;
    client->leg =
        mcu_plane_add_rtp(plane, AF_INET, &telephone->rtp_port, &telephone->rtcp_port);
    CHECK(client->leg > 0 && telephone->rtp_port % 2 == 0 &&
          telephone->rtcp_port == telephone->rtp_port + 1);
    const struct mcu_stream_options options = {
        .source = MCU_AUDIO,
        .formats = {{.payload_type = AUDIO_TYPE, .codec = MCU_OPUS}},
        .format_count = 1,
        .sends = true,
        .receives = true,
    };
    CHECK(mcu_plane_add_stream(plane, client->leg, &options) == 0);
    client->fd = open_socket(&client->local);
    telephone->rtcp_fd = open_socket(&telephone->rtcp_local);
    client->server = client->local;
    client->server.sin_port = htons(telephone->rtp_port);
}

static void answer(struct telephone *telephone)
{
    CHECK(mcu_plane_set_remote(telephone->client.plane, telephone->client.leg,
                               (struct sockaddr *)&telephone->client.local,
                               (struct sockaddr *)&telephone->rtcp_local) == 0);
}

static void hang_up(struct telephone *telephone)
{
    close(telephone->rtcp_fd);
    leave(&telephone->client);
}

static void a_range_of_ports_is_used_up_and_freed(void)
{
    struct mcu_plane *plane = new_plane();
    uint16_t rtp, rtcp, ports[PAIRS];
    int legs[PAIRS];
    for (int i = 0; i < PAIRS; i++) {
        legs[i] = mcu_plane_add_rtp(plane, AF_INET, &ports[i], &rtcp);
        CHECK(legs[i] > 0 && ports[i] >= first_port() && rtcp == ports[i] + 1 &&
              rtcp < first_port() + 2 * PAIRS);
        for (int j = 0; j < i; j++)
            CHECK(ports[i] != ports[j]);
    }
    CHECK(mcu_plane_add_rtp(plane, AF_INET, &rtp, &rtcp) == -1 && errno == ENOSPC);
    CHECK(mcu_plane_remove(plane, legs[3]) == 0);
    CHECK(mcu_plane_add_rtp(plane, AF_INET, &rtp, &rtcp) > 0 && rtp == ports[3]);
    CHECK(mcu_plane_add_rtp(plane, AF_INET6, &rtp, &rtcp) == -1 && errno == EINVAL);
    mcu_plane_free(plane);
}

static void a_plain_leg_takes_packets_from_its_remote_address_only(void)
{
    struct mcu_plane *plane = new_plane();
    struct telephone telephone;
    struct client sprayer;
    call(&telephone, plane);
    say(&telephone.client, -1); /* before it is known where it is */
    CHECK(drops(plane, MCU_DROP_STRANGER, 1));
    answer(&telephone);
    sprayer = telephone.client; /* its payload type, SSRC and numbers */
    sprayer.fd = open_socket(&sprayer.local);
    for (int i = 0; i < 10; i++) {
        say(&sprayer, -1);
        say(&telephone.client, -1);
    }
    CHECK(drops(plane, MCU_DROP_STRANGER, 11));
    CHECK(received(&telephone.client, MCU_AUDIO, 10));
    struct packet packet;
    CHECK(!receive(&sprayer, &packet, QUIET_MS));
    close(sprayer.fd);
    hang_up(&telephone);
    mcu_plane_free(plane);
}

/* More than is read of one socket at a time, and then nothing more comes. */
static void all_of_a_burst_to_a_leg_is_read(void)
{
    enum { BURST = 1200 };
    if (geteuid() != 0)
        return; /* the socket's buffer is not so large */
    struct mcu_plane *plane = new_plane();
    struct telephone telephone;
    call(&telephone, plane);
    pthread_mutex_lock(&plane->lock); /* meanwhile it reads no further */
    for (int i = 0; i < BURST; i++)
        say(&telephone.client, -1);
    pthread_mutex_unlock(&plane->lock);
    CHECK(drops(plane, MCU_DROP_STRANGER, BURST)); /* before it is known where it is */
    hang_up(&telephone);
    mcu_plane_free(plane);
}

static void rtcp_of_a_leg_goes_by_its_own_port_or_by_the_same(void)
{
    struct mcu_plane *plane = new_plane();
    struct telephone telephone;
    struct packet packet;
    call(&telephone, plane);
    answer(&telephone);
    struct client by_rtcp = telephone.client;
    by_rtcp.fd = telephone.rtcp_fd;
    CHECK(receive(&by_rtcp, &packet, PATIENCE_MS) && packet.data[1] >= 200);
    CHECK(packet.from == telephone.rtcp_port);
    CHECK(!receive(&telephone.client, &packet, 0));
    CHECK(mcu_plane_set_remote(plane, telephone.client.leg,
                               (struct sockaddr *)&telephone.client.local, NULL) == 0);
    CHECK(receive(&telephone.client, &packet, PATIENCE_MS) && packet.data[1] >= 200);
    CHECK(packet.from == telephone.rtp_port);
    uint8_t bye[64];
    size_t size = 0;
    say(&telephone.client, -1);
    CHECK(received(&telephone.client, MCU_AUDIO, 1));
    mcu_rtcp_bye(bye, &size, telephone.client.ssrc);
    send_report(&telephone.client, bye, size);
    CHECK(said(plane, MCU_EVENT_BYE, telephone.client.leg, PATIENCE_MS));
    hang_up(&telephone);
    mcu_plane_free(plane);
}

static void a_keyed_leg_is_where_its_authentic_packets_come_from(void)
{
    struct mcu_plane *plane = new_plane();
    struct telephone telephone;
    struct client *client = &telephone.client;
    call(&telephone, plane);
    answer(&telephone);
    set_keys(client);
    say(client, -1);
    CHECK(received(client, MCU_AUDIO, 1));
    struct client elsewhere = *client;
    elsewhere.fd = open_socket(&elsewhere.local);
    say(&elsewhere, -1); /* while it is heard where it was */
    CHECK(drops(plane, MCU_DROP_STRANGER, 1));
    usleep(600000);
    send_raw(&elsewhere, "\x80\x6f 1234567890 not authentic at all", 34);
    CHECK(drops(plane, MCU_DROP_SRTP, 1));
    say(&elsewhere, -1);
    CHECK(received(client, MCU_AUDIO, 2));
    struct packet packet;
    const int sound = mcu_plane_add_sound(plane, true);
    static const int16_t samples[MCU_TICK];
    const struct mcu_mix mix = {.sound = sound, .samples = samples};
    const struct mcu_route route = {.leg = client->leg, .sound = sound};
    CHECK(mcu_plane_send(plane, 1, &mix, 1, &route, 1) == 0);
    CHECK(receive_rtp(&elsewhere, AUDIO_TYPE, &packet, PATIENCE_MS));
    close(elsewhere.fd);
    hang_up(&telephone);
    mcu_plane_free(plane);
}

static bool send_sound(struct telephone *telephone, int64_t tick, int sound,
                       struct packet *packet)
{
    static const int16_t samples[MCU_TICK];
    const struct mcu_mix mix = {.sound = sound, .samples = samples};
    const struct mcu_route route = {.leg = telephone->client.leg, .sound = sound};
    CHECK(mcu_plane_send(telephone->client.plane, tick, &mix, 1, &route, 1) == 0);
    return receive_rtp(&telephone->client, AUDIO_TYPE, packet, QUIET_MS);
}

static bool is_sent_sound(struct telephone *telephone, int64_t tick, int sound)
{
    struct packet packet;
    return send_sound(telephone, tick, sound, &packet);
}

/* What a call is sent first, by a plane of its own that has run for so many ticks. */
static struct mcu_rtp first_of(int64_t ticks)
{
    struct mcu_plane *plane = new_plane();
    struct telephone telephone;
    struct packet packet;
    call(&telephone, plane);
    answer(&telephone);
    CHECK(send_sound(&telephone, ticks, mcu_plane_add_sound(plane, true), &packet));
    hang_up(&telephone);
    mcu_plane_free(plane);
    return packet.rtp;
}

static void a_call_that_moves_to_another_plane_is_sent_later_numbers_there(void)
{
    const struct mcu_rtp before = first_of(1000000);
    usleep(40000);
    const struct mcu_rtp after = first_of(7);
    const uint16_t packets = after.sequence - before.sequence;
    const uint32_t samples = after.timestamp - before.timestamp;
    const uint16_t from_zero = 300; /* where numbers began anew meanwhile */
    CHECK(packets >= 2 && packets < 500 + from_zero && after.ssrc != before.ssrc);
    CHECK(samples >= 2 * 960 && samples < 500 * 960);
}

static void a_held_leg_is_sent_no_sound_and_missed_only_when_it_is_held_no_more(void)
{
    struct mcu_plane *plane = new_plane();
    struct telephone telephone;
    call(&telephone, plane);
    answer(&telephone);
    const int leg = telephone.client.leg, sound = mcu_plane_add_sound(plane, true);
    CHECK(is_sent_sound(&telephone, 1, sound));
    CHECK(mcu_plane_hold(plane, leg, true) == 0);
    CHECK(!is_sent_sound(&telephone, 2, sound));
    CHECK(!said(plane, MCU_EVENT_SILENT, leg, 3000));
    CHECK(mcu_plane_hold(plane, leg, false) == 0);
    CHECK(is_sent_sound(&telephone, 3, sound));
    CHECK(said(plane, MCU_EVENT_SILENT, leg, 3000)); /* nothing has come */
    CHECK(mcu_plane_hold(plane, 99, true) == -1 && errno == ENOENT);
    hang_up(&telephone);
    mcu_plane_free(plane);
}

static void a_leg_that_requires_keys_is_mute_and_deaf_without_them(void)
{
    struct mcu_plane *plane = new_plane();
    struct telephone telephone;
    struct packet packet;
    call(&telephone, plane);
    struct client *client = &telephone.client, by_rtcp = *client;
    by_rtcp.fd = telephone.rtcp_fd;
    CHECK(mcu_plane_require_keys(plane, client->leg) == 0);
    CHECK(mcu_plane_require_keys(plane, 99) == -1 && errno == ENOENT);
    answer(&telephone);
    const int sound = mcu_plane_add_sound(plane, true);
    CHECK(!is_sent_sound(&telephone, 1, sound));
    say(client, -1);
    CHECK(drops(plane, MCU_DROP_RTP_NO_KEYS, 1));
    CHECK(!receive(&by_rtcp, &packet, 1200)); /* nor reports */
    set_keys(client);
    CHECK(is_sent_sound(&telephone, 2, sound));
    say(client, -1);
    CHECK(received(client, MCU_AUDIO, 1));
    hang_up(&telephone);
    mcu_plane_free(plane);
}

static const uint8_t greeting[14] = {22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 42};

/* Whether a greeting is handed over; `rtcp`: of which port. */
static bool greeted(const struct telephone *telephone, bool *rtcp)
{
    struct mcu_event event;
    if (!await(telephone->client.plane, MCU_EVENT_DTLS, telephone->client.leg, &event,
               PATIENCE_MS))
        return false;
    *rtcp = event.a != 0;
    const bool same =
        event.size == sizeof greeting && !memcmp(event.data, greeting, event.size);
    free(event.data);
    return same;
}

static void dtls_is_taken_from_the_remote_address_also_what_came_before_it_was_known(void)
{
    struct mcu_plane *plane = new_plane();
    struct telephone telephone;
    call(&telephone, plane);
    struct client *client = &telephone.client, by_rtcp = *client, stranger = *client;
    stranger.fd = open_socket(&stranger.local);
    by_rtcp.fd = telephone.rtcp_fd;
    by_rtcp.server.sin_port = htons(telephone.rtcp_port);
    send_raw(client, greeting, sizeof greeting); /* nobody has asked for keys */
    CHECK(drops(plane, MCU_DROP_STRANGER, 1));
    CHECK(mcu_plane_require_keys(plane, client->leg) == 0);
    CHECK(mcu_plane_send_dtls(plane, client->leg, false, greeting, 14) == -1 &&
          errno == EINVAL);
    send_raw(client, greeting, sizeof greeting);
    CHECK(!said(plane, MCU_EVENT_DTLS, client->leg, QUIET_MS));
    answer(&telephone);
    bool rtcp = true;
    CHECK(greeted(&telephone, &rtcp) && !rtcp);
    send_raw(&by_rtcp, greeting, sizeof greeting);
    CHECK(greeted(&telephone, &rtcp) && rtcp);
    struct packet packet;
    CHECK(mcu_plane_send_dtls(plane, client->leg, true, greeting, sizeof greeting) == 0);
    CHECK(receive(&by_rtcp, &packet, PATIENCE_MS) && packet.size == sizeof greeting);
    CHECK(mcu_plane_send_dtls(plane, client->leg, false, greeting, sizeof greeting) == 0);
    CHECK(receive(client, &packet, PATIENCE_MS) && packet.from == telephone.rtp_port);
    close(stranger.fd);
    hang_up(&telephone);
    mcu_plane_free(plane);
}

/* The number of where a greeting is from. */
static int number(struct client *from)
{
    struct mcu_event event = {0};
    send_raw(from, greeting, sizeof greeting);
    CHECK(await(from->plane, MCU_EVENT_DTLS, from->leg, &event, PATIENCE_MS) && event.a == 0);
    free(event.data);
    return (int)event.b;
}

static void
who_greets_from_elsewhere_has_a_number_until_there_are_keys_and_is_the_leg_when_believed(void)
{
    struct mcu_plane *plane = new_plane();
    struct telephone telephone;
    struct packet packet;
    struct client others[5];
    call(&telephone, plane);
    struct client *client = &telephone.client;
    const int leg = client->leg;
    CHECK(mcu_plane_require_keys(plane, leg) == 0);
    answer(&telephone);
    for (int i = 0; i < 5; i++) {
        others[i] = *client;
        others[i].fd = open_socket(&others[i].local);
        CHECK(number(&others[i]) == i + 1 && number(&others[i]) == i + 1);
    }
    CHECK(number(client) == 0);
    CHECK(mcu_plane_answer_greeting(plane, leg, false, 5, greeting, 14) == 0);
    CHECK(receive(&others[4], &packet, PATIENCE_MS) && packet.size == 14);
    CHECK(mcu_plane_answer_greeting(plane, leg, false, 1, greeting, 14) == -1 &&
          errno == ENOENT); /* forgotten: five are too many */
    CHECK(mcu_plane_answer_greeting(plane, leg, true, 5, greeting, 14) == -1);
    CHECK(mcu_plane_believe(plane, leg, false, 1) == -1 && errno == ENOENT);
    CHECK(mcu_plane_believe(plane, leg, false, 0) == -1);
    CHECK(mcu_plane_believe(plane, leg, false, 5) == 0);
    CHECK(mcu_plane_send_dtls(plane, leg, false, greeting, sizeof greeting) == 0);
    CHECK(receive(&others[4], &packet, PATIENCE_MS));
    CHECK(number(&others[4]) == 0 && number(client) == 6);
    set_keys(client);
    const uint64_t before = dropped(plane, MCU_DROP_STRANGER);
    send_raw(&others[3], greeting, sizeof greeting);
    CHECK(drops(plane, MCU_DROP_STRANGER, before + 1));
    for (int i = 0; i < 5; i++)
        close(others[i].fd);
    hang_up(&telephone);
    mcu_plane_free(plane);
}

static void what_a_stranger_sent_before_the_remote_address_was_known_is_forgotten(void)
{
    struct mcu_plane *plane = new_plane();
    struct telephone telephone;
    call(&telephone, plane);
    struct client stranger = telephone.client;
    stranger.fd = open_socket(&stranger.local);
    CHECK(mcu_plane_require_keys(plane, telephone.client.leg) == 0);
    send_raw(&stranger, greeting, sizeof greeting);
    usleep(QUIET_MS * 1000);
    answer(&telephone);
    CHECK(!said(plane, MCU_EVENT_DTLS, telephone.client.leg, QUIET_MS));
    close(stranger.fd);
    hang_up(&telephone);
    mcu_plane_free(plane);
}

static void rtcp_with_an_association_of_its_own_has_its_own_keys(void)
{
    struct mcu_plane *plane = new_plane();
    struct telephone telephone;
    struct mcu_rtcp_event event;
    call(&telephone, plane);
    struct client *client = &telephone.client;
    set_keys(client);
    struct client by_rtcp = *client;
    by_rtcp.fd = telephone.rtcp_fd;
    by_rtcp.ours[0] ^= 1;
    by_rtcp.theirs[0] ^= 1;
    by_rtcp.in = mcu_srtp_new(MCU_SRTP_AEAD_AES_128_GCM, by_rtcp.ours, false);
    CHECK(mcu_plane_set_rtcp_keys(plane, client->leg, MCU_SRTP_AEAD_AES_128_GCM, by_rtcp.ours,
                                  by_rtcp.theirs) == 0);
    answer(&telephone);
    say(client, -1);
    CHECK(received(client, MCU_AUDIO, 1));
    CHECK(receive_rtcp(&by_rtcp, MCU_RTCP_REPORT, &event, PATIENCE_MS));
    mcu_srtp_free(by_rtcp.in);
    hang_up(&telephone);
    mcu_plane_free(plane);
}

/* A leg whose far end checks: with keys, and where its RTCP comes from. */
static void call_by_ice(struct telephone *telephone, struct client *by_rtcp,
                        struct mcu_plane *plane)
{
    struct client *client = &telephone->client;
    call(telephone, plane);
    strcpy(client->ufrag, "telephone-of-ours");
    strcpy(client->password, "a password of enough characters");
    strcpy(client->remote_ufrag, "theirs");
    CHECK(mcu_plane_require_keys(plane, client->leg) == 0);
    CHECK(mcu_plane_use_ice(plane, client->leg, false, client->ufrag, client->password,
                            client->remote_ufrag) == 0);
    *by_rtcp = *client;
    by_rtcp->fd = telephone->rtcp_fd;
    by_rtcp->server.sin_port = htons(telephone->rtcp_port);
}

static void a_leg_with_ice_is_where_a_check_of_each_port_says(void)
{
    struct mcu_plane *plane = new_plane();
    struct telephone telephone;
    struct client *client = &telephone.client, by_rtcp, stranger;
    struct packet packet;
    bool rtcp = true;
    call_by_ice(&telephone, &by_rtcp, plane);
    stranger = *client;
    stranger.fd = open_socket(&stranger.local);
    send_raw(client, greeting, sizeof greeting); /* before its check is known */
    CHECK(check_as(&stranger, "telephone-of-ours:theirs", "another password of enough",
                   true) == 401);
    CHECK(check(client, false) == 200);
    CHECK(!said(plane, MCU_EVENT_PROVED, client->leg, QUIET_MS));
    CHECK(check(client, true) == 200);
    CHECK(said(plane, MCU_EVENT_PROVED, client->leg, PATIENCE_MS));
    CHECK(greeted(&telephone, &rtcp) && !rtcp);
    send_raw(&stranger, greeting, sizeof greeting);
    CHECK(drops(plane, MCU_DROP_STRANGER, 1));
    CHECK(check(&by_rtcp, true) == 200);
    CHECK(mcu_plane_send_dtls(plane, client->leg, true, greeting, sizeof greeting) == 0);
    CHECK(receive(&by_rtcp, &packet, PATIENCE_MS) && packet.size == sizeof greeting);
    set_keys(client);
    const int sound = mcu_plane_add_sound(plane, true);
    CHECK(is_sent_sound(&telephone, 1, sound));
    close(stranger.fd);
    hang_up(&telephone);
    mcu_plane_free(plane);
}

static void a_check_is_of_the_leg_alone_whose_port_it_comes_to(void)
{
    struct mcu_plane *plane = new_plane();
    struct telephone telephone, other;
    struct client by_rtcp, browser;
    call_by_ice(&telephone, &by_rtcp, plane);
    call(&other, plane);
    struct client astray = telephone.client;
    astray.server = other.client.server;
    CHECK(check(&astray, true) == 0);
    add_client(&browser, plane, -1);
    browser.server = telephone.client.server;
    CHECK(check(&browser, true) == 0);
    astray.server.sin_port = htons(mcu_plane_port(plane));
    CHECK(check(&astray, true) == 0);
    CHECK(drops(plane, MCU_DROP_STUN_UNKNOWN, 3));
    leave(&browser);
    hang_up(&other);
    hang_up(&telephone);
    mcu_plane_free(plane);
}

void port_tests(void)
{
    TEST(a_leg_with_ice_is_where_a_check_of_each_port_says);
    TEST(a_check_is_of_the_leg_alone_whose_port_it_comes_to);
    TEST(a_call_that_moves_to_another_plane_is_sent_later_numbers_there);
    TEST(a_leg_that_requires_keys_is_mute_and_deaf_without_them);
    TEST(dtls_is_taken_from_the_remote_address_also_what_came_before_it_was_known);
    TEST(
        who_greets_from_elsewhere_has_a_number_until_there_are_keys_and_is_the_leg_when_believed);
    TEST(what_a_stranger_sent_before_the_remote_address_was_known_is_forgotten);
    TEST(rtcp_with_an_association_of_its_own_has_its_own_keys);
    TEST(a_held_leg_is_sent_no_sound_and_missed_only_when_it_is_held_no_more);
    TEST(a_range_of_ports_is_used_up_and_freed);
    TEST(a_plain_leg_takes_packets_from_its_remote_address_only);
    TEST(all_of_a_burst_to_a_leg_is_read);
    TEST(rtcp_of_a_leg_goes_by_its_own_port_or_by_the_same);
    TEST(a_keyed_leg_is_where_its_authentic_packets_come_from);
}
