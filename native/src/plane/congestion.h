/* What a leg's line carries: arrivals are noted and reported, what is sent is numbered and
 * counted, the estimate is said when it changes, and pictures wait for their turn. Locked. */
#ifndef MCU_PLANE_CONGESTION_H
#define MCU_PLANE_CONGESTION_H

#include "list.h"

#include <mcu/estimate.h>
#include <mcu/feedback.h>
#include <mcu/pace.h>
#include <mcu/resend.h>
#include <mcu/rtp.h>

#define CONGESTION_START 2000000 /* bit/s that a line is taken to carry at first */
#define CONGESTION_WAIT_US 10000 /* until room for pictures is looked for again */

struct mcu_plane;
struct leg;
struct out_stream;
struct in_stream;
struct arrival;
struct udp_batch;

struct congestion {
    struct links paced; /* in plane->paced: something is to be sent at */
    int64_t wake;       /* this time */
    struct mcu_estimate *estimate;
    struct mcu_pace pace;
    struct mcu_arrived arrived;
    int leg;          /* its handle */
    uint32_t said;    /* MCU_EVENT_BANDWIDTH, */
    int64_t said_at;  /* and when */
    unsigned reports; /* that were read in this second */
};

/* Whether a leg that has such a stream needs one. */
bool congestion_needed(const struct out_stream *out, const struct in_stream *in);
struct congestion *congestion_new(void); /* NULL: no memory */
void congestion_free(struct congestion *congestion);

/* A packet came that has a transport-wide number. */
void congestion_arrived(struct leg *leg, const struct mcu_rtp *packet, bool authentic,
                        int64_t now);
/* The far end's report of what arrived, its body. -1: malformed. */
int congestion_feedback(struct leg *leg, const uint8_t *body, size_t size, int64_t now);
/* A packet of this many bytes, without UDP's and IP's headers, so many of them payload, was
 * added to a batch. */
void congestion_sent(struct leg *leg, const struct out_stream *stream, size_t size,
                     size_t payload, int64_t now);
/* The one of this transport-wide number waited in its batch, and is given to the kernel now.
 */
void congestion_left(struct leg *leg, uint16_t number, int64_t now);
/* Says at once that the line has become narrow, if it has: before a key frame is asked for, so
 * that it is one of a class that fits. */
void congestion_say_lower(struct mcu_plane *plane, struct leg *leg, int64_t now);
/* Each slice of legs.h, 50 ms: reports what arrived, says what changed, begins probes. `out`
 * has room for one.
 */
void congestion_turn(struct mcu_plane *plane, struct leg *leg, struct udp_batch *out,
                     int64_t now);

/* -- paced.c: pictures that wait for their turn -- */

#define PACED_PICTURES 32

/* Of one stream. Zero it to begin. */
struct paced {
    struct mcu_payloads *ring[PACED_PICTURES]; /* references */
    unsigned first, count;
    uint32_t number; /* of the first one's next packet */
    size_t bytes;    /* that wait */
    bool starved;    /* pictures were dropped: nothing is of use before a key frame */
    int64_t asked;   /* when that was asked for; 0: not yet */
};
void paced_clear(struct paced *paced);

/* Puts a picture in line. false: there is no room for it, or one before it was dropped; that
 * is counted, and a key frame is asked for when the line is empty again. */
bool paced_put(struct mcu_plane *plane, struct leg *leg, struct out_stream *stream,
               struct mcu_payloads *payloads, int64_t now);
/* Sends what may leave now, padding of probes too. true: the batch is full, and there is more.
 */
bool paced_send(struct mcu_plane *plane, struct leg *leg, struct udp_batch *batch,
                int64_t now);
/* Sound of this leg is in the batch: where the line is narrow, it is pictures' turn. */
void paced_follow_sound(struct mcu_plane *plane, struct leg *leg, struct udp_batch *batch,
                        int64_t now);
/* Whether a payload of so many bytes may be sent again now. */
bool paced_may_repair(struct leg *leg, size_t size, int64_t now);
/* The leg is to be looked after at this time; INT64_MAX: no more. */
void paced_wake(struct mcu_plane *plane, struct congestion *congestion, int64_t wake);
/* When the first is. */
int64_t paced_first(const struct mcu_plane *plane);

#endif
