#include "text.h"

#include <stdbool.h>

enum { UNIT = 8, POINTS = 16 }; /* eighths of a pixel; points that are tried in one */

/* A disc in eighths of a pixel, so that centres on half pixels and the points of the 4x4 grid
 * (at 1, 3, 5, 7) are whole numbers. */
struct disc {
    int64_t x, y, radius_squared;
    struct mcu_rect within;
};

static int64_t square(int64_t n) { return n * n; }

static bool holds(const struct disc *disc, int64_t x, int64_t y)
{
    return square(x - disc->x) + square(y - disc->y) <= disc->radius_squared;
}

/* How many of a pixel's points the disc covers. A disc is convex: where the four outermost
 * points are in, all are. */
static unsigned covered(const struct disc *disc, int column, int row)
{
    const struct mcu_rect in = disc->within;
    if (column < in.x || column >= in.x + in.width || row < in.y || row >= in.y + in.height)
        return 0;
    const int64_t x = (int64_t)column * UNIT, y = (int64_t)row * UNIT;
    if (holds(disc, x + 1, y + 1) && holds(disc, x + 7, y + 1) && holds(disc, x + 1, y + 7) &&
        holds(disc, x + 7, y + 7))
        return POINTS;
    unsigned count = 0;
    for (int dy = 1; dy < UNIT; dy += 2)
        for (int dx = 1; dx < UNIT; dx += 2)
            count += holds(disc, x + dx, y + dy);
    return count;
}

static uint8_t alpha_of(unsigned count, unsigned of)
{
    return (uint8_t)((count * 255u + of / 2) / of);
}

static unsigned covered_square(const struct disc *disc, int column, int row)
{
    return covered(disc, column, row) + covered(disc, column + 1, row) +
           covered(disc, column, row + 1) + covered(disc, column + 1, row + 1);
}

static void paint_luma(const struct mcu_i420 *canvas, struct mcu_rect clipped,
                       const struct disc *disc, uint8_t colour)
{
    const struct mcu_span span = mcu_span_of(clipped, 0);
    for (int row = span.top; row < span.bottom; row++) {
        uint8_t *to = mcu_row(canvas, 0, row);
        for (int column = span.left; column < span.right; column++)
            to[column] =
                mcu_blend(to[column], colour, alpha_of(covered(disc, column, row), POINTS));
    }
}

static void paint_chroma(const struct mcu_i420 *canvas, struct mcu_rect clipped,
                         const struct disc *disc, const uint8_t yuv[3])
{
    const struct mcu_span span = mcu_span_of(clipped, 1);
    for (int row = span.top; row < span.bottom; row++) {
        uint8_t *u = mcu_row(canvas, 1, row), *v = mcu_row(canvas, 2, row);
        for (int column = span.left; column < span.right; column++) {
            const unsigned count = covered_square(disc, 2 * column, 2 * row);
            const uint8_t alpha = alpha_of(count, 4 * POINTS);
            u[column] = mcu_blend(u[column], yuv[1], alpha);
            v[column] = mcu_blend(v[column], yuv[2], alpha);
        }
    }
}

static int floor_half(int n) { return n >> 1; }

/* The pixels that a disc can touch, and one more to the left and above, whose chroma it can.
 */
static struct mcu_rect bounds_of(struct mcu_rect tile, int radius)
{
    const int left = floor_half(2 * tile.x + tile.width) - radius - 1;
    const int top = floor_half(2 * tile.y + tile.height) - radius - 1;
    return (struct mcu_rect){left, top, 2 * radius + 3, 2 * radius + 3};
}

void mcu_avatar(const struct mcu_i420 *canvas, struct mcu_rect tile,
                const struct mcu_avatar *avatar)
{
    const struct disc disc = {
        .x = (int64_t)tile.x * UNIT + (int64_t)tile.width * (UNIT / 2),
        .y = (int64_t)tile.y * UNIT + (int64_t)tile.height * (UNIT / 2),
        .radius_squared = square((int64_t)avatar->radius * UNIT),
        .within = tile,
    };
    const struct mcu_rect clipped = mcu_clip(canvas, tile);
    mcu_fill(canvas, tile, avatar->background);
    if (avatar->radius > 0) {
        const struct mcu_rect bounds = mcu_intersect(clipped, bounds_of(tile, avatar->radius));
        paint_luma(canvas, bounds, &disc, avatar->disc.yuv[0]);
        paint_chroma(canvas, bounds, &disc, avatar->disc.yuv);
    }
    const int x = floor_half(2 * tile.x + tile.width - avatar->initials.width);
    const int y = floor_half(2 * tile.y + tile.height - avatar->initials.height);
    const struct mcu_text text = {avatar->initials, x, y, avatar->ink, avatar->ink, 0};
    mcu_write_text(canvas, clipped, &text);
}
