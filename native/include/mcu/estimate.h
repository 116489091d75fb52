/* How much a leg's line carries now, by what its far end says of what it received:
 * transport-wide feedback (mcu/feedback.h), or REMB and the loss in receiver reports where
 * there is none. After draft-ietf-rmcat-gcc-02, with the slope of a line through the delays in
 * the place of its Kalman filter.
 *
 * Three things hold it down: a queue that grows (the slope: what is delivered is what the line
 * carries, a little less is sent), loss above what the line loses whatever is sent, and, at
 * once, packets that are not answered for: `mcu_estimate_room`. Two let it up: time, and
 * probes, which are sent only while somebody has use for more: `mcu_estimate_aim`.
 *
 * Pure, but for memory: times are given, microseconds that only rise. Sizes are bytes on the
 * wire. Not thread-safe. */
#ifndef MCU_ESTIMATE_H
#define MCU_ESTIMATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MCU_ESTIMATE_LEAST 30000u /* bit/s */
#define MCU_ESTIMATE_MOST 30000000u
#define MCU_ESTIMATE_PACKETS 1024 /* that may be unanswered; a power of two */

struct mcu_estimate; /* opaque: about 30 kB */

/* NULL: no memory. `start`: bit/s to begin with. */
struct mcu_estimate *mcu_estimate_new(uint32_t start);
void mcu_estimate_free(struct mcu_estimate *estimate);

/* -- what is sent -- */

/* The transport-wide sequence number of the next packet; and: it left. */
uint16_t mcu_estimate_number(const struct mcu_estimate *estimate);
void mcu_estimate_sent(struct mcu_estimate *estimate, size_t size, bool sound, int64_t now);
/* The packet of this number waited, and leaves only now. */
void mcu_estimate_left(struct mcu_estimate *estimate, uint16_t number, int64_t now);
/* A packet left that has no transport-wide number; `headers`: how much of `size` is none of
 * its payload. */
void mcu_estimate_unnumbered(struct mcu_estimate *estimate, size_t size, size_t headers,
                             bool sound, int64_t now);

/* -- what is heard of it -- */

/* The body of a transport-wide feedback. -1: malformed. */
int mcu_estimate_feedback(struct mcu_estimate *estimate, const uint8_t *body, size_t size,
                          int64_t now);
/* These two count only until the first feedback: what a REMB says that can be received, of
 * payload alone, as receivers reckon, and whether it speaks of the sound too; and the loss
 * (0 … 1) of a report block. */
void mcu_estimate_remb(struct mcu_estimate *estimate, uint64_t bits_per_second, bool sound,
                       int64_t now);
void mcu_estimate_loss(struct mcu_estimate *estimate, double loss, int64_t now);
/* TMMBR: no more than this for pictures, whatever the line carries, until it is called again;
 * 0: none (a pause, RFC 7728). */
void mcu_estimate_cap(struct mcu_estimate *estimate, uint64_t bits_per_second);
/* Each 200 ms or less: time passes. */
void mcu_estimate_tick(struct mcu_estimate *estimate, int64_t now);

/* -- what follows -- */

enum mcu_line_state {
    MCU_LINE_STEADY,
    MCU_LINE_FILLING, /* its queue grows: less is sent */
    MCU_LINE_LOSING,  /* it loses more than it always does */
    MCU_LINE_SILENT,  /* nothing is answered for a second and longer */
};
struct mcu_line {
    uint32_t bits_per_second; /* in all */
    uint32_t pictures;        /* what sound leaves of it, and the far end takes */
    double loss;              /* 0 … 1, of the last second or two */
    int64_t rtt;              /* us, with the wait for feedback; -1: not known */
    enum mcu_line_state state;
    bool full;      /* what is sent waits for more than 70 ms in its queue */
    uint32_t probe; /* what sound leaves of the one that lasts; 0: none does */
};
/* The same, without what else is known. */
uint32_t mcu_estimate_rate(const struct mcu_estimate *estimate);
void mcu_estimate_line(const struct mcu_estimate *estimate, struct mcu_line *line,
                       int64_t now);
/* Bytes of pictures that may leave now; 0: too much is unanswered. Sound always may. SIZE_MAX
 * where nothing is ever answered. */
size_t mcu_estimate_room(struct mcu_estimate *estimate, int64_t now);

/* -- probes -- */

/* There is use for this much in all; 0, as at first: for no more than there is. */
void mcu_estimate_aim(struct mcu_estimate *estimate, uint32_t bits_per_second);
/* Whether one lasts: mcu_estimate_tick begins it. */
bool mcu_estimate_probes(const struct mcu_estimate *estimate);
/* Bytes of padding that are to be sent now, so that it has its rate; 0: none are. Ask again at
 * *wake; INT64_MAX: it is over. All packets that leave while it lasts are of it. */
size_t mcu_estimate_probe(struct mcu_estimate *estimate, int64_t now, int64_t *wake);

#endif
