/* Drawing on a canvas: fill, border, label, avatar.
 *
 * Each works in place, allocates nothing, and clips. Colours are Y, U, V samples as they are
 * stored. The plain twins in native/tests/pixels/twins.c say the same, pixel by pixel; the
 * tests hold these to them bit for bit. */
#ifndef MCU_DRAW_H
#define MCU_DRAW_H

#include <mcu/i420.h>

/* Every sample of `rect` becomes `colour`. */
void mcu_fill(const struct mcu_i420 *canvas, struct mcu_rect rect, struct mcu_colour colour);

/* The outermost `thickness` pixels inside `rect` become `colour`; all of it, when twice the
 * thickness is no less than a side. The edges are those of `rect`, not of its visible part:
 * what is outside the canvas is not drawn. */
void mcu_border(const struct mcu_i420 *canvas, struct mcu_rect rect, int thickness,
                struct mcu_colour colour);

/* Text on a plate, its top left at (x, y): the canvas under the mask is first covered by
 * `plate` at `plate_alpha`/255, and then by `ink` where, and as far as, the mask is opaque. A
 * chroma sample takes the mean of its four mask pixels, rounded to nearest; those beyond the
 * mask count as 0. */
void mcu_label(const struct mcu_i420 *canvas, int x, int y, struct mcu_mask mask,
               struct mcu_colour ink, struct mcu_colour plate, uint8_t plate_alpha);

/* What stands for a leg that sends no picture. */
struct mcu_avatar {
    struct mcu_colour background, disc, ink;
    int radius; /* of the disc, in pixels; 0: none */
    struct mcu_mask initials;
};

/* Fills `tile`, draws an antialiased disc about its centre (x + width/2, y + height/2, exact
 * to the half pixel), and blits the initials so that their middle is there, rounded to the
 * left and up. Nothing is drawn outside the tile, however large the disc or the mask.
 *
 * A pixel's coverage by the disc is counted on a grid of 4x4 points in it, a chroma sample's
 * as the mean of its four pixels', those outside the tile counting as uncovered. */
void mcu_avatar(const struct mcu_i420 *canvas, struct mcu_rect tile,
                const struct mcu_avatar *avatar);

#endif
