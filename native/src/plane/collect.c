/* Step one of a tick: for each room, who is loudest by the levels of their packets, and what
 * they say.
 *
 * A leg whose packets have no levels is decoded to know how loud it is. One that has just lost
 * its place is decoded once more, and fades to nothing in that tick. */
#include "sounding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VERIFIED_AFTER                                                                        \
    25                 /* ticks decoded: what is said of 20 ms is decoded up to 400 ms later */
#define BOASTS_BY 10.0 /* dB: what is decoded may be so much quieter than was said */
#define FORGIVEN_BY 0.1 /* dB a tick: who said 0 and was silent is tried again after 12 s */
#define FAILS_FOR 50    /* ticks with packets that its decoder refuses: it gets another one */
#define ALL 128         /* a bar that every packet is louder than */

/* -- levels -- */

/* At once as loud, slowly as quiet: as mcu_loudest follows a standing. */
static double follow(double follower, int level)
{
    return fmin(level, fmin(127.0, follower + MCU_FADES_BY));
}

/* Whether anything came from a leg of late. */
static bool present(struct leg *leg)
{
    struct leg_sounding *state = &leg->sounding;
    struct sound_in *sound = sound_in_of(leg);
    if (!sound)
        return false;
    if (state->timestamp != leg->in[MCU_AUDIO]->timestamp) {
        state->timestamp = leg->in[MCU_AUDIO]->timestamp;
        state->idle = 0;
    } else if (state->idle <= ABSENT_AFTER && ++state->idle > ABSENT_AFTER) {
        sound->standing = (struct mcu_standing){.level = 127};
        sound->bar = MCU_TALKS_FROM;
        state->part = PART_NONE;
    }
    return state->idle <= ABSENT_AFTER;
}

/* What counts of what a leg's packets said since the last tick. */
static int claimed(struct leg_sounding *state, int level)
{
    state->said = follow(state->said, level);
    if (!state->decoded)
        state->boast = fmax(0, state->boast - FORGIVEN_BY);
    return level == 127 ? 127 : (int)fmin(127, level + state->boast);
}

/* What a leg's packets said is held against what was decoded. Who says more than it is has
 * no more standing than it is, nor will what it says next. */
static void verify(struct leg *leg)
{
    struct leg_sounding *state = &leg->sounding;
    struct mcu_standing *standing = &sound_in_of(leg)->standing;
    state->was = state->decoded++ ? follow(state->was, state->level) : state->level;
    if (state->unlevelled || state->decoded < VERIFIED_AFTER)
        return;
    const double gap = state->was - state->said;
    state->boast = gap > BOASTS_BY ? gap : 0;
    if (gap > BOASTS_BY)
        standing->level = fmax(standing->level, state->was);
}

/* -- decoding -- */

/* Room for one more in what is being collected: its row, or NULL. */
static int16_t *next_row(struct take *take)
{
    if (take->count == take->capacity) {
        const size_t larger = take->capacity ? 2 * take->capacity : 16;
        struct mcu_talker *talkers = realloc(take->talkers, larger * sizeof *talkers);
        take->talkers = talkers ? talkers : take->talkers;
        int16_t *samples =
            talkers ? realloc(take->samples, larger * MCU_TICK * sizeof *samples) : NULL;
        if (!samples)
            return NULL;
        take->samples = samples;
        take->capacity = larger;
    }
    return &take->samples[take->count * MCU_TICK];
}

/* A decoder that refuses all it is given for a second is begun anew. */
static void mend(struct leg *leg, struct mcu_hearing *hearing)
{
    struct leg_sounding *state = &leg->sounding;
    const uint64_t refused = mcu_hearing_stats(hearing)->drops[MCU_HEARING_MALFORMED];
    state->failing = refused > state->refused ? state->failing + 1 : 0;
    state->refused = refused;
    if (state->failing < FAILS_FOR || leg->in[MCU_AUDIO]->codec < 0)
        return;
    mcu_hearing_restart(hearing, (enum mcu_audio_codec)leg->in[MCU_AUDIO]->codec);
    state->failing = 0;
}

