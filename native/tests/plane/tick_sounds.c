/* What is sent: routes that change with their tick, streams that take over without a click,
 * steps that wait, and handles that are gone. */
#include "tests.h"
#include "tick_phones.h"

#include "harness.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void send_one(struct studio *studio, int sound, const int16_t *samples,
                     const struct mcu_route *route)
{
    collect(studio);
    send_tick(studio, &(struct mcu_mix){.sound = sound, .samples = samples}, 1, route,
              route ? 1 : 0);
}

/* What was asked for before is done. */
static void drain(struct studio *studio)
{
    collect(studio);
    listen_all(studio);
}

static void a_route_changes_exactly_with_its_tick(void)
{
    struct studio *studio = open_studio();
    int16_t high[MCU_TICK], low[MCU_TICK];
    struct phone *phone = add_phone(studio, MCU_PCMA, false, false);
    const int sounds[2] = {mcu_plane_add_sound(studio->plane, false),
                           mcu_plane_add_sound(studio->plane, false)};
    const struct mcu_route stays[2] = {
        {add_phone(studio, MCU_PCMA, false, false)->leg, sounds[0]},
        {add_phone(studio, MCU_PCMA, false, false)->leg, sounds[1]}};
    bool expected[200];
    for (int at = 0; at < MCU_TICK; at++) {
        high[at] = 8000;
        low[at] = -8000;
    }
    const struct mcu_mix mixes[2] = {{sounds[0], high}, {sounds[1], low}};
    collect(studio);
    send_tick(studio, mixes, 2, stays, 2);
    for (int at = 0; at < 200; at++) {
        expected[at] = noise() % 2;
        const struct mcu_route route = {phone->leg, sounds[expected[at]]};
        drain(studio);
        send_tick(studio, mixes, 2, &route, 1);
    }
    drain(studio);
    CHECK(phone->heard_count == 200);
    int right = 0;
    for (size_t at = 0; at < phone->heard_count; at++)
        right += (phone->heard[at * MCU_TICK + MCU_TICK - 1] < 0) == expected[at] &&
                 phone->ticks[at] == (int64_t)at && phone->levels[at] == -1;
    CHECK(right == 200); /* -1: the level extension was not agreed */
    close_studio(studio);
}

/* The largest error of predicting a sine of 440 Hz from its last two samples, per tick. */
static double roughness(const struct phone *phone, size_t tick)
{
    const double turn = 2 * cos(2 * M_PI * 440 / MCU_RATE);
    const int16_t *row = &phone->heard[tick * MCU_TICK];
    double most = 0;
    for (int at = 0; at < MCU_TICK; at++)
        most = fmax(most, fabs(row[at] - turn * row[at - 1] + row[at - 2]));
    return most;
}

static void a_change_between_shared_and_own_stream_makes_no_click(void)
{
    enum { TICKS = 300, EVERY = 30 };
    struct studio *studio = open_studio();
    int16_t samples[MCU_TICK];
    double phase = 0, steady = 0, changing = 0;
    struct phone *phone = add_phone(studio, MCU_OPUS, true, false);
    struct phone *other = add_phone(studio, MCU_OPUS, true, false);
    const int shared = mcu_plane_add_sound(studio->plane, true),
              own = mcu_plane_add_sound(studio->plane, true);
    for (int at = 0; at < TICKS; at++) {
        const struct mcu_route routes[2] = {{phone->leg, at / EVERY % 2 ? own : shared},
                                            {other->leg, shared}};
        tone(samples, 440, 8000, &phase);
        const struct mcu_mix mixes[2] = {{shared, samples}, {own, samples}};
        drain(studio);
        send_tick(studio, mixes, 2, routes, 2);
    }
    drain(studio);
    CHECK(phone->heard_count == TICKS);
    for (size_t at = EVERY / 2; at < phone->heard_count; at++)
        if (at >= EVERY && at % EVERY < 3)
            changing = fmax(changing, roughness(phone, at));
        else if (at % EVERY > 10)
            steady = fmax(steady, roughness(phone, at));
    if (changing > 2 * steady)
        printf("roughness: %.1f at changes, %.1f between\n", changing, steady);
    CHECK(steady > 0 && changing <= 2 * steady);
    CHECK(phone->levels[TICKS - 1] == mcu_level(samples, MCU_TICK));
    close_studio(studio);
}

