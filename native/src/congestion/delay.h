/* Whether the line's queue grows: packets that left together are taken as one group (GCC
 * section 5.2, 5.3), how much later than the one before each arrives is summed up, and the
 * slope of a line through the last sums is held against a threshold that adapts
 * (section 5.4, 5.5). */
#ifndef MCU_CONGESTION_DELAY_H
#define MCU_CONGESTION_DELAY_H

#include <stdbool.h>
#include <stdint.h>

#define DELAY_POINTS 20

enum delay_signal { DELAY_NORMAL, DELAY_OVER, DELAY_UNDER };

struct delay_group {
    bool any;
    int64_t first_sent, last_sent, first_arrived, last_arrived;
};

struct delay { /* times in it are ms */
    struct delay_group group, before;
    double sum, smooth;
    struct {
        double at, delay;
    } point[DELAY_POINTS];
    unsigned points; /* in all */
    int64_t zero;    /* arrival of the first, us */
    double slope;
    double threshold;
    int64_t adapted_at; /* us */
    double over_for;
    unsigned over_times;
    enum delay_signal signal;
};

void delay_begin(struct delay *delay);
/* A packet that arrived: when it was sent by our clock, and arrived by theirs, us. */
void delay_packet(struct delay *delay, int64_t sent, int64_t arrived);

#endif
