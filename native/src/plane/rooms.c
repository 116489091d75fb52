/* Rooms, streams of sound, and which legs belong to them. */
#include "sounding.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* `each` with room for one more of `size` bytes; NULL: no memory, and it is as it was. */
static void *grown(void *each, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return each;
    const size_t larger = *capacity ? 2 * *capacity : 8;
    void *moved = realloc(each, larger * size);
    if (moved)
        *capacity = larger;
    return moved;
}

bool handles_add(struct handles *handles, int handle)
{
    int *each = grown(handles->each, handles->count, &handles->capacity, sizeof *each);
    if (!each)
        return false;
    handles->each = each;
    each[handles->count++] = handle;
    return true;
}

/* -- shelves -- */

/* Gives an item its handle. -1 with errno. */
static int shelf_put(struct shelf *shelf, struct item *item)
{
    if (shelf->count >= MCU_PLANE_STREAMS || shelf->last == INT_MAX) {
        errno = ENOSPC;
        return -1;
    }
    struct item **each = grown(shelf->each, shelf->count, &shelf->capacity, sizeof *each);
    if (!each)
        return -1;
    shelf->each = each;
    each[shelf->count++] = item;
    return item->handle = ++shelf->last;
}

static size_t place(const struct shelf *shelf, int handle)
{
    size_t from = 0, to = shelf->count;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (shelf->each[middle]->handle < handle)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

struct item *shelf_find(const struct shelf *shelf, int handle)
{
    const size_t at = place(shelf, handle);
    return at < shelf->count && shelf->each[at]->handle == handle ? shelf->each[at] : NULL;
}

/* One that is not gone, or NULL with errno. */
static struct item *shelf_get(const struct shelf *shelf, int handle)
{
    struct item *item = shelf_find(shelf, handle);
    if (item && !item->gone)
        return item;
    errno = ENOENT;
    return NULL;
}

static void shelf_lose(struct mcu_plane *plane, struct shelf *shelf, struct item *item)
{
    struct sounding *sounding = plane->sounding;
    pthread_mutex_lock(&sounding->queue);
    item->gone_after = sounding->steps_asked;
    sounding->untidy = true;
    pthread_cond_signal(&sounding->asked);
    pthread_mutex_unlock(&sounding->queue);
    item->gone = true;
    item->next_gone = shelf->gone;
    shelf->gone = item;
}

/* Takes one off that no step can use after `step`, or NULL. */
static struct item *shelf_reap(struct shelf *shelf, int64_t step)
{
    struct item **link = &shelf->gone;
    while (*link && (*link)->gone_after > step)
        link = &(*link)->next_gone;
    struct item *item = *link;
    if (!item)
        return NULL;
    *link = item->next_gone;
    const size_t at = place(shelf, item->handle);
    shelf->count--;
    memmove(&shelf->each[at], &shelf->each[at + 1],
            (shelf->count - at) * sizeof shelf->each[0]);
    return item;
}

/* -- legs in a room -- */

struct sound_in *sound_in_of(const struct leg *leg)
{
    return leg->in[MCU_AUDIO] ? leg->in[MCU_AUDIO]->sound : NULL;
}

static struct room *room_of(const struct mcu_plane *plane, const struct leg *leg)
{
    const int handle = leg->sounding.room;
    return handle ? (struct room *)shelf_find(&plane->sounding->rooms, handle) : NULL;
}

/* Nothing is known of how loud it is, and nothing of what it sent is kept: a leg that was in
 * no room took no ticks. */
static void begin_to_hear(struct leg *leg)
{
    const struct in_stream *in = leg->in[MCU_AUDIO];
    struct sound_in *sound = sound_in_of(leg);
    struct leg_sounding *state = &leg->sounding;
    *state = (struct leg_sounding){.room = state->room,
                                   .at_room = state->at_room,
                                   .sound = state->sound,
                                   .at_sound = state->at_sound,
                                   .said = 127,
                                   .was = 127};
    if (!sound)
        return;
    const int codec = in->codec < 0 ? in->options.formats[0].codec : in->codec;
    sound->standing = (struct mcu_standing){.level = 127};
    sound->level = 127;
    sound->bar = MCU_TALKS_FROM;
    state->refused = mcu_hearing_stats(sound->hearing)->drops[MCU_HEARING_MALFORMED];
    mcu_hearing_restart(sound->hearing, (enum mcu_audio_codec)codec);
    for (size_t at = 0; at < KEPT_PACKETS; at++) /* said before: nobody is to hear it */
        sound->kept[at].size = 0;
}

static void leave_room(struct mcu_plane *plane, struct leg *leg)
{
    struct room *room = room_of(plane, leg);
    if (!room)
        return;
    struct leg *last = room->legs.each[--room->legs.count];
    room->legs.each[leg->sounding.at_room] = last;
    last->sounding.at_room = leg->sounding.at_room;
    leg->sounding.room = 0;
    struct sound_in *sound = sound_in_of(leg);
    if (sound) {
        sound->standing = (struct mcu_standing){.level = 127};
        sound->bar = -1;
    }
}

static bool enter_room(struct room *room, struct leg *leg)
{
    struct crowd *legs = &room->legs;
    struct leg **each = grown(legs->each, legs->count, &legs->capacity, sizeof(struct leg *));
    if (!each)
        return false;
    legs->each = each;
    leg->sounding.room = room->item.handle;
    leg->sounding.at_room = legs->count;
    each[legs->count++] = leg;
    begin_to_hear(leg);
    return true;
}

static int hear(struct mcu_plane *plane, int handle, int where)
{
    struct leg *leg = plane_leg(plane, handle);
    struct room *room =
        where ? (struct room *)shelf_get(&plane->sounding->rooms, where) : NULL;
    if (!leg || (where && !room)) {
        errno = ENOENT;
        return -1;
    }
    if (leg->sounding.room == where)
        return 0;
    leave_room(plane, leg);
    return !room || enter_room(room, leg) ? 0 : -1;
}

int mcu_plane_hear(struct mcu_plane *plane, int leg, int room)
{
    plane_lock(plane);
    const int result = hear(plane, leg, room);
    plane_unlock(plane);
    return result;
}

/* -- legs that hear a stream -- */

static struct sound *sound_of(const struct mcu_plane *plane, int handle)
{
    return handle > 0 ? (struct sound *)shelf_find(&plane->sounding->sounds, handle) : NULL;
}

/* Of a stream (NULL: silence, -1). */
static struct crowd *listeners_of(struct mcu_plane *plane, struct sound *sound)
{
    return sound ? &sound->listeners : &plane->sounding->unspoken;
}

static void stop_listening(struct mcu_plane *plane, struct leg *leg)
{
    if (leg->sounding.sound == 0)
        return;
    struct crowd *crowd = listeners_of(plane, sound_of(plane, leg->sounding.sound));
    struct leg *last = crowd->each[--crowd->count];
    crowd->each[leg->sounding.at_sound] = last;
    last->sounding.at_sound = leg->sounding.at_sound;
    leg->sounding.sound = 0;
}

static void hear_stream(struct mcu_plane *plane, struct leg *leg, struct sound *sound)
{
    struct crowd *crowd = listeners_of(plane, sound);
    struct leg **each = grown(crowd->each, crowd->count, &crowd->capacity, sizeof *each);
    if (!each)
        return; /* it hears nothing, rather than what it must not hear any more */
    crowd->each = each;
    leg->sounding.sound = sound ? sound->item.handle : -1;
    leg->sounding.at_sound = crowd->count;
    each[crowd->count++] = leg;
}

static void join(struct sounding *sounding, struct sound *sound, const struct sound *before)
{
    if (sound->joined != sounding->sends) {
        sound->joined = sounding->sends;
        sound->from = before->primed ? before : NULL;
        sound->strange = false;
    }
    if (!sound->from || !sounding_alike(sounding, sound->from, before))
        sound->strange = true;
}

void sounding_route(struct mcu_plane *plane, const struct mcu_route *route)
{
    struct sounding *sounding = plane->sounding;
    struct leg *leg = plane_leg(plane, route->leg);
    if (!leg || leg->sounding.sound == route->sound)
        return;
    struct sound *before = sound_of(plane, leg->sounding.sound);
    struct sound *sound = sound_of(plane, route->sound);
    stop_listening(plane, leg);
    if (sound || route->sound == -1)
        hear_stream(plane, leg, sound);
    if (sound && before)
        join(sounding, sound, before);
}

void sounding_leg_gone(struct mcu_plane *plane, struct leg *leg)
{
    leave_room(plane, leg);
    stop_listening(plane, leg);
}

/* -- adding and removing -- */

/* Puts an item on its shelf, or frees it. */
static int added(struct mcu_plane *plane, struct shelf *shelf, struct item *item)
{
    if (!item)
        return -1;
    plane_lock(plane);
    const int handle = shelf_put(shelf, item);
    plane->rooms += handle > 0 && shelf == &plane->sounding->rooms;
    plane_unlock(plane);
    if (handle < 0)
        free(item);
    return handle;
}

int mcu_plane_add_room(struct mcu_plane *plane, int loudest)
{
    if (loudest < 1 || loudest > MCU_PLANE_LEGS) {
        errno = EINVAL;
        return -1;
    }
    struct room *room = calloc(1, sizeof *room);
    if (room)
        room->loudest = (size_t)loudest;
    return added(plane, &plane->sounding->rooms, room ? &room->item : NULL);
}

int mcu_plane_remove_room(struct mcu_plane *plane, int handle)
{
    struct sounding *sounding = plane->sounding;
    plane_lock(plane);
    struct room *room = (struct room *)shelf_get(&sounding->rooms, handle);
    if (room) {
        while (room->legs.count)
            leave_room(plane, room->legs.each[0]);
        shelf_lose(plane, &sounding->rooms, &room->item);
        plane->rooms--;
    }
    plane_unlock(plane);
    return room ? 0 : -1;
}

int mcu_plane_add_sound(struct mcu_plane *plane, bool primed)
{
    struct sound *sound = calloc(1, sizeof *sound);
    if (sound)
        sound->primed = primed;
    return added(plane, &plane->sounding->sounds, sound ? &sound->item : NULL);
}

int mcu_plane_remove_sound(struct mcu_plane *plane, int handle)
{
    struct shelf *sounds = &plane->sounding->sounds;
    plane_lock(plane);
    struct item *item = shelf_get(sounds, handle);
    if (item)
        shelf_lose(plane, sounds, item);
    plane_unlock(plane);
    return item ? 0 : -1;
}

void room_free(struct room *room)
{
    free(room->legs.each);
    free(room);
}

void sound_free(struct sound *sound)
{
    free(sound->listeners.each);
    free(sound);
}

bool sounding_reap(struct mcu_plane *plane)
{
    struct sounding *sounding = plane->sounding;
    struct item *item;
    plane_lock(plane);
    while ((item = shelf_reap(&sounding->rooms, sounding->done)))
        room_free((struct room *)item);
    while ((item = shelf_reap(&sounding->sounds, sounding->done))) {
        struct sound *sound = (struct sound *)item;
        for (size_t at = 0; at < sound->listeners.count; at++)
            sound->listeners.each[at]->sounding.sound = 0;
        sounding_put_back(sounding, sound, true);
        sound_free(sound);
    }
    const bool left = sounding->rooms.gone || sounding->sounds.gone;
    plane_unlock(plane);
    return !left;
}