static void the_loudness_of_what_a_leg_heard_before_is_not_in_the_next_stream(void)
{
    struct studio *studio = open_studio();
    int16_t loud[MCU_TICK], quiet[MCU_TICK];
    double phases[2] = {0}, most = 0;
    struct phone *phone = add_phone(studio, MCU_OPUS, true, false);
    struct phone *other = add_phone(studio, MCU_OPUS, true, false);
    const int notice = mcu_plane_add_sound(studio->plane, false),
              room = mcu_plane_add_sound(studio->plane, true);
    const struct mcu_mix mixes[2] = {{notice, loud}, {room, quiet}};
    for (int at = 0; at < 60; at++) {
        const struct mcu_route routes[2] = {{phone->leg, at < 30 ? notice : room},
                                            {other->leg, room}};
        tone(loud, 440, 15000, &phases[0]);
        tone(quiet, 700, 1500, &phases[1]);
        drain(studio);
        send_tick(studio, mixes, 2, routes, 2);
    }
    drain(studio);
    CHECK(phone->heard_count == 60);
    for (size_t at = 31 * MCU_TICK; at < 60 * MCU_TICK; at++)
        most = fmax(most, abs(phone->heard[at] - other->heard[at]));
    CHECK(most < 150);
    close_studio(studio);
}

static void nothing_of_the_room_is_in_a_stream_for_those_outside(void)
{
    struct studio *studio = open_studio();
    int16_t loud[MCU_TICK], quiet[MCU_TICK] = {0};
    double phase = 0;
    struct phone *phone = add_phone(studio, MCU_OPUS, false, false);
    const int room = mcu_plane_add_sound(studio->plane, true),
              door = mcu_plane_add_sound(studio->plane, false);
    const struct mcu_route in = {phone->leg, room}, out = {phone->leg, door};
    for (int at = 0; at < 20; at++) {
        tone(loud, 440, 20000, &phase);
        send_one(studio, room, loud, &in);
    }
    drain(studio);
    const uint64_t before = studio->stats.audio_encodes;
    mcu_decoder_reset(phone->decoder); /* what it heard before is not what is sent */
    for (int at = 0; at < 5; at++)
        send_one(studio, door, quiet, &out);
    drain(studio);
    CHECK(studio->stats.audio_encodes - before == 5); /* none to prime it */
    CHECK(phone->heard_count == 25);
    CHECK(mcu_level(&phone->heard[20 * MCU_TICK], 5 * MCU_TICK) > 70);
    /* and back: the room's encoder has forgotten what it said, for nobody listened */
    send_one(studio, room, quiet, &in);
    drain(studio);
    CHECK(studio->stats.audio_encodes - before == 6);
    CHECK(mcu_level(&phone->heard[25 * MCU_TICK], MCU_TICK) > 70);
    close_studio(studio);
}

static void an_encoder_that_is_used_again_has_forgotten_its_stream(void)
{
    struct studio *studio = open_studio();
    int16_t loud[MCU_TICK], quiet[MCU_TICK] = {0};
    double phase = 0;
    struct phone *one = add_phone(studio, MCU_OPUS, false, false);
    struct phone *other = add_phone(studio, MCU_OPUS, false, false);
    const int first = mcu_plane_add_sound(studio->plane, false);
    for (int at = 0; at < 20; at++) {
        tone(loud, 440, 20000, &phase);
        send_one(studio, first, loud, &(struct mcu_route){one->leg, first});
    }
    drain(studio);
    CHECK(mcu_plane_remove_sound(studio->plane, first) == 0);
    drain(studio); /* its encoder waits for the next stream */
    const int second = mcu_plane_add_sound(studio->plane, false);
    send_one(studio, second, quiet, &(struct mcu_route){other->leg, second});
    drain(studio);
    CHECK(other->heard_count == 1 && mcu_level(other->heard, MCU_TICK) > 70);
    close_studio(studio);
}

