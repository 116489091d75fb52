/* How coarsely each picture of people is quantised, so that a bit rate is kept: one of these
 * for each encoder. Pure: told the time.
 *
 * What a picture will take is foretold from how much in it is new (`mcu/change.h`) and from
 * what the last ones took at their quantiser: bits halve every four steps. A leaky bucket of
 * half a second holds what went out over the rate. A picture gets what the rate gives in its
 * time, less as the bucket fills, and never more than half of the room that is left there: not
 * even where all of it is new. What moves is not finer than MCU_QP_FINE, whatever the rate
 * would allow (docs/adr/0041). What stands still grows finer by each picture.
 */
#ifndef MCU_RATE_H
#define MCU_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MCU_QP_LEAST 12
#define MCU_QP_FINE 24 /* of what moves: finer than cameras send it is not */
#define MCU_QP_MOST 51

/* How much is new in a picture, by sample of its luma. */
struct mcu_newness {
    double since; /* what the last picture does not foretell */
    double whole; /* of the picture by itself, as a key frame has to say it */
};

/* What pictures of one kind take: bits * 2^(qp / 4) for a unit of newness and picture. */
struct mcu_price {
    double log2; /* of it */
    int seen;    /* pictures that it was learned from, at most a few */
};

struct mcu_rate {
    double bits_per_second, fps;
    double owed;  /* bits in the bucket; below 0: some that were not used */
    int64_t last; /* 90 kHz */
    struct mcu_price key, change;
    double usual; /* newness of what moves, lately */
    double still; /* bits that one took at most, of those since something moved */
    int qp;       /* of the last picture */
};

/* `samples` of luma in a picture. */
void mcu_rate_begin(struct mcu_rate *rate, int bits_per_second, int fps, int samples);

/* From the next picture on. What is owed stays. */
void mcu_rate_retarget(struct mcu_rate *rate, int bits_per_second);

/* The quantiser for a picture, MCU_QP_LEAST to MCU_QP_MOST. `timestamp` in 90 kHz. */
int mcu_rate_choose(struct mcu_rate *rate, int64_t timestamp, bool key,
                    struct mcu_newness newness);

/* Whether so many bytes are much more than a picture was meant to take: all that there is room
 * for, and half as much again. */
bool mcu_rate_is_too_much(const struct mcu_rate *rate, size_t bytes);

/* The key frame took so many bytes, and does not go out: it is made again. */
void mcu_rate_refuse(struct mcu_rate *rate, struct mcu_newness newness, size_t bytes);

/* It took so many bytes. */
void mcu_rate_took(struct mcu_rate *rate, bool key, struct mcu_newness newness, size_t bytes);

#endif
