/* Who is heard: rooms, the loudest, levels that are checked, and the mixes to those who
 * listen. */
#include "tests.h"
#include "tick_phones.h"

#include "harness.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define TALKERS 3
#define LISTENERS 20

/* Mixes as Python does: streams[0] is the room's, streams[i + 1] what talker i hears. */
struct room_mix {
    int room, streams[TALKERS + 1];
    int16_t samples[TALKERS + 1][MCU_TICK];
    struct mcu_mix mixes[TALKERS + 1];
};

static int16_t limited(int sum)
{
    return (int16_t)(sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum);
}

static const int16_t *row_of(const struct studio *studio, int leg)
{
    for (size_t at = 0; at < studio->talking; at++)
        if (studio->talkers[at].leg == leg)
            return studio->samples[at];
    return NULL;
}

static void mix(const struct studio *studio, struct room_mix *mix)
{
    for (int sample = 0; sample < MCU_TICK; sample++) {
        int sum = 0;
        for (size_t at = 0; at < studio->talking; at++)
            sum += studio->samples[at][sample];
        mix->samples[0][sample] = limited(sum);
        for (int at = 0; at < TALKERS; at++) {
            const int16_t *own = row_of(studio, studio->phones[at].leg);
            mix->samples[at + 1][sample] = limited(sum - (own ? own[sample] : 0));
        }
    }
    for (int at = 0; at <= TALKERS; at++)
        mix->mixes[at] =
            (struct mcu_mix){.sound = mix->streams[at], .samples = mix->samples[at]};
}

/* Everybody in one room, all routed: talkers to their own streams, the others to the room's.
 */
static void seat(struct studio *studio, struct room_mix *mix, int loudest)
{
    struct mcu_route routes[PHONES];
    mix->room = mcu_plane_add_room(studio->plane, loudest);
    for (int at = 0; at <= TALKERS; at++)
        mix->streams[at] = mcu_plane_add_sound(studio->plane, true);
    for (size_t at = 0; at < studio->count; at++) {
        CHECK(mcu_plane_hear(studio->plane, studio->phones[at].leg, mix->room) == 0);
        routes[at] = (struct mcu_route){studio->phones[at].leg,
                                        mix->streams[at < TALKERS ? at + 1 : 0]};
    }
    send_tick(studio, NULL, 0, routes, studio->count);
}

static void talk(struct studio *studio, struct room_mix *room, int ticks)
{
    for (int at = 0; at < ticks; at++) {
        for (size_t phone = 0; phone < studio->count; phone++)
            if (studio->phones[phone].hertz > 0)
                speak_tick(&studio->phones[phone]);
        wait_tick(studio);
        collect(studio);
        mix(studio, room);
        send_tick(studio, room->mixes, TALKERS + 1, NULL, 0);
        listen_all(studio);
    }
}

static const double tones[TALKERS] = {440, 740, 1180};

static struct studio *with_talkers(enum mcu_audio_codec codec, bool levelled, bool keyed)
{
    struct studio *studio = open_studio();
    for (int at = 0; at < TALKERS; at++) {
        struct phone *phone = add_phone(studio, codec, levelled, keyed);
        phone->hertz = tones[at];
        phone->amplitude = 4000;
    }
    return studio;
}

static bool hears(const struct phone *phone, int but)
{
    for (int at = 0; at < TALKERS; at++) {
        const double heard = strength(phone, tones[at], 20);
        if (at == but ? heard > 150 : heard < 2500 || heard > 5500)
            return false;
    }
    return true;
}

/* Talks until all hear all others, for some seconds at most: the machine may be busy. */
static bool all_hear(struct studio *studio, struct room_mix *room)
{
    for (int rounds = 0; rounds < 10; rounds++) {
        size_t right = 0;
        for (size_t at = 0; at < studio->count; at++)
            right += hears(&studio->phones[at], at < TALKERS ? (int)at : -1);
        if (right == studio->count)
            return true;
        talk(studio, room, 20);
    }
    return false;
}

static bool in_order(const struct phone *phone)
{
    for (size_t at = 1; at < phone->heard_count; at++)
        if (phone->ticks[at] != (int64_t)at ||
            phone->sequences[at] != (uint16_t)(phone->sequences[0] + at))
            return false;
    return true;
}

