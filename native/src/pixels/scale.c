#include <mcu/scale.h>

#include <mcu/copy.h>
#include <mcu/draw.h>

#include <libyuv/scale.h>

#include <stdlib.h>

static const struct mcu_colour BLACK = {{16, 128, 128}};

static int even_down(int n) { return n & ~1; }
static int even_up(int n) { return even_down(n + 1); }

/* `side` * `by` / `of` to the nearest even number, at least 2. */
static int in_proportion(int side, int by, int of)
{
    const int64_t pairs = ((int64_t)side * by + of) / (2 * (int64_t)of);
    return pairs < 1 ? 2 : (int)(2 * pairs);
}

struct mcu_rect mcu_letterbox(int width, int height, struct mcu_rect tile)
{
    const int left = even_up(tile.x), top = even_up(tile.y);
    const int room_x = even_down(tile.x + tile.width) - left;
    const int room_y = even_down(tile.y + tile.height) - top;
    if (room_x < 2 || room_y < 2)
        return (struct mcu_rect){0, 0, 0, 0};
    int w = room_x, h = room_y;
    if ((int64_t)width * room_y > (int64_t)room_x * height)
        h = in_proportion(height, room_x, width);
    else
        w = in_proportion(width, room_y, height);
    return (struct mcu_rect){left + even_down((room_x - w) / 2),
                             top + even_down((room_y - h) / 2), w, h};
}

/* The tile around a picture in it: four bars, each of which may be empty. */
static void fill_bars(const struct mcu_i420 *canvas, struct mcu_rect tile, struct mcu_rect box)
{
    const int right = box.x + box.width, below = box.y + box.height;
    const struct mcu_rect bars[] = {
        {tile.x, tile.y, tile.width, box.y - tile.y},
        {tile.x, below, tile.width, tile.y + tile.height - below},
        {tile.x, box.y, box.x - tile.x, box.height},
        {right, box.y, tile.x + tile.width - right, box.height},
    };
    for (size_t i = 0; i < sizeof bars / sizeof *bars; i++)
        mcu_fill(canvas, bars[i], BLACK);
}

/* `box` is wholly inside the canvas. */
static void scale_into(const struct mcu_i420 *canvas, const struct mcu_i420 *source,
                       struct mcu_rect box)
{
    if (box.width == source->width && box.height == source->height) {
        mcu_copy(canvas, source, (struct mcu_rect){0, 0, box.width, box.height}, box.x, box.y);
        return;
    }
    const int shrinks = box.width < source->width || box.height < source->height;
    for (int plane = 0; plane < 3; plane++) {
        const int shift = plane ? 1 : 0;
        const struct mcu_span span = mcu_span_of(box, plane);
        ScalePlane(source->plane[plane], (int)source->stride[plane],
                   (source->width + shift) >> shift, (source->height + shift) >> shift,
                   mcu_row(canvas, plane, span.top) + span.left, (int)canvas->stride[plane],
                   span.right - span.left, span.bottom - span.top,
                   shrinks ? kFilterBox : kFilterBilinear);
    }
}

/* Off the canvas first, then the part that is seen. `box` has even sides. */
static int scale_and_cut(const struct mcu_i420 *canvas, const struct mcu_i420 *source,
                         struct mcu_rect box)
{
    const size_t luma = (size_t)box.width * (size_t)box.height;
    uint8_t *scratch = malloc(luma + luma / 2);
    if (!scratch)
        return -1;
    const struct mcu_i420 whole = {
        .plane = {scratch, scratch + luma, scratch + luma + luma / 4},
        .stride = {box.width, box.width / 2, box.width / 2},
        .width = box.width,
        .height = box.height,
    };
    const struct mcu_rect all = {0, 0, box.width, box.height};
    scale_into(&whole, source, all);
    mcu_copy(canvas, &whole, all, box.x, box.y);
    free(scratch);
    return 0;
}

int mcu_scale_into_tile(const struct mcu_i420 *canvas, const struct mcu_i420 *source,
                        struct mcu_rect tile, struct mcu_rect *drawn)
{
    const struct mcu_rect box = mcu_letterbox(source->width, source->height, tile);
    *drawn = mcu_clip(canvas, box);
    if (drawn->width == box.width && drawn->height == box.height) {
        if (box.width)
            scale_into(canvas, source, box);
    } else if (drawn->width && scale_and_cut(canvas, source, box)) {
        return -1;
    }
    if (box.width)
        fill_bars(canvas, tile, box);
    else
        mcu_fill(canvas, tile, BLACK);
    return 0;
}
