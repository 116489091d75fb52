/* Legs that come by TCP: what is proved, what is bounded, what a slow reader loses. */
#include "../../src/plane/tcp.h"

#include "client.h"
#include "tests.h"

#include <mcu/framing.h>

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Whether the plane ends the connection in time. */
static bool ended(int fd, int patience_ms)
{
    uint8_t rest[4096];
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (poll(&ready, 1, patience_ms) > 0)
        if (recv(fd, rest, sizeof rest, MSG_DONTWAIT) <= 0)
            return true;
    return false;
}

static void route(struct client *client, int sound, int64_t tick)
{
    static const int16_t samples[MCU_TICK];
    const struct mcu_mix mix = {.sound = sound, .samples = samples};
    const struct mcu_route to = {.leg = client->leg, .sound = sound};
    while (mcu_plane_send(client->plane, tick, &mix, 1, &to, 1))
        usleep(1000);
}

static void a_leg_comes_and_goes_by_tcp_as_by_udp(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client, stream;
    struct packet packet;
    add_client(&client, plane, -1);
    CHECK(mcu_plane_tcp_port(plane) == mcu_plane_port(plane));
    connect_stream(&stream, &client);
    CHECK(check(&stream, true) == 200);
    CHECK(said(plane, MCU_EVENT_PROVED, client.leg, PATIENCE_MS));
    set_keys(&stream);
    be_heard(&stream, 2);
    for (int i = 0; i < 5; i++)
        say(&stream, 10);
    CHECK(received(&stream, MCU_AUDIO, 5));
    route(&stream, mcu_plane_add_sound(plane, false), 1000);
    CHECK(receive_rtp(&stream, AUDIO_TYPE, &packet, PATIENCE_MS));
    close(client.fd);
    leave(&stream);
    mcu_plane_free(plane);
}

static void a_leg_moves_between_udp_and_tcp(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client, stream;
    struct packet packet;
    join(&client, plane, -1);
    const int sound = mcu_plane_add_sound(plane, false);
    connect_stream(&stream, &client);
    CHECK(check(&stream, false) == 200); /* checked, not nominated */
    CHECK(!said(plane, MCU_EVENT_MOVED, client.leg, QUIET_MS));
    CHECK(check(&stream, true) == 200);
    CHECK(said(plane, MCU_EVENT_MOVED, client.leg, PATIENCE_MS));
    route(&client, sound, 1);
    CHECK(receive_rtp(&stream, AUDIO_TYPE, &packet, PATIENCE_MS));
    CHECK(check(&client, true) == 200);
    CHECK(said(plane, MCU_EVENT_MOVED, client.leg, PATIENCE_MS));
    route(&client, sound, 2);
    CHECK(receive_rtp(&client, AUDIO_TYPE, &packet, PATIENCE_MS));
    close(stream.fd);
    leave(&client);
    mcu_plane_free(plane);
}

static void a_leg_whose_connection_breaks_is_where_it_is_heard_next(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client, stream, again;
    struct packet packet;
    add_client(&client, plane, -1);
    connect_stream(&stream, &client);
    CHECK(check(&stream, true) == 200);
    set_keys(&stream);
    close(stream.fd);
    usleep(QUIET_MS * 1000);
    route(&stream, mcu_plane_add_sound(plane, false), 1);
    CHECK(drops(plane, MCU_DROP_UNSENT, 1));
    connect_stream(&again, &stream);
    CHECK(check(&again, false) == 200); /* at once, and without nomination */
    CHECK(said(plane, MCU_EVENT_MOVED, client.leg, PATIENCE_MS));
    route(&again, mcu_plane_add_sound(plane, false), 2);
    CHECK(receive_rtp(&again, AUDIO_TYPE, &packet, PATIENCE_MS));
    CHECK(dropped(plane, MCU_DROP_CONNECTION) == 0);
    close(client.fd);
    leave(&again);
    mcu_plane_free(plane);
}

static void a_stream_is_read_however_it_is_cut(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client, stream;
    uint8_t frames[4096];
    size_t size = 0;
    add_client(&client, plane, -1);
    connect_stream(&stream, &client);
    CHECK(check(&stream, true) == 200);
    set_keys(&stream);
    be_heard(&stream, 2);
    for (int i = 0; i < 20; i++) {
        const size_t length = make_sound(&stream, 10, frames + size + 2);
        frames[size] = 0;
        frames[size + 1] = (uint8_t)length;
        size += length + 2;
    }
    for (size_t at = 0, piece = 1; at < size; at += piece, piece = piece % 61 + 7) {
        const size_t bytes = size - at < piece ? size - at : piece;
        CHECK(send(stream.fd, frames + at, bytes, 0) == (ssize_t)bytes);
        usleep(500);
    }
    CHECK(received(&stream, MCU_AUDIO, 20));
    close(client.fd);
    leave(&stream);
    mcu_plane_free(plane);
}

