/* Legs come and go. */
#include "../../src/plane/events.h"

#include "client.h"
#include "tests.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void a_thousand_legs_come_and_go_and_no_handle_comes_again(void)
{
    struct mcu_plane *plane = new_plane();
    static int legs[1000], before[1000];
    struct mcu_plane_stats stats;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++) {
            char ufrag[16];
            snprintf(ufrag, sizeof ufrag, "u%d", i);
            legs[i] = mcu_plane_add_webrtc(plane, ufrag, "password", "them");
            CHECK(legs[i] > 0);
            for (int j = 0; round && j < 1000; j++)
                CHECK(legs[i] != before[j]);
        }
        mcu_plane_stats(plane, &stats);
        CHECK(stats.legs == 1000);
        for (int i = 0; i < 1000; i++)
            CHECK(mcu_plane_remove(plane, legs[(i * 7) % 1000]) == 0);
        CHECK(mcu_plane_remove(plane, legs[0]) == -1 && errno == ENOENT);
        memcpy(before, legs, sizeof legs);
    }
    mcu_plane_stats(plane, &stats);
    CHECK(stats.legs == 0);
    mcu_plane_free(plane);
}

static void a_full_table_takes_no_more_until_one_goes(void)
{
    struct mcu_plane *plane = new_plane();
    int last = 0;
    for (int i = 0; i < MCU_PLANE_LEGS; i++)
        last = mcu_plane_add_webrtc(plane, "same", "password", "them");
    CHECK(last > 0);
    CHECK(mcu_plane_add_webrtc(plane, "same", "password", "them") == -1 && errno == ENOSPC);
    CHECK(mcu_plane_remove(plane, last) == 0);
    CHECK(mcu_plane_add_webrtc(plane, "same", "password", "them") > 0);
    mcu_plane_free(plane);
}

static void what_is_gone_or_wrong_is_refused(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct mcu_stream_options options = {.source = MCU_AUDIO, .format_count = 1};
    const uint8_t keys[64] = {0};
    join(&client, plane, -1);
    CHECK(mcu_plane_add_stream(plane, client.leg, &options) == -1 && errno == EEXIST);
    options.format_count = 9;
    CHECK(mcu_plane_add_stream(plane, client.leg, &options) == -1 && errno == EINVAL);
    const int leg = client.leg;
    leave(&client);
    options.format_count = 1;
    CHECK(mcu_plane_add_stream(plane, leg, &options) == -1 && errno == ENOENT);
    CHECK(mcu_plane_set_keys(plane, leg, MCU_SRTP_AEAD_AES_128_GCM, keys, keys) == -1);
    CHECK(mcu_plane_send_dtls(plane, leg, false, keys, 20) == -1 && errno == ENOENT);
    CHECK(mcu_plane_want_key(plane, leg, MCU_CAMERA) == -1 && errno == ENOENT);
    CHECK(mcu_plane_limit(plane, leg, 1) == -1 && errno == ENOENT);
    CHECK(mcu_plane_sent_sequence(plane, leg) == -1 && errno == ENOENT);
    CHECK(mcu_plane_add_webrtc(plane, "", "password", "them") == -1 && errno == EINVAL);
    mcu_plane_free(plane);
}

static void a_codec_that_is_none_is_refused(void)
{
    struct mcu_plane *plane = new_plane();
    const int leg = mcu_plane_add_webrtc(plane, "ours", "password", "them");
    struct mcu_stream_options options = {
        .format_count = 2, .sends = true, .receives = true, .pixels_max = 1};
    for (int source = MCU_AUDIO; source < MCU_SOURCES; source++) {
        const int codecs[] = {-1, source == MCU_AUDIO ? MCU_AUDIO_CODECS : MCU_H264_MODE0 + 1};
        options.source = (enum mcu_source)source;
        for (int i = 0; i < 4; i++) {
            options.formats[0].codec = options.formats[1].codec = 0;
            options.formats[i / 2].codec = codecs[i % 2];
            CHECK(mcu_plane_add_stream(plane, leg, &options) == -1 && errno == EINVAL);
        }
    }
    options.source = MCU_AUDIO; /* sound is never sent again */
    options.formats[1] = (struct mcu_format){.payload_type = 1, .rtx = 2};
    CHECK(mcu_plane_add_stream(plane, leg, &options) == -1 && errno == EINVAL);
    mcu_plane_free(plane);
}

static void two_planes_cannot_have_one_port(void)
{
    struct mcu_plane *plane = new_plane();
    struct sockaddr_storage address = {0};
    *(struct sockaddr_in *)&address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct mcu_plane_options options = {
        .addresses = &address, .address_count = 1, .port = mcu_plane_port(plane)};
    CHECK(mcu_plane_new(&options) == NULL && errno == EADDRINUSE);
    mcu_plane_free(plane);
}

