/* Copying between pictures of the same scale, such as from a canvas to an encoder's frame. */
#ifndef MCU_COPY_H
#define MCU_COPY_H

#include <mcu/i420.h>

/* Copies `from` of `source` so that its top left comes to (x, y) of `canvas`; what is outside
 * of either picture is left out. A chroma sample of the canvas takes the one that holds the
 * source pixel which comes to its top left pixel: exact where x - from.x and y - from.y are
 * even, half a chroma sample off where they are odd. The pictures must not overlap. */
void mcu_copy(const struct mcu_i420 *canvas, const struct mcu_i420 *source,
              struct mcu_rect from, int x, int y);

#endif