static void a_false_greeting_is_answered_and_datagrams_follow(void)
{
    static const uint8_t start[] = {0x80, 0x46, 1, 3, 1, 0, 0x2D, 0, 0, 0, 0x10};
    struct mcu_plane *plane = new_plane();
    struct client client, stream;
    uint8_t hello[MCU_GREETING] = {0}, answer[MCU_GREETED];
    memcpy(hello, start, sizeof start);
    add_client(&client, plane, -1);
    connect_stream(&stream, &client);
    CHECK(send(stream.fd, hello, 20, 0) == 20);
    usleep(20000);
    CHECK(send(stream.fd, hello + 20, sizeof hello - 20, 0) == (ssize_t)sizeof hello - 20);
    CHECK(recv(stream.fd, answer, sizeof answer, MSG_WAITALL) == MCU_GREETED);
    CHECK(memcmp(answer, mcu_greeted, MCU_GREETED) == 0);
    CHECK(check(&stream, true) == 200);
    CHECK(said(plane, MCU_EVENT_PROVED, client.leg, PATIENCE_MS));
    close(stream.fd);
    leave(&client);
    mcu_plane_free(plane);
}

static void what_is_none_of_ours_is_ended_at_once_and_counted(void)
{
    static const char *const others[] = {"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02",
                                         "\xff\xff\xff"};
    struct mcu_plane *plane = new_plane();
    struct client client, stream;
    add_client(&client, plane, -1);
    for (int i = 0; i < 3; i++) {
        connect_stream(&stream, &client);
        CHECK(send(stream.fd, others[i], strlen(others[i]), 0) > 0);
        CHECK(ended(stream.fd, PATIENCE_MS));
        close(stream.fd);
    }
    CHECK(drops(plane, MCU_DROP_CONNECTION, 3));
    leave(&client);
    mcu_plane_free(plane);
}

static void a_connection_that_nobody_proves_may_not_say_much(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client, stream;
    const uint8_t nothing[1000] = {0};
    add_client(&client, plane, -1);
    connect_stream(&stream, &client);
    CHECK(check_as(&stream, "nobody:them", "a password", true) == 0);
    for (int i = 0; i <= TCP_UNPROVED_BYTES / 1000; i++)
        send_raw(&stream, nothing, sizeof nothing);
    CHECK(ended(stream.fd, PATIENCE_MS));
    CHECK(drops(plane, MCU_DROP_CONNECTION, 1));
    CHECK(dropped(plane, MCU_DROP_STUN_UNKNOWN) == 1);
    close(stream.fd);
    leave(&client);
    mcu_plane_free(plane);
}

/* More connections than may wait: the oldest goes, and who has something to show comes in. */
static void idle_connections_make_room_for_who_proves_itself(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096;
    setrlimit(RLIMIT_NOFILE, &files);
    struct mcu_plane *plane = new_plane();
    struct client client, stream;
    struct client *idle = calloc(TCP_UNPROVED, sizeof *idle);
    add_client(&client, plane, -1);
    for (int i = 0; i < TCP_UNPROVED; i++)
        connect_stream(&idle[i], &client);
    connect_stream(&stream, &client);
    CHECK(check(&stream, true) == 200);
    CHECK(ended(idle[0].fd, PATIENCE_MS));
    CHECK(!ended(idle[TCP_UNPROVED - 1].fd, 0));
    CHECK(dropped(plane, MCU_DROP_CONNECTION) == 1);
    for (int i = 0; i < TCP_UNPROVED; i++)
        close(idle[i].fd);
    free(idle);
    close(stream.fd);
    leave(&client);
    mcu_plane_free(plane);
}

static void a_connection_ends_when_its_leg_has_been_gone_for_a_while(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client, stream, silent;
    add_client(&client, plane, -1);
    connect_stream(&silent, &client);
    connect_stream(&stream, &client);
    CHECK(check(&stream, true) == 200);
    mcu_plane_remove(plane, client.leg);
    CHECK(!ended(stream.fd, QUIET_MS)); /* the last it is told still comes */
    CHECK(ended(stream.fd, TCP_UNPROVED_US / 1000 + PATIENCE_MS));
    CHECK(ended(silent.fd, PATIENCE_MS)); /* and who never proved a leg, likewise */
    CHECK(dropped(plane, MCU_DROP_CONNECTION) == 1);
    close(silent.fd);
    close(stream.fd);
    leave(&client);
    mcu_plane_free(plane);
}

/* Pictures leave at their pace: how many packets were not taken once the last has left. */
static uint64_t unsent_in_the_end(struct mcu_plane *plane)
{
    uint64_t before, now = dropped(plane, MCU_DROP_UNSENT);
    do {
        before = now;
        usleep(5 * QUIET_MS * 1000);
        now = dropped(plane, MCU_DROP_UNSENT);
    } while (now != before);
    return now;
}

/* A leg that does not read: pictures go first, and it is told; the connection last. Another
 * leg's sound comes meanwhile. */
