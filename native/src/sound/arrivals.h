/* When the packets of a stream came, against when they were made: how long sound must wait so
 * that nearly every packet is there in time. Pure. All times are samples at 48 kHz: of the
 * stream (its timestamps), or of our own clock. */
#ifndef MCU_SOUND_ARRIVALS_H
#define MCU_SOUND_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

#define MCU_ARRIVALS 400                /* that are remembered: one for 20 ms of sound */
#define MCU_ARRIVALS_WINDOW (8 * 48000) /* and for so long */
#define MCU_ARRIVALS_IN_TIME 100        /* one in so many may come too late */
#define MCU_ARRIVALS_LATEST (1 + MCU_ARRIVALS / MCU_ARRIVALS_IN_TIME)
#define MCU_DELAY_LEAST 1080 /* a tick asks for all of its samples at once: 20 ms, and 2.5 */
#define MCU_DELAY_FIRST 1920 /* at first, while little is known */
#define MCU_DELAY_MOST 9600

struct mcu_arrivals {        /* zero it to begin */
    int64_t zero;            /* our time less the stream's when the first packet came */
    int32_t first, count;    /* the oldest, and how many */
    int64_t group;           /* which 20 ms of the stream the newest are of */
    int32_t fastest, spread; /* the least of `late`; what nearly all needed more */
    int32_t latest[MCU_ARRIVALS_LATEST]; /* the greatest of `late`, the greatest first */
    bool unranked;                       /* they and the fastest have to be looked for */
    int32_t late[MCU_ARRIVALS];          /* how much later than `zero` each came */
    int64_t at[MCU_ARRIVALS];            /* and when */
};

/* A packet that begins at `timestamp` came at `now`. */
void mcu_arrivals_came(struct mcu_arrivals *arrivals, int64_t timestamp, int64_t now);
/* The stream's time has jumped: what is known of it is worth nothing. */
void mcu_arrivals_forget(struct mcu_arrivals *arrivals);
/* Our time less the stream's, of what is to be played: so long after the fastest packets that
 * nearly all have come. */
int64_t mcu_arrivals_offset(const struct mcu_arrivals *arrivals);

#endif
