#include <mcu/copy.h>

#include <string.h>

static struct mcu_rect moved(struct mcu_rect rect, int x, int y)
{
    return (struct mcu_rect){rect.x + x, rect.y + y, rect.width, rect.height};
}

void mcu_copy(const struct mcu_i420 *canvas, const struct mcu_i420 *source,
              struct mcu_rect from, int x, int y)
{
    const int right = x - from.x, down = y - from.y;
    const struct mcu_rect to = mcu_clip(canvas, moved(mcu_clip(source, from), right, down));
    for (int plane = 0; plane < 3; plane++) {
        const struct mcu_span span = mcu_span_of(to, plane);
        const int shift = plane ? 1 : 0;
        const int back = -right >> shift, up = -down >> shift; /* rounded down */
        for (int row = span.top; row < span.bottom; row++)
            memcpy(mcu_row(canvas, plane, row) + span.left,
                   mcu_row(source, plane, row + up) + span.left + back,
                   (size_t)(span.right - span.left));
    }
}