/* -- tests -- */

static void everyone_hears_everyone_else_with_one_encode_a_talker_and_one_for_the_room(void)
{
    struct studio *studio = with_talkers(MCU_OPUS, true, false);
    struct room_mix room;
    for (int at = 0; at < LISTENERS; at++)
        add_phone(studio, MCU_OPUS, true, at % 2);
    seat(studio, &room, TALKERS);
    talk(studio, &room, 50);
    const struct mcu_plane_stats before = studio->stats;
    talk(studio, &room, 25);
    CHECK(studio->stats.audio_encodes - before.audio_encodes == 25 * (TALKERS + 1));
    CHECK(studio->stats.audio_decodes - before.audio_decodes <= 25 * TALKERS);
    for (size_t at = 0; at < studio->count; at++) {
        listen_until(studio, &studio->phones[at], 75);
        CHECK(studio->phones[at].heard_count == 75);
        CHECK(in_order(&studio->phones[at]));
    }
    CHECK(all_hear(studio, &room));
    CHECK(studio->unsent == 0);
    close_studio(studio);
}

static void telephones_without_levels_are_heard_each_in_its_codec(void)
{
    struct studio *studio = with_talkers(MCU_PCMA, false, false);
    struct room_mix room;
    const enum mcu_audio_codec codecs[] = {MCU_OPUS, MCU_G722, MCU_PCMA, MCU_PCMU};
    for (int at = 0; at < 8; at++)
        add_phone(studio, codecs[at % 4], false, false);
    seat(studio, &room, TALKERS);
    talk(studio, &room, 50);
    const uint64_t before = studio->stats.audio_encodes;
    talk(studio, &room, 25);
    CHECK(studio->stats.audio_encodes - before == 25 * (TALKERS + 4));
    CHECK(all_hear(studio, &room));
    close_studio(studio);
}

static void packets_of_those_who_are_not_among_the_loudest_are_not_decrypted(void)
{
    struct studio *studio = with_talkers(MCU_OPUS, true, true);
    struct room_mix room;
    for (int at = 0; at < TALKERS; at++) {
        struct phone *quiet = add_phone(studio, MCU_OPUS, true, true);
        quiet->hertz = 2000;
        quiet->amplitude = 60;
    }
    seat(studio, &room, TALKERS);
    talk(studio, &room, 25);
    const uint64_t before = studio->stats.drops[MCU_DROP_SKIPPED];
    talk(studio, &room, 25);
    CHECK(studio->stats.drops[MCU_DROP_SKIPPED] - before > 25 * TALKERS - 8);
    CHECK(strength(&studio->phones[TALKERS], 2000, 20) < 30);
    studio->phones[TALKERS].amplitude = 20000; /* and now loudest of all */
    studio->phones[0].amplitude = 0;
    talk(studio, &room, 45);
    CHECK(strength(&studio->phones[TALKERS + 1], 2000, 20) > 10000);
    close_studio(studio);
}

static void who_claims_to_be_loud_and_is_silent_keeps_nobody_from_being_heard(void)
{
    struct studio *studio = with_talkers(MCU_OPUS, true, false);
    struct room_mix room;
    for (int at = 1; at < TALKERS; at++) {
        studio->phones[at].amplitude = 0;
        studio->phones[at].claims = 1;
    }
    struct phone *listener = add_phone(studio, MCU_OPUS, true, false);
    seat(studio, &room, 2);
    bool heard = false;
    for (int at = 0; at < 48; at++) { /* before two standings could fade by themselves */
        talk(studio, &room, 1);
        heard |= row_of(studio, studio->phones[0].leg) != NULL;
    }
    CHECK(heard);
    talk(studio, &room, 40);
    CHECK(strength(listener, tones[0], 20) > 2500);
    close_studio(studio);
}

static void who_is_chosen_is_decrypted_also_where_it_is_quiet(void)
{
    struct studio *studio = with_talkers(MCU_OPUS, true, true);
    struct room_mix room;
    seat(studio, &room, TALKERS);
    talk(studio, &room, 25);
    const uint64_t before = studio->stats.drops[MCU_DROP_SKIPPED];
    for (int at = 0; at < 24; at++) {
        studio->phones[0].amplitude =
            at % 4 ? 20 : 4000; /* 20: quieter than who starts to talk */
        talk(studio, &room, 1);
    }
    CHECK(studio->stats.drops[MCU_DROP_SKIPPED] == before);
    close_studio(studio);
}