static void one_port_on_all_addresses(void)
{
    struct sockaddr_storage addresses[2] = {0};
    struct sockaddr_in *four = (struct sockaddr_in *)&addresses[0];
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&addresses[1];
    *four =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    *six = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    const struct mcu_plane_options options = {.addresses = addresses, .address_count = 2};
    struct mcu_plane *plane = mcu_plane_new(&options);
    CHECK(plane && mcu_plane_port(plane));
    mcu_plane_free(plane);
}

static void events_are_bounded_and_pictures_go_first(void)
{
    struct events *events = events_new();
    struct pollfd ready = {.fd = events_fd(events), .events = POLLIN};
    struct mcu_event event = {.kind = MCU_EVENT_PICTURE, .size = 1000};
    int pictures = 0, others = 0;
    CHECK(poll(&ready, 1, 0) == 0);
    for (int i = 0; i < MCU_PLANE_EVENTS; i++) {
        event.data = malloc(event.size);
        pictures += events_put(events, &event);
    }
    event = (struct mcu_event){.kind = MCU_EVENT_BYE};
    for (int i = 0; i < MCU_PLANE_EVENTS; i++)
        others += events_put(events, &event);
    CHECK(pictures == MCU_PLANE_EVENTS / 2 && pictures + others == MCU_PLANE_EVENTS);
    CHECK(events_dropped(events) == MCU_PLANE_EVENTS);
    CHECK(poll(&ready, 1, 0) == 1);
    for (int i = 0; events_take(events, &event); i++, free(event.data))
        CHECK((event.kind == MCU_EVENT_PICTURE) == (i < pictures)); /* oldest first */
    CHECK(poll(&ready, 1, 0) == 0);
    event = (struct mcu_event){.kind = MCU_EVENT_PICTURE, .size = MCU_PLANE_EVENT_BYTES};
    event.data = malloc(1);
    CHECK(events_put(events, &event));
    event.data = malloc(1);
    CHECK(!events_put(events, &event));
    events_free(events);
}

static void reports_wait_for_others(void)
{
    struct events *events = events_new();
    struct pollfd ready = {.fd = events_fd(events), .events = POLLIN};
    const struct mcu_event report = {.kind = MCU_EVENT_REPORT},
                           tick = {.kind = MCU_EVENT_COLLECTED};
    struct mcu_event event;
    int taken = 0;
    for (int turn = 0; turn < 2; turn++) {
        CHECK(events_put(events, &report) && events_put(events, &report));
        CHECK(poll(&ready, 1, 0) == 0);
        CHECK(events_put(events, &tick) && events_put(events, &report));
        CHECK(poll(&ready, 1, 0) == 1);
        while (events_take(events, &event))
            taken++;
        CHECK(poll(&ready, 1, 0) == 0);
    }
    CHECK(taken == 8);
    for (int i = 0; poll(&ready, 1, 0) == 0; i++) /* but not for ever */
        CHECK(i < MCU_PLANE_EVENTS && events_put(events, &report));
    events_free(events);
}

static void pictures_wait_for_others_but_not_for_ever(void)
{
    const struct mcu_event picture = {.kind = MCU_EVENT_PICTURE, .size = 800};
    struct mcu_event told[] = {picture, picture}, event;
    told[0].key = true;
    told[1].b = 1000; /* us that it waits for its sound */
    struct events *events = events_new();
    struct pollfd ready = {.fd = events_fd(events), .events = POLLIN};
    CHECK(events_wake(events) == INT64_MAX);
    CHECK(events_put(events, &picture) && poll(&ready, 1, 0) == 0);
    const int64_t wake = events_wake(events);
    CHECK(wake < INT64_MAX);
    events_remind(events, wake - 1);
    CHECK(poll(&ready, 1, 0) == 0);
    events_remind(events, wake);
    CHECK(poll(&ready, 1, 0) == 1 && events_wake(events) == INT64_MAX);
    CHECK(events_take(events, &event) && poll(&ready, 1, 0) == 0);
    for (int i = 0; i < 2; i++) {
        CHECK(events_put(events, &picture) && poll(&ready, 1, 0) == 0);
        CHECK(events_put(events, &told[i]) && poll(&ready, 1, 0) == 1);
        while (events_take(events, &event))
            continue;
    }
    events_remind(events, INT64_MAX); /* nothing waits */
    CHECK(poll(&ready, 1, 0) == 0);
    events_free(events);
}

/* -- removal while packets fly -- */

struct storm {
    struct client clients[8];
    atomic_bool ending;
};

static void *send_storm(void *argument)
{
    struct storm *storm = argument;
    const uint8_t piece[600] = {0x10, 1};
    for (unsigned i = 0; !atomic_load(&storm->ending); i++) {
        struct client *client = &storm->clients[i % 8];
        say(client, (int)(i % 100));
        show(client, VIDEO_TYPE, client->video_ssrc, (uint16_t)(i + i / 50), i % 5 == 0, piece,
             sizeof piece);
        if (i % 16 == 0)
            nanosleep(&(struct timespec){.tv_nsec = 300000}, NULL);
    }
    return NULL;
}

