#include <mcu/draw.h>

#include <string.h>

void mcu_fill(const struct mcu_i420 *canvas, struct mcu_rect rect, struct mcu_colour colour)
{
    const struct mcu_rect clipped = mcu_clip(canvas, rect);
    for (int plane = 0; plane < 3; plane++) {
        const struct mcu_span span = mcu_span_of(clipped, plane);
        for (int row = span.top; row < span.bottom; row++)
            memset(mcu_row(canvas, plane, row) + span.left, colour.yuv[plane],
                   (size_t)(span.right - span.left));
    }
}
