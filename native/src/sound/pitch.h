/* How far back sound is most like itself: what time stretching and concealment repeat. */
#ifndef MCU_SOUND_PITCH_H
#define MCU_SOUND_PITCH_H

#include <stddef.h>

struct mcu_pitch {
    size_t lag;
    double match; /* normalised correlation: 1: the same; 0: nothing alike, or silence */
};

/* The lag of `least` … `most` at which the `window` samples from `at` are most like those that
 * are a lag before; from at[-most] on all must be there. */
struct mcu_pitch mcu_pitch(const float *at, size_t window, size_t least, size_t most);

#endif