/* A tick of one leg; 127 and no row where it says nothing. */
static int decode(struct mcu_plane *plane, struct leg *leg, int64_t now)
{
    struct take *take = &plane->sounding->taking;
    struct mcu_hearing *hearing = sound_in_of(leg)->hearing;
    int16_t *row = next_row(take);
    if (!row)
        return 127;
    const enum mcu_heard heard = mcu_hearing_tick(hearing, true, now, row);
    mend(leg, hearing);
    if (heard == MCU_HEARD_NOTHING)
        return 127;
    plane->audio_decodes++;
    const int level = mcu_level(row, MCU_TICK);
    take->talkers[take->count++] =
        (struct mcu_talker){.room = leg->sounding.room, .leg = leg->handle, .level = level};
    return level;
}

/* Each of these in its own piece of the lock. */
static void decode_each(struct mcu_plane *plane, const struct handles *legs, int64_t now)
{
    for (size_t at = 0; at < legs->count; at++) {
        plane_lock(plane);
        struct leg *leg = plane_leg(plane, legs->each[at]);
        if (leg && leg->sounding.room) {
            leg->sounding.level = decode(plane, leg, now);
            verify(leg);
        }
        plane_unlock(plane);
    }
}

/* -- who is heard -- */

/* Legs of which only decoding tells how loud they are. Returns whether the room has any leg
 * that is present. Locked. */
static bool look(struct sounding *sounding, const struct room *room)
{
    bool any = false;
    sounding->unlevelled.count = 0;
    for (size_t at = 0; at < room->legs.count; at++) {
        struct leg *leg = room->legs.each[at];
        if (!present(leg))
            continue;
        any = true;
        const int level = sound_in_of(leg)->level;
        if (level != 127)
            leg->sounding.unlevelled = level < 0;
        if (leg->sounding.unlevelled)
            (void)handles_add(&sounding->unlevelled, leg->handle);
    }
    return any;
}

static bool standings_fit(struct sounding *sounding, size_t count)
{
    if (count <= sounding->standing_capacity)
        return true;
    struct mcu_standing **standings = realloc(sounding->standings, count * sizeof *standings);
    sounding->standings = standings ? standings : sounding->standings;
    int *levels = standings ? realloc(sounding->levels, count * sizeof *levels) : NULL;
    if (!levels)
        return false;
    sounding->levels = levels;
    sounding->standing_capacity = count;
    return true;
}

/* Chooses among those present; returns the bar. Locked. */
static int choose(struct sounding *sounding, const struct room *room)
{
    size_t count = 0;
    for (size_t at = 0; at < room->legs.count; at++) {
        struct leg *leg = room->legs.each[at];
        struct leg_sounding *state = &leg->sounding;
        struct sound_in *sound = sound_in_of(leg);
        if (!sound || state->idle > ABSENT_AFTER)
            continue;
        sounding->standings[count] = &sound->standing;
        sounding->levels[count++] =
            state->unlevelled ? state->level : claimed(state, sound->level);
        sound->level = 127;
    }
    return mcu_loudest(sounding->standings, sounding->levels, count, room->loudest);
}

/* What a leg is in this tick. Locked. */
static void cast(struct sounding *sounding, struct leg *leg, int bar, int64_t now)
{
    struct leg_sounding *state = &leg->sounding;
    struct sound_in *sound = sound_in_of(leg);
    const bool was_chosen = state->part == PART_CHOSEN;
    const bool chosen = sound->standing.chosen;
    state->part = chosen ? PART_CHOSEN : was_chosen ? PART_FADING : PART_NONE;
    sound->bar = chosen ? ALL : bar;
    if (state->unlevelled)
        return;
    if (state->part != PART_NONE) {
        (void)handles_add(chosen ? &sounding->chosen : &sounding->fading, leg->handle);
        return;
    }
    state->decoded = 0;
    (void)mcu_hearing_tick(sound->hearing, false, now, NULL);
}

