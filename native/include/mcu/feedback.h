/* Transport-wide feedback: when each packet of a leg arrived, whatever stream it is of, by a
 * sequence number that all its streams share
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01). Noted and written by who receives,
 * read by who sends. Pure; times are microseconds. */
#ifndef MCU_FEEDBACK_H
#define MCU_FEEDBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* -- by who receives -- */

#define MCU_ARRIVED 512 /* numbers that are held until they are reported; a power of two */
#define MCU_ARRIVED_NEAR                                                                      \
    448 /* what is not known to be authentic moves the numbers no further than this: 64 of    \
           each of seven streams */

struct mcu_arrived {         /* zero it to begin */
    bool begun;              /* something came */
    int64_t next;            /* the number from which on is not reported yet */
    int64_t highest;         /* that came */
    int64_t authentic;       /* that came and was authentic */
    unsigned waiting;        /* how many came since the last report */
    int64_t reported_at;     /* the last report, or the first packet */
    uint8_t report;          /* how many reports were written */
    int64_t at[MCU_ARRIVED]; /* by number; 0: not yet */
};

/* A packet with this number came. Twice is once. One that is not known to be `authentic` (it
 * was not decrypted) counts only near to those that are, so that nobody can invent arrivals
 * elsewhere and make those that are true look old. */
void mcu_arrived_note(struct mcu_arrived *arrived, uint16_t number, bool authentic,
                      int64_t now);

/* Appends a report of all that is not reported yet at `out + *size` (MCU_RTCP_MAX), and moves
 * *size on; what does not fit is left for the next. 0; -1: there is nothing to say, or no
 * room. */
int mcu_arrived_report(struct mcu_arrived *arrived, uint8_t *out, size_t *size, uint32_t ssrc,
                       uint32_t media_ssrc, int64_t now);

/* -- by who sent -- */

#define MCU_FEEDBACK_MOST 2048 /* packets that one report may be of */

/* A report, packet by packet. */
struct mcu_feedback {
    const uint8_t *chunk, *delta, *end;
    uint16_t number;    /* of the packet that comes next */
    unsigned left;      /* packets */
    unsigned run;       /* left of a run, or of a vector */
    unsigned vector;    /* their statuses; of a run, its one */
    unsigned bits;      /* of a status in a vector; 0: a run */
    uint32_t reference; /* of the arrival times, 64 ms, 24 bits */
    int64_t at;         /* of the last one that came, 250 us after the reference */
};
struct mcu_feedback_packet {
    uint16_t number;
    bool received;
    int64_t at; /* us after the reference time; of those that were received */
};
/* Begins to read the body of MCU_RTCP_WIDE (mcu/rtcp.h). -1: malformed, or of more than
 * MCU_FEEDBACK_MOST packets. Its statuses are all there, and a delta for each that says so. */
int mcu_feedback_open(struct mcu_feedback *feedback, const uint8_t *body, size_t size);
/* The next packet; false: that was all. */
bool mcu_feedback_next(struct mcu_feedback *feedback, struct mcu_feedback_packet *packet);

#endif
