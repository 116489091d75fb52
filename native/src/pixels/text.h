/* Writing with a mask, shared by labels and avatars. */
#ifndef MCU_SRC_TEXT_H
#define MCU_SRC_TEXT_H

#include <mcu/draw.h>

struct mcu_text {
    struct mcu_mask mask;
    int x, y; /* of the mask's top left, on the canvas */
    struct mcu_colour ink, plate;
    uint8_t plate_alpha; /* 0: no plate */
};

/* Blends the plate, and then the ink, into the part of the mask's place that is in `within`,
 * which is inside the canvas. */
void mcu_write_text(const struct mcu_i420 *canvas, struct mcu_rect within,
                    const struct mcu_text *text);

#endif
