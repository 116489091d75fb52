/* A picture in I420, a rectangle in it, and the rule by which rectangles share chroma.
 *
 * Owns nothing: planes are the caller's memory, and stay so. Nothing here allocates, locks, or
 * keeps a pointer after it returns, except where a function says so. No function writes
 * outside the planes that it is given: rectangles are clipped to the picture first.
 *
 * The chroma rule. A chroma sample stands for a square of 2x2 luma pixels. It belongs to the
 * rectangle that holds the square's top left pixel. So rectangles that share an edge share no
 * chroma sample, whatever their parity: two odd tiles side by side never colour each other,
 * and in whatever order they are drawn the result is the same. A rectangle one pixel wide at
 * an odd x holds no chroma at all. */
#ifndef MCU_I420_H
#define MCU_I420_H

#include <stddef.h>
#include <stdint.h>

/* The longest side of a picture, a rectangle or a mask, and the furthest that a rectangle may
 * lie from the origin. It keeps every product below in 32 bits, and in the fixed point of
 * libyuv. Callers check it; the binding does. */
#define MCU_MAX_SIDE 16384

/* Three planes. Luma is width x height samples, chroma (width + 1) / 2 x (height + 1) / 2: odd
 * sizes are allowed. Strides are in bytes, at least a row long, never negative. */
struct mcu_i420 {
    uint8_t *plane[3]; /* Y, U, V */
    ptrdiff_t stride[3];
    int width, height;
};

/* In luma pixels from the top left of a picture. May lie partly or wholly outside of it. Empty
 * where a side is zero. */
struct mcu_rect {
    int x, y, width, height;
};

struct mcu_colour {
    uint8_t yuv[3];
};

/* A mask of opacities, 0 … 255, row by row without padding. */
struct mcu_mask {
    const uint8_t *alpha;
    int width, height;
};

/* The half-open span of one plane that a rectangle holds: columns left … right - 1, rows
 * top … bottom - 1. */
struct mcu_span {
    int left, top, right, bottom;
};

/* The part of `rect` inside the picture; its sides are 0 where there is none. */
struct mcu_rect mcu_clip(const struct mcu_i420 *picture, struct mcu_rect rect);

/* What two rectangles share; its sides are 0 where they share nothing. */
struct mcu_rect mcu_intersect(struct mcu_rect a, struct mcu_rect b);

/* What of plane 0, 1 or 2 belongs to a rectangle that is already clipped: the chroma rule. */
struct mcu_span mcu_span_of(struct mcu_rect clipped, int plane);

/* `under` covered by `over` at `alpha`/255, rounded to nearest. In 16 bits, so that compilers
 * do eight or sixteen at a time: the sum is at most 255 * 255 + 127, and for what is below
 * 65535 (n + 1 + n / 256) / 256 is n / 255. */
static inline uint8_t mcu_blend(uint8_t under, uint8_t over, uint8_t alpha)
{
    const uint16_t sum = (uint16_t)(under * (255 - alpha) + over * alpha + 127);
    return (uint8_t)((uint16_t)(sum + 1 + (sum >> 8)) >> 8);
}

static inline uint8_t *mcu_row(const struct mcu_i420 *picture, int plane, int row)
{
    return picture->plane[plane] + row * picture->stride[plane];
}

#endif
