#include "text.h"

/* The mask's opacity at a chroma sample whose top left pixel is (column, row) of the mask. */
static unsigned mean_alpha(struct mcu_mask mask, int column, int row)
{
    const uint8_t *at = mask.alpha + (ptrdiff_t)row * mask.width + column;
    const int right = column + 1 < mask.width, below = row + 1 < mask.height;
    unsigned sum = at[0];
    if (right)
        sum += at[1];
    if (below)
        sum += at[mask.width];
    if (right && below)
        sum += at[mask.width + 1];
    return (sum + 2) / 4;
}

static void write_luma(const struct mcu_i420 *canvas, struct mcu_span span,
                       const struct mcu_text *text)
{
    for (int row = span.top; row < span.bottom; row++) {
        uint8_t *to = mcu_row(canvas, 0, row);
        const uint8_t *alpha =
            text->mask.alpha + (ptrdiff_t)(row - text->y) * text->mask.width;
        for (int column = span.left; column < span.right; column++)
            to[column] = mcu_blend(to[column], text->ink.yuv[0], alpha[column - text->x]);
    }
}

static void write_chroma(const struct mcu_i420 *canvas, struct mcu_span span,
                         const struct mcu_text *text)
{
    for (int row = span.top; row < span.bottom; row++) {
        uint8_t *u = mcu_row(canvas, 1, row), *v = mcu_row(canvas, 2, row);
        for (int column = span.left; column < span.right; column++) {
            const unsigned alpha =
                mean_alpha(text->mask, 2 * column - text->x, 2 * row - text->y);
            u[column] = mcu_blend(u[column], text->ink.yuv[1], alpha);
            v[column] = mcu_blend(v[column], text->ink.yuv[2], alpha);
        }
    }
}

void mcu_write_text(const struct mcu_i420 *canvas, struct mcu_rect within,
                    const struct mcu_text *text)
{
    const struct mcu_rect place = {text->x, text->y, text->mask.width, text->mask.height};
    const struct mcu_rect seen = mcu_intersect(place, within);
    write_luma(canvas, mcu_span_of(seen, 0), text);
    write_chroma(canvas, mcu_span_of(seen, 1), text);
}

static void cover(const struct mcu_i420 *canvas, struct mcu_rect clipped,
                  struct mcu_colour with, unsigned alpha)
{
    for (int plane = 0; plane < 3; plane++) {
        const struct mcu_span span = mcu_span_of(clipped, plane);
        for (int row = span.top; row < span.bottom; row++) {
            uint8_t *to = mcu_row(canvas, plane, row);
            for (int column = span.left; column < span.right; column++)
                to[column] = mcu_blend(to[column], with.yuv[plane], alpha);
        }
    }
}

void mcu_label(const struct mcu_i420 *canvas, int x, int y, struct mcu_mask mask,
               struct mcu_colour ink, struct mcu_colour plate, uint8_t plate_alpha)
{
    const struct mcu_rect clipped =
        mcu_clip(canvas, (struct mcu_rect){x, y, mask.width, mask.height});
    const struct mcu_text text = {mask, x, y, ink};
    cover(canvas, clipped, plate, plate_alpha);
    mcu_write_text(canvas, clipped, &text);
}
