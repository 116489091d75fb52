/* Probes: for a moment more is sent than the line is known to carry, in padding, and what
 * arrives of it says whether it can. */
#ifndef MCU_CONGESTION_PROBE_H
#define MCU_CONGESTION_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe {
    double rate;         /* of the one that lasts or was last, bit/s; 0: none yet */
    int64_t begun, ends; /* us; ends 0: none lasts */
    uint64_t sent;       /* bytes since it began */
    int64_t first, last; /* numbers of its packets; first 0: none is awaited */
    int64_t next_at;     /* the next may begin */
    int64_t wait;        /* between one that failed and the next */
    uint32_t packets;    /* that arrived */
    uint64_t bytes;      /* of those, but for the first one */
    int64_t first_arrived, last_arrived; /* their clock */
};

void probe_begin(struct probe *probe, double rate, int64_t lasts, int64_t number, int64_t now);
void probe_sent(struct probe *probe, size_t size, int64_t number);
/* Padding that is due, and when to ask again; ends it when it is time. */
size_t probe_due(struct probe *probe, int64_t now, int64_t *wake);
void probe_arrived(struct probe *probe, int64_t number, size_t size, int64_t arrived);
/* All up to `number` is answered: what it found out, bit/s; 0: nothing yet; -1: nothing. */
double probe_result(struct probe *probe, int64_t number);

#endif
