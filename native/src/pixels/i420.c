#include <mcu/i420.h>

static int max(int a, int b) { return a > b ? a : b; }
static int min(int a, int b) { return a < b ? a : b; }

struct mcu_rect mcu_intersect(struct mcu_rect a, struct mcu_rect b)
{
    const int left = max(a.x, b.x), top = max(a.y, b.y);
    const int right = min(a.x + a.width, b.x + b.width);
    const int bottom = min(a.y + a.height, b.y + b.height);
    if (left >= right || top >= bottom)
        return (struct mcu_rect){0, 0, 0, 0};
    return (struct mcu_rect){left, top, right - left, bottom - top};
}

struct mcu_rect mcu_clip(const struct mcu_i420 *picture, struct mcu_rect rect)
{
    return mcu_intersect(rect, (struct mcu_rect){0, 0, picture->width, picture->height});
}

struct mcu_span mcu_span_of(struct mcu_rect clipped, int plane)
{
    const int round = plane ? 1 : 0, shift = plane ? 1 : 0;
    return (struct mcu_span){
        .left = (clipped.x + round) >> shift,
        .top = (clipped.y + round) >> shift,
        .right = (clipped.x + clipped.width + round) >> shift,
        .bottom = (clipped.y + clipped.height + round) >> shift,
    };
}
