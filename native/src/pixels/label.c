#include "text.h"

enum { CHUNK = 64 };

static inline void write_row(uint8_t *restrict to, const uint8_t *restrict alpha, int width,
                             int plane, const struct mcu_text *text)
{
    const uint8_t ink = text->ink.yuv[plane], plate = text->plate.yuv[plane];
    const uint8_t plate_alpha = text->plate_alpha;
    for (int i = 0; i < width; i++)
        to[i] = mcu_blend(mcu_blend(to[i], plate, plate_alpha), ink, alpha[i]);
}

static void write_luma(const struct mcu_i420 *canvas, struct mcu_span span,
                       const struct mcu_text *text)
{
    const struct mcu_mask mask = text->mask;
    for (int row = span.top; row < span.bottom; row++)
        write_row(mcu_row(canvas, 0, row) + span.left,
                  mask.alpha + (ptrdiff_t)(row - text->y) * mask.width + span.left - text->x,
                  span.right - span.left, 0, text);
}

/* The mask's opacity at `count` chroma samples, at most CHUNK, of which the first one's top
 * left pixel is (column, row) of the mask: the mean of four, where those beyond the mask are
 * 0. */
static void mean_alpha(uint8_t *restrict mean, struct mcu_mask mask, int column, int row,
                       int count)
{
    static const uint8_t nothing[2 * CHUNK];
    const uint8_t *at = mask.alpha + (ptrdiff_t)row * mask.width + column;
    const uint8_t *below = row + 1 < mask.height ? at + mask.width : nothing;
    const int whole = column + 2 * count <= mask.width ? count : count - 1;
    for (int i = 0; i < whole; i++)
        mean[i] =
            (uint8_t)((at[2 * i] + at[2 * i + 1] + below[2 * i] + below[2 * i + 1] + 2) >> 2);
    if (whole < count)
        mean[whole] = (uint8_t)((at[2 * whole] + below[2 * whole] + 2) >> 2);
}

static void write_chroma(const struct mcu_i420 *canvas, struct mcu_span span,
                         const struct mcu_text *text)
{
    uint8_t alpha[CHUNK];
    for (int row = span.top; row < span.bottom; row++)
        for (int left = span.left; left < span.right; left += CHUNK) {
            const int count = span.right - left < CHUNK ? span.right - left : CHUNK;
            mean_alpha(alpha, text->mask, 2 * left - text->x, 2 * row - text->y, count);
            for (int plane = 1; plane < 3; plane++)
                write_row(mcu_row(canvas, plane, row) + left, alpha, count, plane, text);
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

void mcu_label(const struct mcu_i420 *canvas, int x, int y, struct mcu_mask mask,
               struct mcu_colour ink, struct mcu_colour plate, uint8_t plate_alpha)
{
    const struct mcu_rect clipped =
        mcu_clip(canvas, (struct mcu_rect){x, y, mask.width, mask.height});
    const struct mcu_text text = {mask, x, y, ink, plate, plate_alpha};
    mcu_write_text(canvas, clipped, &text);
}
