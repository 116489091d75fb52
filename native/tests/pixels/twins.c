/* The plain twins: for every sample of the canvas, ask whose it is and compute it. No spans,
 * no clipping, no fast path; floating point only where it is exact. */
#include "checks.h"

#include <mcu/draw.h>
#include <mcu/scale.h>

#include <libyuv/scale.h>

#include <stdlib.h>

struct sample {
    int plane, column, row; /* in its plane */
    int x, y;               /* the luma pixel that decides whose it is */
    uint8_t *at;
};

typedef void visitor(struct sample sample, const void *what);

static void each_sample(const struct mcu_i420 *canvas, visitor *visit, const void *what)
{
    for (int plane = 0; plane < 3; plane++) {
        const int step = plane ? 2 : 1;
        for (int y = 0; y < canvas->height; y += step)
            for (int x = 0; x < canvas->width; x += step) {
                const int column = x / step, row = y / step;
                visit((struct sample){plane, column, row, x, y,
                                      canvas->plane[plane] + row * canvas->stride[plane] +
                                          column},
                      what);
            }
    }
}

static bool inside(struct mcu_rect rect, int x, int y)
{
    return x >= rect.x && x < rect.x + rect.width && y >= rect.y && y < rect.y + rect.height;
}

static uint8_t rounded_blend(uint8_t under, uint8_t over, int alpha)
{
    const double exact = (under * (255.0 - alpha) + over * (double)alpha) / 255.0;
    return (uint8_t)(exact + 0.5);
}

struct fill_job {
    struct mcu_rect rect, hole;
    struct mcu_colour colour;
};

static void fill_sample(struct sample sample, const void *what)
{
    const struct fill_job *job = what;
    if (inside(job->rect, sample.x, sample.y) && !inside(job->hole, sample.x, sample.y))
        *sample.at = job->colour.yuv[sample.plane];
}

void twin_fill(const struct mcu_i420 *canvas, struct mcu_rect rect, struct mcu_colour colour)
{
    each_sample(canvas, fill_sample, &(struct fill_job){rect, {0, 0, 0, 0}, colour});
}

void twin_border(const struct mcu_i420 *canvas, struct mcu_rect rect, int thickness,
                 struct mcu_colour colour)
{
    const struct mcu_rect hole = {rect.x + thickness, rect.y + thickness,
                                  rect.width - 2 * thickness, rect.height - 2 * thickness};
    each_sample(canvas, fill_sample, &(struct fill_job){rect, hole, colour});
}

struct write_job {
    struct mcu_mask mask;
    int x, y;
    struct mcu_colour ink, plate;
    int plate_alpha;
    struct mcu_rect within;
};

static int mask_at(struct mcu_mask mask, int x, int y)
{
    if (!inside((struct mcu_rect){0, 0, mask.width, mask.height}, x, y))
        return 0;
    return mask.alpha[(ptrdiff_t)y * mask.width + x];
}

static void write_sample(struct sample sample, const void *what)
{
    const struct write_job *job = what;
    const int x = sample.x - job->x, y = sample.y - job->y;
    if (!inside(job->within, sample.x, sample.y) ||
        !inside((struct mcu_rect){0, 0, job->mask.width, job->mask.height}, x, y))
        return;
    int alpha = mask_at(job->mask, x, y);
    if (sample.plane)
        alpha = (alpha + mask_at(job->mask, x + 1, y) + mask_at(job->mask, x, y + 1) +
                 mask_at(job->mask, x + 1, y + 1) + 2) /
                4;
    *sample.at = rounded_blend(*sample.at, job->plate.yuv[sample.plane], job->plate_alpha);
    *sample.at = rounded_blend(*sample.at, job->ink.yuv[sample.plane], alpha);
}

void twin_label(const struct mcu_i420 *canvas, int x, int y, struct mcu_mask mask,
                struct mcu_colour ink, struct mcu_colour plate, uint8_t plate_alpha)
{
    const struct mcu_rect all = {0, 0, canvas->width, canvas->height};
    const struct write_job job = {mask, x, y, ink, plate, plate_alpha, all};
    each_sample(canvas, write_sample, &job);
}

struct disc_job {
    struct mcu_rect tile;
    const struct mcu_avatar *avatar;
};