/* `decoded`: so many of them have to be, in each tick. */
static void is_as_loud_as_it_is(enum mcu_audio_codec codec, int decoded)
{
    struct studio *studio = with_talkers(codec, false, false);
    struct room_mix room;
    struct phone *listener = add_phone(studio, MCU_OPUS, false, false);
    studio->phones[0].amplitude = studio->phones[1].amplitude = 300;
    seat(studio, &room, 1);
    talk(studio, &room, 50);
    CHECK(studio->talking == 1 && row_of(studio, studio->phones[2].leg));
    CHECK(strength(listener, tones[0], 20) < 150 && strength(listener, tones[2], 20) > 2500);
    const uint64_t before = studio->stats.audio_decodes;
    talk(studio, &room, 25);
    CHECK(studio->stats.audio_decodes - before <= (uint64_t)(25 * decoded));
    close_studio(studio);
}

static void who_says_no_levels_is_as_loud_as_it_is(void)
{
    is_as_loud_as_it_is(MCU_G722, TALKERS);
}

static void of_telephones_that_say_no_levels_only_the_loudest_are_decoded(void)
{
    is_as_loud_as_it_is(MCU_PCMU, 1);
    is_as_loud_as_it_is(MCU_PCMA, 1);
}

static void who_falls_silent_makes_room_for_who_speaks_softly(void)
{
    struct studio *studio = with_talkers(MCU_OPUS, true, false);
    struct room_mix room;
    struct phone *listener = add_phone(studio, MCU_OPUS, true, false);
    studio->phones[1].amplitude = studio->phones[2].amplitude = 0;
    seat(studio, &room, 1);
    talk(studio, &room, 25);
    studio->phones[0].amplitude = 0;
    studio->phones[1].amplitude = 800;
    talk(studio, &room, 60);
    CHECK(strength(listener, tones[1], 10) > 400);
    close_studio(studio);
}

static void who_loses_its_place_fades_to_nothing_in_one_tick(void)
{
    struct studio *studio = with_talkers(MCU_OPUS, true, false);
    struct room_mix room;
    seat(studio, &room, 1);
    studio->phones[1].amplitude = studio->phones[2].amplitude = 0;
    talk(studio, &room, 25);
    CHECK(row_of(studio, studio->phones[0].leg));
    studio->phones[1].amplitude = 30000;
    int rows = 0, faded = 0;
    for (int at = 0; at < 30; at++) {
        talk(studio, &room, 1);
        const int16_t *row = row_of(studio, studio->phones[0].leg);
        rows = row ? at + 1 : rows;
        faded = row ? abs(row[MCU_TICK - 1]) + abs(row[MCU_TICK - 5]) : faded;
    }
    CHECK(rows > 0 && rows < 25);
    CHECK(faded < 40);
    close_studio(studio);
}

static void a_leg_in_no_room_and_a_room_that_is_gone_are_silent(void)
{
    struct studio *studio = with_talkers(MCU_OPUS, true, true);
    struct room_mix room;
    seat(studio, &room, TALKERS);
    talk(studio, &room, 25);
    CHECK(studio->talking == TALKERS);
    CHECK(mcu_plane_hear(studio->plane, studio->phones[0].leg, 0) == 0);
    talk(studio, &room, 1);
    CHECK(!row_of(studio, studio->phones[0].leg));
    const uint64_t before = studio->stats.drops[MCU_DROP_SKIPPED];
    talk(studio, &room, 20);
    CHECK(studio->stats.drops[MCU_DROP_SKIPPED] - before >= 18); /* nor is it decrypted */
    CHECK(mcu_plane_remove_room(studio->plane, room.room) == 0);
    talk(studio, &room, 1);
    CHECK(studio->talking == 0);
    errno = 0;
    CHECK(mcu_plane_remove_room(studio->plane, room.room) == -1 && errno == ENOENT);
    CHECK(mcu_plane_hear(studio->plane, studio->phones[0].leg, room.room) == -1);
    collect(studio);
    CHECK(studio->stats.rooms == 0);
    close_studio(studio);
}

