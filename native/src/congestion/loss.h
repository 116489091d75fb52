/* Loss above what the line loses whatever is sent (a radio link). A cut that helps nothing is
 * taken back: what is still lost is the line's own then, and only what is above it counts from
 * there on. */
#ifndef MCU_CONGESTION_LOSS_H
#define MCU_CONGESTION_LOSS_H

#include <stdbool.h>
#include <stdint.h>

struct loss {               /* zero it to begin */
    uint32_t arrived, lost; /* of the present window */
    int64_t window;         /* when it began, us; 0: nothing yet */
    double ratio;           /* of the last one */
    double own;             /* of the line */
    double cut_at;          /* the ratio that led to the last cut, 0: none is on trial */
    double before;          /* and the rate then */
};

enum loss_verdict {
    LOSS_FINE,
    LOSS_CUT,    /* send less */
    LOSS_REVERT, /* it was not the rate: `before` is right */
};

void loss_packet(struct loss *loss, bool arrived);
/* A packet that was said to be lost came after all. */
void loss_found(struct loss *loss);
/* Looks at the window, if it is full. `rate`: the estimate. */
enum loss_verdict loss_judge(struct loss *loss, double rate, int64_t now);
/* The same of a ratio that somebody else has counted. */
enum loss_verdict loss_ratio(struct loss *loss, double ratio, double rate);

#endif
