/* What the sound thread keeps (tick.c, encode.c, rooms.c), and what the rest of the plane
 * calls of it. */
#ifndef MCU_PLANE_TICK_H
#define MCU_PLANE_TICK_H

struct mcu_plane;
struct leg;
struct sounding; /* rooms, streams of sound, their encoders, the work that waits */

/* A leg's part. Zero to begin with. Guarded by the plane's lock. */
struct leg_sounding {
    int room;  /* in which it may be heard (mcu_plane_hear); 0: none */
    int sound; /* what it hears (the last route); 0: nothing; -1: silence */
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
