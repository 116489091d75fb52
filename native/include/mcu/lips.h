/* How long a sender's picture is to wait, so that lips move with their words: sound waits in
 * its jitter buffer for what a network makes late, and a picture that is not late would be
 * seen before it is heard. What left first and came fastest of both is taken to be of one
 * moment. Pure: times are us. */
#ifndef MCU_LIPS_H
#define MCU_LIPS_H

#include <stdint.h>

#define MCU_LIPS_WAIT_US 200000 /* a picture waits, at most */

struct mcu_lips {       /* of one stream of pictures. Zero it to begin */
    int64_t time;       /* of the last picture, extended; 0: there was none */
    int64_t fastest[2]; /* from a picture's time until it came: the least of this window, and
                           of the one before */
    int64_t since;      /* when this window began */
};

/* A picture came whole; `timestamp` at 90 kHz. `sound`: from when the fastest packets of the
 * sender's sound come until they are played; 0: it has none. Returns how long it waits. */
int64_t mcu_lips_wait(struct mcu_lips *lips, uint32_t timestamp, int64_t sound, int64_t now);

#endif