static bool cast_all(struct sounding *sounding, const struct room *room, int64_t now)
{
    sounding->chosen.count = sounding->fading.count = 0;
    if (!standings_fit(sounding, room->legs.count))
        return false;
    const int bar = choose(sounding, room);
    for (size_t at = 0; at < room->legs.count; at++) {
        struct leg *leg = room->legs.each[at];
        if (sound_in_of(leg) && leg->sounding.idle <= ABSENT_AFTER)
            cast(sounding, leg, bar, now);
    }
    return true;
}

/* -- the step -- */

static void fade(struct mcu_talker *talker, int16_t *row)
{
    for (int at = 0; at < MCU_TICK; at++)
        row[at] = (int16_t)(row[at] * (MCU_TICK - 1 - at) / (MCU_TICK - 1));
    talker->level = mcu_level(row, MCU_TICK);
}

static int part_of(struct mcu_plane *plane, int handle)
{
    plane_lock(plane);
    const struct leg *leg = plane_leg(plane, handle);
    const int part = leg && leg->sounding.room ? (int)leg->sounding.part : PART_NONE;
    plane_unlock(plane);
    return part;
}

/* Of those that were decoded from `from` on, fades who has lost its place and drops who has
 * none. */
static void settle(struct mcu_plane *plane, size_t from)
{
    struct take *take = &plane->sounding->taking;
    size_t kept = from;
    for (size_t at = from; at < take->count; at++) {
        const int part = part_of(plane, take->talkers[at].leg);
        if (part == PART_NONE)
            continue;
        int16_t *row = &take->samples[kept * MCU_TICK];
        if (kept != at)
            memcpy(row, &take->samples[at * MCU_TICK], MCU_TICK * sizeof *row);
        take->talkers[kept] = take->talkers[at];
        if (part == PART_FADING)
            fade(&take->talkers[kept], row);
        kept++;
    }
    take->count = kept;
}

static void collect_room(struct mcu_plane *plane, const struct room *room, int64_t now)
{
    struct sounding *sounding = plane->sounding;
    const size_t from = sounding->taking.count;
    decode_each(plane, &sounding->unlevelled, now);
    plane_lock(plane);
    const bool cast = cast_all(sounding, room, now);
    plane_unlock(plane);
    if (cast) {
        decode_each(plane, &sounding->chosen, now);
        decode_each(plane, &sounding->fading, now);
    }
    settle(plane, from);
}

/* The room at or after `*at` in which there is anything to hear; NULL: no more. */
static const struct room *next_room(struct mcu_plane *plane, size_t *at)
{
    const struct shelf *rooms = &plane->sounding->rooms;
    const struct room *found = NULL;
    plane_lock(plane);
    while (!found && *at < rooms->count) {
        const struct room *room = (const struct room *)rooms->each[(*at)++];
        if (room->legs.count && look(plane->sounding, room))
            found = room;
    }
    plane_unlock(plane);
    return found;
}

void sounding_collect(struct mcu_plane *plane)
{
    const int64_t now = plane_now();
    const struct room *room;
    plane->sounding->taking.count = 0;
    for (size_t at = 0; (room = next_room(plane, &at));)
        collect_room(plane, room, now);
}

static void pass_room(const struct room *room, int64_t now)
{
    for (size_t at = 0; at < room->legs.count; at++)
        if (present(room->legs.each[at]))
            (void)mcu_hearing_tick(sound_in_of(room->legs.each[at])->hearing, false, now,
                                   NULL);
}

void sounding_pass(struct mcu_plane *plane)
{
    const int64_t now = plane_now();
    const struct shelf *rooms = &plane->sounding->rooms;
    plane_lock(plane);
    for (size_t at = 0; at < rooms->count; at++)
        pass_room((const struct room *)rooms->each[at], now);
    plane_unlock(plane);
}