static void silence_is_sent_without_an_encode_and_nothing_is_sent_without_a_mix(void)
{
    struct studio *studio = open_studio();
    const int16_t quiet[MCU_TICK] = {0};
    struct phone *phones[MCU_AUDIO_CODECS];
    struct mcu_route routes[MCU_AUDIO_CODECS];
    const int sound = mcu_plane_add_sound(studio->plane, true);
    for (int codec = 0; codec < MCU_AUDIO_CODECS; codec++) {
        phones[codec] = add_phone(studio, (enum mcu_audio_codec)codec, true, false);
        routes[codec] = (struct mcu_route){phones[codec]->leg, -1};
        errno = 0;
        CHECK(mcu_plane_sent_sequence(studio->plane, phones[codec]->leg) == -1 && !errno);
    }
    const uint64_t before = studio->stats.audio_encodes;
    for (int at = 0; at < 5; at++) {
        collect(studio);
        send_tick(studio, NULL, 0, routes, MCU_AUDIO_CODECS);
    }
    drain(studio);
    CHECK(studio->stats.audio_encodes == before);
    for (int codec = 0; codec < MCU_AUDIO_CODECS; codec++) {
        struct phone *phone = phones[codec];
        CHECK(phone->heard_count == 5 && phone->levels[4] == 127);
        CHECK(mcu_level(phone->heard, 5 * MCU_TICK) > 60);
        CHECK((mcu_plane_sent_sequence(studio->plane, phone->leg) & 0xffff) ==
              phone->sequences[4]);
        routes[codec].sound = sound;
    }
    collect(studio);
    send_tick(studio, NULL, 0, routes, MCU_AUDIO_CODECS); /* a stream without a mix */
    drain(studio);
    send_one(studio, sound, quiet, NULL);
    drain(studio);
    for (int codec = 0; codec < MCU_AUDIO_CODECS; codec++) {
        const struct phone *phone = phones[codec];
        CHECK(phone->heard_count == 6);
        CHECK(phone->ticks[5] - phone->ticks[4] > 1); /* its time passed */
        CHECK((uint16_t)(phone->sequences[5] - phone->sequences[4]) == 1);
    }
    close_studio(studio);
}

static void each_tick_that_cannot_be_sent_to_a_leg_is_told(void)
{
    struct studio *studio = open_studio();
    const int16_t quiet[MCU_TICK] = {0};
    const struct mcu_stream_options stream = {
        .source = MCU_AUDIO,
        .formats = {{.payload_type = 0, .codec = MCU_PCMU}},
        .format_count = 1,
        .sends = true};
    uint16_t rtp_port, rtcp_port;
    const int leg = mcu_plane_add_rtp(studio->plane, AF_INET, &rtp_port, &rtcp_port);
    CHECK(mcu_plane_add_stream(studio->plane, leg, &stream) == 0); /* and it is nowhere yet */
    const int sound = mcu_plane_add_sound(studio->plane, true);
    send_one(studio, sound, quiet, &(struct mcu_route){leg, sound});
    send_one(studio, sound, quiet, NULL);
    drain(studio);
    CHECK(studio->unsent == 2);
    CHECK(studio->stats.audio_encodes == 0);
    close_studio(studio);
}

