/* What the tests of the kernels share: guarded pictures, and the twins. */
#ifndef MCU_TESTS_CHECKS_H
#define MCU_TESTS_CHECKS_H

#include "harness.h"

#include <mcu/i420.h>

#include <stdbool.h>

/* A picture each of whose planes ends at a page that may not be touched, so that a byte read
 * or written beyond it ends the test even in code that no sanitizer sees (libyuv). `worst`:
 * only 0 and 255. Strides are the width and 0 … 3 more. */
struct guarded {
    struct mcu_i420 picture;
    void *mapped[3];
    size_t size[3];
};

struct guarded guarded_picture(int width, int height, bool worst);
struct guarded guarded_copy(const struct guarded *other);
void release(struct guarded *picture);

/* Whether all memory of two pictures is equal, padding too. */
bool equal(const struct guarded *a, const struct guarded *b);

struct mcu_rect any_rect(void);
struct mcu_colour any_colour(void);
/* A mask of its exact size on the heap, which ASan guards; release with release_mask. */
struct mcu_mask any_mask(bool worst);
void release_mask(struct mcu_mask mask);

/* The twins: what the manual says, pixel by pixel over the whole canvas. */
void twin_fill(const struct mcu_i420 *canvas, struct mcu_rect rect, struct mcu_colour colour);
void twin_border(const struct mcu_i420 *canvas, struct mcu_rect rect, int thickness,
                 struct mcu_colour colour);
void twin_label(const struct mcu_i420 *canvas, int x, int y, struct mcu_mask mask,
                struct mcu_colour ink, struct mcu_colour plate, uint8_t plate_alpha);
struct mcu_avatar;
void twin_avatar(const struct mcu_i420 *canvas, struct mcu_rect tile,
                 const struct mcu_avatar *avatar);
void twin_copy(const struct mcu_i420 *canvas, const struct mcu_i420 *source,
               struct mcu_rect from, int x, int y);
void twin_scale_into_tile(const struct mcu_i420 *canvas, const struct mcu_i420 *source,
                          struct mcu_rect tile);

#endif