static void use(struct mcu_plane *plane, struct storm *storm, int room, int sound, int64_t at)
{
    static const int16_t samples[MCU_TICK];
    uint8_t picture[3000] = {0x10, 2, 0, 0x9D, 1, 0x2A, 64, 0, 48, 0};
    struct mcu_route routes[8];
    int legs[8];
    for (int i = 0; i < 8; i++) {
        legs[i] = storm->clients[i].leg;
        routes[i] = (struct mcu_route){.leg = legs[i], .sound = sound};
        mcu_plane_hear(plane, legs[i], room);
    }
    const struct mcu_mix mix = {.sound = sound, .samples = samples};
    mcu_plane_collect(plane, at, 0);
    mcu_plane_send(plane, at, &mix, 1, routes, 8);
    mcu_plane_send_picture(plane, MCU_CAMERA, legs, 8, false, picture, sizeof picture,
                           (uint32_t)at, true);
}

static void legs_are_removed_while_packets_fly(void)
{
    struct mcu_plane *plane = new_plane();
    static struct storm storm;
    memset(&storm, 0, sizeof storm);
    for (int i = 0; i < 8; i++)
        join(&storm.clients[i], plane, RTX_TYPE);
    const int room = mcu_plane_add_room(plane, 3), sound = mcu_plane_add_sound(plane, true);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, send_storm, &storm) == 0);
    for (int i = 0; i < 200; i++) {
        struct mcu_event event;
        struct mcu_plane_stats stats;
        use(plane, &storm, room, sound, i + 1);
        if (i % 25 == 24) /* the client goes on sending */
            CHECK(mcu_plane_remove(plane, storm.clients[i / 25].leg) == 0);
        while (mcu_plane_event(plane, &event))
            free(event.data);
        mcu_plane_stats(plane, &stats);
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    atomic_store(&storm.ending, true);
    pthread_join(thread, NULL);
    struct mcu_plane_stats stats;
    mcu_plane_stats(plane, &stats);
    CHECK(stats.legs == 0 && stats.drops[MCU_DROP_STRANGER] > 0);
    for (int i = 0; i < 8; i++)
        leave(&storm.clients[i]);
    mcu_plane_free(plane);
}

/* -- pictures while legs go -- */

struct showing {
    struct mcu_plane *plane;
    atomic_int stays, comes;
    atomic_bool ending;
};

static void *show_pictures(void *argument)
{
    struct showing *showing = argument;
    const uint8_t picture[60000] = {0x10, 2, 0, 0x9D, 1, 0x2A, 64, 0, 48, 0};
    for (uint32_t at = 0; !atomic_load(&showing->ending); at += 3000) {
        const int legs[] = {atomic_load(&showing->stays), atomic_load(&showing->comes)};
        CHECK(mcu_plane_send_picture(showing->plane, MCU_CAMERA, legs, 2, false, picture,
                                     sizeof picture, at, true) >= 0);
    }
    return NULL;
}

/* Legs share what they may have to send again: it is for TSan to see that they do so well. */
static void a_leg_goes_while_another_thread_shows_it_pictures(void)
{
    struct mcu_plane *plane = new_plane();
    struct showing showing = {.plane = plane};
    struct client stays, comes;
    pthread_t thread;
    join(&stays, plane, RTX_TYPE);
    atomic_store(&showing.stays, stays.leg);
    CHECK(pthread_create(&thread, NULL, show_pictures, &showing) == 0);
    for (int i = 0; i < 50; i++) {
        join(&comes, plane, RTX_TYPE);
        atomic_store(&showing.comes, comes.leg);
        while (stream_stats(plane, comes.leg, MCU_CAMERA, true).frames < 3)
            nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
        leave(&comes);
    }
    atomic_store(&showing.ending, true);
    pthread_join(thread, NULL);
    leave(&stays);
    mcu_plane_free(plane);
}

void life_tests(void)
{
    TEST(a_thousand_legs_come_and_go_and_no_handle_comes_again);
    TEST(a_full_table_takes_no_more_until_one_goes);
    TEST(what_is_gone_or_wrong_is_refused);
    TEST(two_planes_cannot_have_one_port);
    TEST(one_port_on_all_addresses);
    TEST(events_are_bounded_and_pictures_go_first);
    TEST(reports_wait_for_others);
    TEST(pictures_wait_for_others_but_not_for_ever);
    TEST(legs_are_removed_while_packets_fly);
    TEST(a_leg_goes_while_another_thread_shows_it_pictures);
    TEST(a_codec_that_is_none_is_refused);
}