static void a_leg_that_is_routed_to_what_is_gone_hears_nothing(void)
{
    struct studio *studio = open_studio();
    const int16_t quiet[MCU_TICK] = {0};
    struct phone *phone = add_phone(studio, MCU_OPUS, false, false);
    const int room = mcu_plane_add_sound(studio->plane, true),
              gone = mcu_plane_add_sound(studio->plane, true);
    send_one(studio, room, quiet, &(struct mcu_route){phone->leg, room});
    CHECK(mcu_plane_remove_sound(studio->plane, gone) == 0);
    errno = 0;
    CHECK(mcu_plane_remove_sound(studio->plane, gone) == -1 && errno == ENOENT);
    send_one(studio, room, quiet, &(struct mcu_route){phone->leg, gone});
    send_one(studio, room, quiet, &(struct mcu_route){phone->leg + 1000, room});
    drain(studio);
    CHECK(phone->heard_count == 1);
    /* a stream that is removed is sent what it was given before */
    send_one(studio, room, quiet, &(struct mcu_route){phone->leg, room});
    CHECK(mcu_plane_remove_sound(studio->plane, room) == 0);
    send_one(studio, room, quiet, NULL);
    drain(studio);
    CHECK(phone->heard_count == 2);
    CHECK(mcu_plane_remove(studio->plane, phone->leg) == 0);
    errno = 0;
    CHECK(mcu_plane_sent_sequence(studio->plane, phone->leg) == -1 && errno == ENOENT);
    close_studio(studio);
}

static int64_t microseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void what_is_removed_before_a_step_that_is_not_due_waits_for_it_at_no_cost(void)
{
    enum { AHEAD = 200000 };
    struct studio *studio = open_studio();
    const int16_t quiet[MCU_TICK] = {0};
    struct phone *phone = add_phone(studio, MCU_OPUS, false, false);
    const int sound = mcu_plane_add_sound(studio->plane, true);
    const int64_t due = microseconds(CLOCK_MONOTONIC) + AHEAD;
    CHECK(mcu_plane_collect(studio->plane, ++studio->tick, due) == 0);
    send_tick(studio, &(struct mcu_mix){.sound = sound, .samples = quiet}, 1,
              &(struct mcu_route){phone->leg, sound}, 1);
    CHECK(mcu_plane_remove_sound(studio->plane, sound) == 0);
    const int64_t before = microseconds(CLOCK_PROCESS_CPUTIME_ID);
    while (microseconds(CLOCK_MONOTONIC) < due)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    CHECK(microseconds(CLOCK_PROCESS_CPUTIME_ID) - before < AHEAD / 4);
    drain(studio);
    CHECK(phone->heard_count == 1);
    close_studio(studio);
}

static void what_is_asked_of_a_thread_that_is_too_far_behind_is_refused_and_counted(void)
{
    enum { SOUNDS = 40, ASKED = 20 };
    struct studio *studio = open_studio();
    static int16_t loud[MCU_TICK];
    struct mcu_mix mixes[SOUNDS];
    struct mcu_route routes[SOUNDS];
    int refused = 0;
    for (int at = 0; at < MCU_TICK; at++)
        loud[at] = (int16_t)between(-20000, 20000);
    for (int at = 0; at < SOUNDS; at++) {
        mixes[at] = (struct mcu_mix){mcu_plane_add_sound(studio->plane, true), loud};
        routes[at] = (struct mcu_route){add_phone(studio, MCU_OPUS, false, false)->leg,
                                        mixes[at].sound};
    }
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); /* it is behind: with a step that is not yet due */
    const int64_t due = now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000 + 300000;
    CHECK(mcu_plane_collect(studio->plane, 0, due) == 0);
    for (int at = 0; at < ASKED; at++)
        if (mcu_plane_send(studio->plane, at, mixes, SOUNDS, routes, SOUNDS) < 0) {
            CHECK(errno == EAGAIN);
            refused++;
        }
    CHECK(refused == ASKED - MCU_PLANE_BEHIND);
    mcu_plane_stats(studio->plane, &studio->stats);
    CHECK(studio->stats.drops[MCU_DROP_TICK] == (uint64_t)refused);
    listen_until(studio, &studio->phones[0], (size_t)(ASKED - refused));
    drain(studio); /* the thread is at hand again */
    CHECK((int)studio->phones[0].heard_count == ASKED - refused);
    close_studio(studio);
}

