#include <mcu/draw.h>

#include <string.h>

/* As memset, for the few bytes across of a border's sides: two stores that may overlap. */
static inline void set_narrow(uint8_t *to, uint64_t pattern, size_t width)
{
    if (width >= 8) {
        memcpy(to, &pattern, 8);
        memcpy(to + width - 8, &pattern, 8);
    } else if (width >= 4) {
        memcpy(to, &pattern, 4);
        memcpy(to + width - 4, &pattern, 4);
    } else if (width >= 2) {
        memcpy(to, &pattern, 2);
        memcpy(to + width - 2, &pattern, 2);
    } else if (width) {
        *to = (uint8_t)pattern;
    }
}

static void fill_span(const struct mcu_i420 *canvas, int plane, struct mcu_span span,
                      uint8_t value)
{
    const size_t width = (size_t)(span.right - span.left);
    const uint64_t pattern = value * UINT64_C(0x0101010101010101);
    for (int row = span.top; row < span.bottom; row++) {
        uint8_t *to = mcu_row(canvas, plane, row) + span.left;
        if (width <= 16)
            set_narrow(to, pattern, width);
        else
            memset(to, value, width);
    }
}

void mcu_fill(const struct mcu_i420 *canvas, struct mcu_rect rect, struct mcu_colour colour)
{
    const struct mcu_rect clipped = mcu_clip(canvas, rect);
    for (int plane = 0; plane < 3; plane++)
        fill_span(canvas, plane, mcu_span_of(clipped, plane), colour.yuv[plane]);
}