static void a_slow_reader_loses_pictures_first_then_the_connection(void)
{
    struct mcu_plane *plane = new_plane();
    struct client slow, stream, other;
    struct packet packet;
    static uint8_t picture[60000] = {0x10, 0, 0, 0x9D, 1, 0x2A, 0x80, 2, 0x68, 1};
    add_client(&slow, plane, 0);
    connect_stream(&stream, &slow);
    CHECK(check(&stream, true) == 200);
    set_keys(&stream);
    join(&other, plane, -1);
    int pictures = 0, whole = 0;
    for (; pictures < 1000 && !dropped(plane, MCU_DROP_UNSENT); pictures++, usleep(20000))
        whole += mcu_plane_send_picture(plane, MCU_CAMERA, &slow.leg, 1, false, picture,
                                        sizeof picture, 3000, true);
    CHECK(whole > 1 && pictures < 1000);
    CHECK(said(plane, MCU_EVENT_KEY_WANTED, slow.leg, PATIENCE_MS));
    const int sound = mcu_plane_add_sound(plane, false);
    const struct mcu_route to = {.leg = other.leg, .sound = sound};
    CHECK(mcu_plane_send(plane, 1, NULL, 0, &to, 1) == 0);
    const uint64_t unsent = unsent_in_the_end(plane);
    route(&slow, sound, 2); /* sound still goes */
    CHECK(receive_rtp(&other, AUDIO_TYPE, &packet, PATIENCE_MS));
    CHECK(dropped(plane, MCU_DROP_UNSENT) == unsent);
    for (int64_t t = 3; t < 3000 && !dropped(plane, MCU_DROP_SLOW); t++)
        route(&slow, sound, t);
    CHECK(drops(plane, MCU_DROP_SLOW, 1));
    int came = 0;
    while (receive_rtp(&other, AUDIO_TYPE, &packet, QUIET_MS))
        came++;
    CHECK(came > 100);
    close(slow.fd);
    leave(&stream);
    leave(&other);
    mcu_plane_free(plane);
}

/* What waited in the ring comes whole and in order once it is read. */
static void what_waited_comes_whole_and_in_order(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client, stream;
    struct packet packet;
    static uint8_t picture[50000] = {0x10, 0, 0, 0x9D, 1, 0x2A, 0x80, 2, 0x68, 1};
    add_client(&client, plane, 0);
    connect_stream(&stream, &client);
    CHECK(check(&stream, true) == 200);
    set_keys(&stream);
    int pictures = 0;
    while (mcu_plane_send_picture(plane, MCU_CAMERA, &client.leg, 1, false, picture,
                                  sizeof picture, (uint32_t)pictures * 3000, true) == 1)
        pictures++;
    int markers = 0, last = -1;
    while (receive_rtp(&stream, VIDEO_TYPE, &packet, QUIET_MS * 3)) {
        CHECK(last < 0 || packet.rtp.sequence == (uint16_t)(last + 1));
        last = packet.rtp.sequence;
        markers += packet.rtp.marker;
    }
    CHECK(markers > 0);
    /* but what its line had no room for, and the one that was refused */
    CHECK(markers + (int)dropped(plane, MCU_DROP_PACED) == pictures + 1);
    close(client.fd);
    leave(&stream);
    mcu_plane_free(plane);
}

static void where_the_port_is_another_programs_there_is_no_tcp(void)
{
    struct sockaddr_in taken = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof taken;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(fd, (struct sockaddr *)&taken, size) == 0 && listen(fd, 1) == 0 &&
          getsockname(fd, (struct sockaddr *)&taken, &size) == 0);
    struct sockaddr_storage address = {0};
    memcpy(&address, &taken, sizeof taken);
    struct mcu_plane_options options = {
        .addresses = &address, .address_count = 1, .port = ntohs(taken.sin_port)};
    struct mcu_plane *plane = mcu_plane_new(&options);
    CHECK(plane && mcu_plane_tcp_port(plane) == 0);
    mcu_plane_free(plane);
    options.tcp_port = options.port; /* that one and no other */
    CHECK(!mcu_plane_new(&options));
    close(fd);
}

void tcp_tests(void)
{
    TEST(a_leg_comes_and_goes_by_tcp_as_by_udp);
    TEST(a_leg_moves_between_udp_and_tcp);
    TEST(a_leg_whose_connection_breaks_is_where_it_is_heard_next);
    TEST(a_stream_is_read_however_it_is_cut);
    TEST(a_false_greeting_is_answered_and_datagrams_follow);
    TEST(what_is_none_of_ours_is_ended_at_once_and_counted);
    TEST(a_connection_that_nobody_proves_may_not_say_much);
    TEST(idle_connections_make_room_for_who_proves_itself);
    TEST(a_connection_ends_when_its_leg_has_been_gone_for_a_while);
    TEST(a_slow_reader_loses_pictures_first_then_the_connection);
    TEST(what_waited_comes_whole_and_in_order);
    TEST(where_the_port_is_another_programs_there_is_no_tcp);
}
