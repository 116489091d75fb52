/* The sound thread from within: rooms, streams of sound, their encoders, and the steps that
 * wait. Guarded by the plane's lock unless it says otherwise.
 *
 * A room or stream that is removed is known to nobody from then on but the sound thread, which
 * frees it when the steps that were asked for before are done: it may use one through a whole
 * step without the lock. */
#ifndef MCU_PLANE_SOUNDING_H
#define MCU_PLANE_SOUNDING_H

#include "internal.h"

#define STEPS (MCU_PLANE_BEHIND + 1) /* that wait, and the one that is carried out */
#define PRIMED_BY 2   /* ticks that an encoder hears before it takes over a leg from another */
#define IDLE_SENDS 50 /* after which an encoder that nobody listens to is put back */
#define POOL 32       /* encoders of each codec that are kept for the next stream */
#define ABSENT_AFTER 50 /* ticks without a packet after which a leg costs nothing */

/* Legs, in no order. Each knows its place (struct leg_sounding). */
struct crowd {
    struct leg **each;
    size_t count, capacity;
};

/* What rooms and streams begin with. */
struct item {
    int handle;
    bool gone;
    int64_t gone_after; /* the last step that may still use it */
    struct item *next_gone;
};

struct room {
    struct item item;
    size_t loudest;
    struct crowd legs; /* that may be heard */
};

struct voice {
    struct mcu_encoder *encoder;
    bool mends;   /* it is tuned to carry FEC */
    int64_t used; /* sounding->sends when it last encoded */
};

struct sound {
    struct item item;
    bool primed;
    struct crowd listeners;
    /* The rest is the sound thread's, not locked. */
    struct voice voices[MCU_AUDIO_CODECS];
    int64_t sent, mixed; /* sounding->sends when it last was sent, and kept as heard */
    int16_t recent[PRIMED_BY][MCU_TICK]; /* if primed: what was mixed last, the newest last */
    int64_t joined;           /* sounding->sends when legs last came from another stream */
    const struct sound *from; /* then: the primed one that the first of them had heard */
    bool strange;             /* and one of them had heard something else than that */
};

/* Rooms or streams, sorted: handles only grow. */
struct shelf {
    struct item **each;
    size_t count, capacity;
    int last;          /* handle that was given */
    struct item *gone; /* still on it */
};
/* Also one that is gone, or NULL. */
struct item *shelf_find(const struct shelf *shelf, int handle);

enum step_kind { STEP_COLLECT, STEP_SEND, STEP_SKIP };
struct step {
    enum step_kind kind;
    int64_t number, tick;
    int64_t at;       /* us: it does not begin before; 0: at once */
    int *sounds;      /* of the mixes */
    int16_t *samples; /* a row of MCU_TICK for each */
    struct mcu_route *routes;
    size_t mix_count, mix_capacity, route_count, route_capacity;
};

/* Who was decoded in a tick, and a row of MCU_TICK samples for each. */
struct take {
    struct mcu_talker *talkers;
    int16_t *samples;
    size_t count, capacity;
};

/* Legs that a step works on while the lock is let go. */
struct handles {
    int *each;
    size_t count, capacity;
};
/* false: no memory; then it is not among them. */
bool handles_add(struct handles *handles, int handle);

struct sounding {
    struct shelf rooms, sounds;
    struct crowd unspoken; /* listeners of silence, route -1 */

    /* Guarded by `queue`, a leaf. */
    pthread_mutex_t queue;
    pthread_cond_t asked;
    struct step steps[STEPS];
    size_t first, waiting; /* the one that is carried out among them */
    int64_t steps_asked;
    bool untidy; /* something was removed */
    bool ending;
    struct take taken; /* in the last tick that was collected */

    /* The sound thread's own. */
    pthread_t thread;
    int64_t done; /* number of the last step that was */
    bool in_use;  /* something that was removed, by a step that waits */
    int64_t sends;
    struct take taking;
    struct handles chosen, fading, unlevelled, listening[MCU_AUDIO_CODECS], unsendable;
    bool lossy; /* one of those in `listening` reported loss lately */
    struct mcu_standing **standings;
    int *levels;
    size_t standing_capacity;
    struct mcu_encoder *pool[MCU_AUDIO_CODECS][POOL];
    size_t pooled[MCU_AUDIO_CODECS];
    uint8_t silence[MCU_AUDIO_CODECS][MCU_AUDIO_PACKET];
    size_t silence_size[MCU_AUDIO_CODECS]; /* 0: not made yet */
    struct udp_batch batch;
};

/* -- rooms.c -- */

struct sound_in *sound_in_of(const struct leg *leg); /* NULL: it sends no sound */
/* A leg hears another stream from this step on. Locked; the sound thread's. */
void sounding_route(struct mcu_plane *plane, const struct mcu_route *route);
/* Frees what was removed and can be used by no step any more. false: there is more to free
 * when another step is done. Not locked. */
bool sounding_reap(struct mcu_plane *plane);
void room_free(struct room *room);
void sound_free(struct sound *sound);

/* -- collect.c: step one. Not locked. -- */

void sounding_collect(struct mcu_plane *plane);
void sounding_pass(struct mcu_plane *plane); /* STEP_SKIP */

/* -- deliver.c: step two. Not locked. -- */

void sounding_deliver(struct mcu_plane *plane, const struct step *step);

/* -- encode.c: the sound thread's. Not locked. -- */

/* One tick of a stream in a codec: bytes in `out` (MCU_AUDIO_PACKET), or -1. `encodes` counts
 * what was encoded, priming too. */
int sounding_encode(struct mcu_plane *plane, struct sound *sound, int codec,
                    const int16_t *samples, uint8_t *out, unsigned *encodes);
/* Whether listeners of both, last tick, heard the very same and it is known. */
bool sounding_alike(const struct sounding *sounding, const struct sound *one,
                    const struct sound *other);
/* Keeps a tick of a primed stream. After all of the tick's streams are encoded. */
void sounding_remember(struct sounding *sounding, struct sound *sound, const int16_t *samples);
/* The packet of silence in a codec; its size is 0 where it cannot be had. */
const uint8_t *sounding_silence(struct mcu_plane *plane, int codec, size_t *size);
/* Puts a stream's encoders back that were not used for IDLE_SENDS, or, with `all`, all. */
void sounding_put_back(struct sounding *sounding, struct sound *sound, bool all);
void sounding_free_encoders(struct sounding *sounding);

#endif