static void a_stream_that_is_removed_is_sent_all_that_was_asked_for_before(void)
{
    enum { SOUNDS = 30 };
    struct studio *studio = open_studio();
    static const int16_t quiet[MCU_TICK];
    struct mcu_mix mixes[SOUNDS];
    struct mcu_route routes[SOUNDS];
    for (int at = 0; at < SOUNDS; at++) {
        mixes[at] = (struct mcu_mix){mcu_plane_add_sound(studio->plane, true), quiet};
        routes[at] = (struct mcu_route){add_phone(studio, MCU_OPUS, false, false)->leg,
                                        mixes[at].sound};
    }
    for (int at = 0; at < 3; at++)
        send_tick(studio, mixes, SOUNDS, routes, SOUNDS);
    for (int at = 0; at < SOUNDS; at++)
        CHECK(mcu_plane_remove_sound(studio->plane, mixes[at].sound) == 0);
    send_tick(studio, mixes, SOUNDS, routes, SOUNDS);
    drain(studio);
    for (int at = 0; at < SOUNDS; at++)
        CHECK(studio->phones[at].heard_count == 3);
    close_studio(studio);
}

/* -- many threads -- */

static void *come_and_go(void *argument)
{
    struct studio *studio = argument;
    for (int at = 0; at < 150; at++) {
        const int room = mcu_plane_add_room(studio->plane, 2),
                  sound = mcu_plane_add_sound(studio->plane, at % 2);
        const int leg = studio->phones[at % 4].leg;
        CHECK(room > 0 && sound > 0);
        CHECK(mcu_plane_hear(studio->plane, leg, room) == 0);
        const int16_t samples[MCU_TICK] = {1, 2, 3};
        (void)mcu_plane_collect(studio->plane, at, 0);
        (void)mcu_plane_send(studio->plane, at, &(struct mcu_mix){sound, samples}, 1,
                             &(struct mcu_route){leg, sound}, 1);
        CHECK(mcu_plane_remove_sound(studio->plane, sound) == 0);
        CHECK(mcu_plane_remove_room(studio->plane, room) == 0);
    }
    return NULL;
}

static void *speak(void *argument)
{
    struct studio *studio = argument;
    for (int at = 0; at < 150; at++) {
        for (int phone = 0; phone < 4; phone++)
            speak_tick(&studio->phones[phone]);
        sched_yield();
    }
    return NULL;
}

static void rooms_and_streams_come_and_go_while_others_speak(void)
{
    struct studio *studio = open_studio();
    pthread_t threads[3];
    for (int at = 0; at < 4; at++) {
        struct phone *phone = add_phone(studio, MCU_OPUS, at % 2, at > 1);
        phone->hertz = 300 + 100 * at;
        phone->amplitude = 9000;
    }
    pthread_create(&threads[0], NULL, come_and_go, studio);
    pthread_create(&threads[1], NULL, come_and_go, studio);
    pthread_create(&threads[2], NULL, speak, studio);
    for (int at = 0; at < 3; at++)
        pthread_join(threads[at], NULL);
    mcu_plane_stats(studio->plane, &studio->stats);
    CHECK(studio->stats.rooms == 0);
    CHECK(mcu_plane_remove(studio->plane, studio->phones[0].leg) == 0);
    close_studio(studio);
}

void tick_sounds_tests(void)
{
    TEST(a_route_changes_exactly_with_its_tick);
    TEST(a_change_between_shared_and_own_stream_makes_no_click);
    TEST(the_loudness_of_what_a_leg_heard_before_is_not_in_the_next_stream);
    TEST(nothing_of_the_room_is_in_a_stream_for_those_outside);
    TEST(an_encoder_that_is_used_again_has_forgotten_its_stream);
    TEST(silence_is_sent_without_an_encode_and_nothing_is_sent_without_a_mix);
    TEST(each_tick_that_cannot_be_sent_to_a_leg_is_told);
    TEST(a_leg_that_is_routed_to_what_is_gone_hears_nothing);
    TEST(what_is_removed_before_a_step_that_is_not_due_waits_for_it_at_no_cost);
    TEST(what_is_asked_of_a_thread_that_is_too_far_behind_is_refused_and_counted);
    TEST(a_stream_that_is_removed_is_sent_all_that_was_asked_for_before);
    TEST(rooms_and_streams_come_and_go_while_others_speak);
}
