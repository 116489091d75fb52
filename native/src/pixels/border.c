#include <mcu/draw.h>

void mcu_border(const struct mcu_i420 *canvas, struct mcu_rect rect, int thickness,
                struct mcu_colour colour)
{
    if (2 * thickness >= rect.width || 2 * thickness >= rect.height) {
        mcu_fill(canvas, rect, colour);
        return;
    }
    const int right = rect.x + rect.width - thickness;
    const int bottom = rect.y + rect.height - thickness;
    const int inner = rect.height - 2 * thickness;
    const struct mcu_rect edges[] = {
        {rect.x, rect.y, rect.width, thickness},
        {rect.x, bottom, rect.width, thickness},
        {rect.x, rect.y + thickness, thickness, inner},
        {right, rect.y + thickness, thickness, inner},
    };
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        mcu_fill(canvas, edges[i], colour);
}