static void who_is_removed_leaves_the_others_alone(void)
{
    struct studio *studio = with_talkers(MCU_OPUS, true, true);
    struct room_mix room;
    struct phone *listener = add_phone(studio, MCU_OPUS, true, false);
    struct phone *leaves = add_phone(studio, MCU_OPUS, true, false);
    seat(studio, &room, TALKERS);
    talk(studio, &room, 25);
    CHECK(mcu_plane_remove(studio->plane, studio->phones[1].leg) == 0);
    CHECK(mcu_plane_remove(studio->plane, leaves->leg) == 0);
    studio->phones[1].hertz = 0;
    talk(studio, &room, 25);
    listen_until(studio, listener, 50);
    CHECK(studio->talking == 2 && listener->heard_count == 50 && leaves->heard_count <= 25);
    CHECK(strength(listener, tones[0], 10) > 2500 && strength(listener, tones[1], 10) < 150 &&
          strength(listener, tones[2], 10) > 2500);
    close_studio(studio);
}

/* Of what a phone says, in the jitter buffer. */
static uint32_t delay_of(const struct studio *studio, const struct phone *phone)
{
    struct mcu_leg_stats stats;
    uint32_t delay = 0;
    CHECK(mcu_plane_leg_stats(studio->plane, phone->leg, &stats) == 0);
    for (size_t at = 0; at < stats.stream_count; at++)
        delay = stats.streams[at].sending ? delay : stats.streams[at].delay_ms;
    return delay;
}

/* Of ten ticks, 200 ms, that are let go. */
static int delay_by_ticks_let_go(void)
{
    struct studio *studio = with_talkers(MCU_OPUS, true, false);
    const struct phone *phone = &studio->phones[0];
    struct room_mix room;
    seat(studio, &room, TALKERS);
    talk(studio, &room, 25);
    const int before = (int)delay_of(studio, phone);
    for (int at = 0; at < 10; at++) {
        for (int talker = 0; talker < TALKERS; talker++)
            speak_tick(&studio->phones[talker]);
        wait_tick(studio);
        CHECK(mcu_plane_skip(studio->plane, ++studio->tick) == 0);
    }
    size_t talking = 0;
    for (int at = 0; at < 10; at++) {
        talk(studio, &room, 1);
        talking = studio->talking > talking ? studio->talking : talking;
    }
    CHECK(talking == TALKERS);
    const int delay = (int)delay_of(studio, phone) - before;
    /* the packets before and after are that many ticks apart */
    listen_until(studio, phone, 35);
    CHECK(phone->ticks[25] - phone->ticks[24] == 11);
    CHECK((uint16_t)(phone->sequences[25] - phone->sequences[24]) == 1);
    close_studio(studio);
    return delay;
}

/* A machine that stood still meanwhile is a delay of its own: the least of a few. */
static void a_tick_that_is_let_go_leaves_no_delay(void)
{
    int least = INT_MAX;
    for (int rounds = 0; least >= 190 && rounds < 4; rounds++) {
        const int delay = delay_by_ticks_let_go();
        least = delay < least ? delay : least;
    }
    CHECK(least < 190);
}

void tick_rooms_tests(void)
{
    TEST(everyone_hears_everyone_else_with_one_encode_a_talker_and_one_for_the_room);
    TEST(telephones_without_levels_are_heard_each_in_its_codec);
    TEST(packets_of_those_who_are_not_among_the_loudest_are_not_decrypted);
    TEST(who_claims_to_be_loud_and_is_silent_keeps_nobody_from_being_heard);
    TEST(who_is_chosen_is_decrypted_also_where_it_is_quiet);
    TEST(who_says_no_levels_is_as_loud_as_it_is);
    TEST(of_telephones_that_say_no_levels_only_the_loudest_are_decoded);
    TEST(who_falls_silent_makes_room_for_who_speaks_softly);
    TEST(who_loses_its_place_fades_to_nothing_in_one_tick);
    TEST(a_leg_in_no_room_and_a_room_that_is_gone_are_silent);
    TEST(who_is_removed_leaves_the_others_alone);
    TEST(a_tick_that_is_let_go_leaves_no_delay);
}