static int points_of(const struct disc_job *job, int column, int row)
{
    if (!inside(job->tile, column, row))
        return 0;
    const double radius = job->avatar->radius;
    int points = 0;
    for (int point = 0; point < 16; point++) {
        const double x =
            column + 0.125 + 0.25 * (point % 4) - job->tile.x - job->tile.width / 2.0;
        const double y =
            row + 0.125 + 0.25 * (point / 4) - job->tile.y - job->tile.height / 2.0;
        points += x * x + y * y <= radius * radius;
    }
    return points;
}

static void disc_sample(struct sample sample, const void *what)
{
    const struct disc_job *job = what;
    if (!inside(job->tile, sample.x, sample.y))
        return;
    double points = points_of(job, sample.x, sample.y);
    if (sample.plane)
        points = (points + points_of(job, sample.x + 1, sample.y) +
                  points_of(job, sample.x, sample.y + 1) +
                  points_of(job, sample.x + 1, sample.y + 1)) /
                 4;
    *sample.at = rounded_blend(*sample.at, job->avatar->disc.yuv[sample.plane],
                               (int)(points * 255 / 16 + 0.5));
}

static int half_down(int n) { return (n - (n % 2 + 2) % 2) / 2; }

void twin_avatar(const struct mcu_i420 *canvas, struct mcu_rect tile,
                 const struct mcu_avatar *avatar)
{
    const struct mcu_mask mask = avatar->initials;
    twin_fill(canvas, tile, avatar->background);
    each_sample(canvas, disc_sample, &(struct disc_job){tile, avatar});
    const struct write_job job = {.mask = mask,
                                  .x = half_down(2 * tile.x + tile.width - mask.width),
                                  .y = half_down(2 * tile.y + tile.height - mask.height),
                                  .ink = avatar->ink,
                                  .within = tile};
    each_sample(canvas, write_sample, &job);
}

struct copy_job {
    const struct mcu_i420 *source;
    struct mcu_rect from;
    int x, y;
};

static void copy_sample(struct sample sample, const void *what)
{
    const struct copy_job *job = what;
    const int x = sample.x - job->x + job->from.x, y = sample.y - job->y + job->from.y;
    const struct mcu_rect all = {0, 0, job->source->width, job->source->height};
    if (!inside(job->from, x, y) || !inside(all, x, y))
        return;
    const int step = sample.plane ? 2 : 1;
    *sample.at =
        job->source
            ->plane[sample.plane][y / step * job->source->stride[sample.plane] + x / step];
}

void twin_copy(const struct mcu_i420 *canvas, const struct mcu_i420 *source,
               struct mcu_rect from, int x, int y)
{
    each_sample(canvas, copy_sample, &(struct copy_job){source, from, x, y});
}

/* libyuv alone, from a copy whose rows have room after them, into memory of its own. */
static void scale_plane(const struct mcu_i420 *source, const struct mcu_i420 *to, int plane,
                        enum FilterMode filter)
{
    const int step = plane ? 2 : 1;
    const int width = (source->width + step - 1) / step;
    const int height = (source->height + step - 1) / step;
    const int stride = width + 64;
    uint8_t *roomy = calloc((size_t)stride, (size_t)height);
    if (!roomy)
        exit(2);
    for (int row = 0; row < height; row++)
        for (int column = 0; column < stride; column++)
            roomy[row * stride + column] =
                source->plane[plane][row * source->stride[plane] +
                                     (column < width ? column : width - 1)];
    ScalePlane(roomy, stride, width, height, to->plane[plane], (int)to->stride[plane],
               to->width / step, to->height / step, filter);
    free(roomy);
}

void twin_scale_into_tile(const struct mcu_i420 *canvas, const struct mcu_i420 *source,
                          struct mcu_rect tile)
{
    const struct mcu_rect box = mcu_letterbox(source->width, source->height, tile);
    twin_fill(canvas, tile, (struct mcu_colour){{16, 128, 128}});
    if (!box.width)
        return;
    struct guarded scaled = guarded_picture(box.width, box.height, false);
    const bool shrinks = box.width < source->width || box.height < source->height;
    for (int plane = 0; plane < 3; plane++)
        scale_plane(source, &scaled.picture, plane, shrinks ? kFilterBox : kFilterBilinear);
    twin_copy(canvas, &scaled.picture, (struct mcu_rect){0, 0, box.width, box.height}, box.x,
              box.y);
    release(&scaled);
}
