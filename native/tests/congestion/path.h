/* A line that carries so much, with a queue before it, and who sends over it. No clock: steps
 * of a millisecond. */
#ifndef MCU_CONGESTION_TESTS_PATH_H
#define MCU_CONGESTION_TESTS_PATH_H

#include "tests.h"

#include <mcu/estimate.h>
#include <mcu/feedback.h>
#include <mcu/pace.h>

#define SECOND INT64_C(1000000)
#define MS INT64_C(1000)
#define FLIGHT 4096
#define PATH_PACKETS 1024

/* One packet on its way. */
struct flight {
    uint16_t number;
    uint32_t size;
    int64_t arrives, waits; /* waits: in the queue */
    bool picture;
};

struct path {
    /* what may be changed at any time */
    double capacity; /* bit/s */
    int64_t base;    /* us one way; feedback takes as long */
    int64_t queue;   /* us of capacity that wait at most; what is more is lost */
    double loss;     /* 0 … 1, at random */
    double wish;     /* bit/s of pictures and their headers that a sender would like; 0: none.
                        It sends what it may of it */
    bool mute;       /* no feedback comes */
    int64_t stalled; /* until when the sender's packets do not leave, us */
    int64_t late;    /* us from when feedback comes until it is read */
    bool blind; /* no feedback either: a REMB each half second, and what is lost each second */
    bool narrowly; /* that speaks of the pictures' payload, as aiortc and browsers say it */
    bool falsely;  /* it sees a queue where there is none: a busy machine */

    int64_t now;
    struct mcu_estimate *estimate;
    struct mcu_pace pace;
    struct mcu_arrived arrived;
    struct flight flights[FLIGHT];
    unsigned sent, received;
    double free_at;                 /* when the line has carried all that waits, us */
    uint32_t packets[PATH_PACKETS]; /* of pictures, bytes: those that wait for the pacer */
    unsigned cut, left;             /* how many there were, and how many left */
    double owed;                    /* bytes of those that wait */
    struct {
        uint8_t data[1500];
        size_t size;
        int64_t at;
    } report;
    struct { /* who says REMB */
        double said;
        uint32_t slots[10];    /* bytes that came, each 100 ms */
        int64_t waited, waits; /* in the queue: 100 ms ago, and now, us */
        unsigned arrived, lost;
    } remb;
    int64_t sound_late; /* the longest that sound waited in the queue since it was set to 0 */
    int64_t sound_at, sound_gap; /* its last arrival; the longest between two, likewise */
    uint64_t sound_lost;
    double delivered; /* bytes of pictures, without headers */
    uint64_t padding; /* bytes of probes */
};

void path_begin(struct path *path, double capacity, double start);
void path_end(struct path *path);
void path_run(struct path *path, int64_t time);
/* Runs until the pictures may have at least (or at most) this; how long it took, -1: `most`
 * was not enough. */
int64_t path_until_above(struct path *path, double rate, int64_t most);
int64_t path_until_below(struct path *path, double rate, int64_t most);
uint32_t path_rate(struct path *path);

#endif
