/* Continuous sound out of packets: what is due is decoded, what is missing is recovered from
 * the next packet (FEC), concealed, or is silence. Everything in samples at 48 kHz. */
#ifndef MCU_SOUND_SUPPLY_H
#define MCU_SOUND_SUPPLY_H

#include "queue.h"

#include <mcu/hearing.h>

#define MCU_SUPPLY_MAX 8192
#define MCU_SUPPLY_FADED 5760 /* samples made up after which there is silence: 120 ms */
#define MCU_SUPPLY_NO_FEC 250 /* packets without FEC after which none is expected */

struct mcu_supply { /* zero it to begin */
    struct mcu_hearing_stats *stats;
    struct mcu_queue queue;
    struct mcu_decoder *decoders[MCU_AUDIO_CODECS]; /* made when first needed */
    int codec;             /* of the last packet that was decoded; -1: none */
    int64_t next;          /* stream time after `samples` */
    int64_t last_sequence; /* of the last packet that was played; -1: none */
    int32_t last_duration;
    bool ended;       /* the last packet said that silence follows (Opus DTX) */
    bool torn;        /* what comes next does not go on from what waits */
    int32_t made;     /* samples made up since the last that came, MCU_SUPPLY_FADED at most */
    int32_t doubtful; /* of them: lost or never sent, which the next packet will tell */
    int32_t silent;   /* zeros at the end of `samples` */
    double loss;      /* of packets, of late */
    int32_t without_fec; /* packets since the last that carried FEC */
    size_t count;        /* samples that wait */
    int16_t samples[MCU_SUPPLY_MAX];
};

void mcu_supply_free(struct mcu_supply *supply);
/* Another stream: forgets everything, keeps the decoders' memory. */
void mcu_supply_restart(struct mcu_supply *supply);
/* Nobody listens, and it is `time`: nothing is decoded. The last few packets before it stay.
 */
void mcu_supply_sleep(struct mcu_supply *supply, int64_t time);
/* Somebody listens again: packets before the present time are decoded for the decoder's sake
 * only. */
void mcu_supply_wake(struct mcu_supply *supply);
/* Goes on at `time`, or with the next packet where that is earlier. Only while it is silent.
 */
void mcu_supply_move(struct mcu_supply *supply, int64_t time);
/* Leaves out at least `samples` of what has not been decoded: packets are dropped. */
void mcu_supply_cut(struct mcu_supply *supply, int64_t samples);
/* A packet of `samples` came too late to be filed. */
void mcu_supply_late(struct mcu_supply *supply, int32_t samples);
/* Whether nothing but silence waits. */
bool mcu_supply_is_silent(const struct mcu_supply *supply);
/* Decodes until `wanted` samples wait or the next packet is not here. */
void mcu_supply_receive(struct mcu_supply *supply, size_t wanted);
/* Until `wanted` wait, whatever is missing. Where nothing has come, `hold` samples at most are
 * put in between: the stream's time stands still meanwhile. */
void mcu_supply_fill(struct mcu_supply *supply, size_t wanted, int32_t hold);
/* The first `old` of what waits become `count` others. */
void mcu_supply_replace(struct mcu_supply *supply, size_t old, const int16_t *samples,
                        size_t count);
/* The first `used` are played. */
void mcu_supply_use(struct mcu_supply *supply, size_t used);

#endif
