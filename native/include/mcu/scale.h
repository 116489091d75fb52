/* A picture into a tile: scaled, letterboxed, straight into the canvas. */
#ifndef MCU_SCALE_H
#define MCU_SCALE_H

#include <mcu/i420.h>

/* Where a picture of width x height (at least 1x1) comes to in `tile`: as large as fits with
 * its aspect kept, centred, on even coordinates and with even sides, so that its chroma is its
 * own. An edge of the tile at an odd coordinate loses a pixel to this. At least 2x2, so that a
 * very thin picture is a line and not nothing; empty only where the tile has no even 2x2
 * square in it. The tile's place is in canvas coordinates and may be outside of the canvas. */
struct mcu_rect mcu_letterbox(int width, int height, struct mcu_rect tile);

/* Scales `source` into its letterbox in `tile`, and makes the rest of the tile black (16, 128,
 * 128). Stores in `*drawn` the letterbox, clipped to the canvas. Returns 0, or -1 with nothing
 * drawn where memory ran out: only a letterbox that is partly outside the canvas needs any.
 *
 * A copy where the sizes are equal; else scaling is libyuv's: kFilterBox where either side
 * shrinks, kFilterBilinear where none does. The pictures must not overlap.
 *
 * On the oracle, honestly: the geometry, the bars, the clipping and the chroma planes are held
 * bit for bit to a plain twin, which places by plain loops what libyuv makes of the planes off
 * the canvas. libyuv's own arithmetic is not ours to copy, and differs by a level between
 * processors; it is held to an independent area average (shrinking) and to an independent
 * bilinear interpolation (enlarging) within a stated tolerance. */
int mcu_scale_into_tile(const struct mcu_i420 *canvas, const struct mcu_i420 *source,
                        struct mcu_rect tile, struct mcu_rect *drawn);

#endif
