/* The parts of an estimate. */
#ifndef MCU_CONGESTION_ESTIMATE_H
#define MCU_CONGESTION_ESTIMATE_H

#include "delay.h"
#include "loss.h"
#include "meter.h"
#include "probe.h"
#include "sent.h"

#define ESTIMATE_SILENT_US 1000000 /* without an answer: nothing gets through */

#define BLIND_SAMPLES 3

/* Of a leg that gives no feedback. */
struct blind {
    struct meter headers[2];    /* of pictures, of sound: no REMB counts them */
    double said;                /* the last REMB, bit/s; 0: none yet */
    int64_t rose_at;            /* when one was higher than the one before */
    double sent[BLIND_SAMPLES]; /* bit/s, each half second */
    unsigned samples;           /* in all */
    int64_t sampled_at;
    int64_t loss_at;    /* when its loss was reported */
    int64_t trusted_at; /* since when nothing speaks against the rate */
    int64_t trust;      /* for how long that must be, us, until more is tried */
};

/* A queue that was suddenly there. */
struct jam {
    int64_t since;       /* when it was; 0: there is none */
    bool told;           /* what the line carries */
    unsigned packets;    /* that arrived, of the last report, or of some until it is told */
    uint64_t bytes;      /* of those, but for the first one */
    int64_t first, last; /* their clock, us */
};

struct mcu_estimate {
    double rate; /* bit/s */
    double aim;  /* the same; 0: none */
    struct sent sent;
    struct delay delay;
    struct loss loss;
    struct probe probe;
    struct meter all, sound; /* that was sent */
    struct meter delivered;  /* by their clock */
    int64_t reference;       /* of the last report, extended, in REFERENCE_US; -1: none yet */
    int64_t feedback_at;     /* when it came; 0: none yet */
    int64_t raised_at;       /* until when time has raised the rate */
    int64_t lowered_at;
    double capacity;      /* what was delivered when the queue grew; 0: not known */
    int64_t rtt;          /* of the last feedback; -1 */
    int64_t rtt_least[2]; /* of this and the last ten seconds */
    int64_t transit;      /* of the same packet: from our clock to theirs, us */
    int64_t transit_least[2];
    int64_t least_since;
    double cap; /* of pictures, by TMMBR, bit/s */
    struct blind blind;
    struct jam jam;
};

/* How long packets wait in the line's queue, us; and what is let go before more is sent. By
 * when they arrived, for what we read late is in the round trip too, where we lack processor;
 * and by the round trip, for their clock may leap. */
int64_t estimate_standing(const struct mcu_estimate *estimate);
#define ESTIMATE_STANDING_US 70000

/* control.c: a report came; the newest number in it, and what was delivered lately (0: not
 * known yet), bit/s. */
void control_feedback(struct mcu_estimate *estimate, int64_t newest, double delivered,
                      int64_t now);
/* Within its bounds. */
void control_set(struct mcu_estimate *estimate, double rate);
/* `rate`, to which the estimate is to be lowered as so much is delivered: not too far below
 * what it is while much less is sent than it allows. */
double control_within(const struct mcu_estimate *estimate, double rate, double delivered,
                      int64_t now);
/* Not higher than this: and what was hoped for is put off. */
void control_lower(struct mcu_estimate *estimate, double rate, int64_t now);
void control_verdict(struct mcu_estimate *estimate, enum loss_verdict verdict,
                     double delivered, int64_t now);
/* jam.c: a report begins; a packet of it arrived; it is over. Whether pictures are held. */
void jam_report(struct jam *jam);
void jam_arrived(struct jam *jam, size_t size, int64_t arrived);
void jam_follow(struct mcu_estimate *estimate, int64_t now);
bool jam_holds(const struct jam *jam, int64_t now);
/* blind.c: time passes at a leg that gives no feedback. */
void blind_tick(struct mcu_estimate *estimate, int64_t now);

#endif
