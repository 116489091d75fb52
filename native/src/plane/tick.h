/* What the sound thread keeps (sounding.h), and what the rest of the plane calls of it. */
#ifndef MCU_PLANE_TICK_H
#define MCU_PLANE_TICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mcu_plane;
struct leg;
struct sounding; /* rooms, streams of sound, their encoders, the work that waits */

/* A leg's part. Zero to begin with. Guarded by the plane's lock. */
struct leg_sounding {
    int room;        /* in which it may be heard (mcu_plane_hear); 0: none */
    size_t at_room;  /* its place among the room's legs */
    int sound;       /* what it hears (the last route); 0: nothing; -1: silence */
    size_t at_sound; /* its place among the stream's listeners */

    int64_t timestamp; /* in->timestamp when the sound thread last looked */
    int idle;          /* ticks since it last changed */
    bool unlevelled;   /* only decoding tells how loud it is */
    enum { PART_NONE, PART_CHOSEN, PART_FADING } part; /* of the last tick */
    int level;                                         /* as decoded last */
    double said;      /* how loud its packets say it is, and */
    double was;       /* what was decoded, both followed as mcu_loudest does */
    int decoded;      /* ticks in a row that it was decoded */
    double boast;     /* dB by which its packets say more than is in them */
    uint64_t refused; /* packets that its decoder had refused when last looked at */
    int failing;      /* ticks in a row in which there were more */
};

/* Makes plane->sounding and starts the sound thread; -1 with errno. Called last in
 * mcu_plane_new, not locked. */
int sounding_begin(struct mcu_plane *plane);
/* Ends the thread and frees all. Called first in mcu_plane_free, not locked. */
void sounding_end(struct mcu_plane *plane);
/* A leg is being removed: out of its room, off its stream. Locked. The leg and its hearing
 * are freed after it. */
void sounding_leg_gone(struct mcu_plane *plane, struct leg *leg);

#endif
