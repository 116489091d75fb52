/* How much in a picture is new since the last one: sampled, a fourth of the luma, in some tens
 * of microseconds for 1280x720. What is foretold by motion counts as new; that errs alike from
 * picture to picture, which is all that `mcu/rate.h` asks.
 */
#ifndef MCU_CHANGE_H
#define MCU_CHANGE_H

#include <mcu/i420.h>
#include <mcu/rate.h>

struct mcu_change {
    int across, down; /* blocks */
    uint8_t *last;    /* what was looked at in the last picture, block by block */
    bool any;         /* there was one */
};

/* For pictures of this size. 0, or -1 without memory. `mcu_change_end` frees. */
int mcu_change_begin(struct mcu_change *change, int width, int height);
void mcu_change_end(struct mcu_change *change);

/* The next picture, of that size. */
struct mcu_newness mcu_change_next(struct mcu_change *change, const struct mcu_i420 *picture);

#endif
