/* Continuous sound out of packets: what is due is decoded, what is missing is recovered from
 * the next packet (FEC), concealed, or is silence. Everything in samples at 48 kHz. */
#ifndef MCU_SOUND_SUPPLY_H
#define MCU_SOUND_SUPPLY_H

#include "queue.h"
#include "weave.h"

#include <mcu/hearing.h>

#define MCU_SUPPLY_NO_FEC 250 /* packets without FEC after which none is expected */

struct mcu_supply { /* zero it, then mcu_supply_restart */
    struct mcu_hearing_stats *stats;
    int64_t next;          /* stream time after what waits in the weave */
    int64_t last_sequence; /* of the last packet that was played; -1: none */
    int32_t last_duration;
    bool ended; /* the last packet said that silence follows (Opus DTX) */
    bool held;  /* the stream's time has stood still since the last packet */
    int32_t
        doubtful; /* samples made up: lost or never said, which the next packet will tell */
    double loss;  /* of packets, of late */
    int32_t without_fec; /* packets since the last that carried FEC */
    struct mcu_weave weave;
    struct mcu_queue queue;
};

/* Another stream: only what waits stays. */
void mcu_supply_restart(struct mcu_supply *supply);
/* Stream time of the next sample that is played. */
int64_t mcu_supply_played(const struct mcu_supply *supply);

/* Decodes until `wanted` samples wait (MCU_WEAVE_WANTED at most) or the next packet is not
 * here. */
void mcu_supply_receive(struct mcu_supply *supply, size_t wanted);
/* Until `wanted` wait, whatever is missing. Where nothing has come, `hold` samples at most are
 * put in between: the stream's time stands still meanwhile. */
void mcu_supply_fill(struct mcu_supply *supply, size_t wanted, int32_t hold);

/* Nobody listens, and it is `time`: nothing is decoded. The last few packets before it stay.
 */
void mcu_supply_sleep(struct mcu_supply *supply, int64_t time);
/* Somebody listens again: packets before the present time are decoded for the decoder's sake
 * only. */
void mcu_supply_wake(struct mcu_supply *supply);
/* The next sample that is played is of `time`, though it is of another stream. */
void mcu_supply_anchor(struct mcu_supply *supply, int64_t time);
/* Goes on at `time`, or with the next packet where that is earlier. Only while it is silent.
 */
void mcu_supply_move(struct mcu_supply *supply, int64_t time);
/* Drops the oldest packet; there must be one. */
void mcu_supply_shed(struct mcu_supply *supply);
/* Leaves out at least `samples` of what has not been decoded: packets are dropped. */
void mcu_supply_cut(struct mcu_supply *supply, int64_t samples);
/* A packet of `samples` came too late to be filed. */
void mcu_supply_late(struct mcu_supply *supply, int32_t samples);

#endif
