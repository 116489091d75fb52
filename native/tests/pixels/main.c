/* Every kernel against its plain twin, after dav1d's checkasm: noise and extremes, odd sizes,
 * 1x1, rectangles partly and wholly outside; memory that ends at a forbidden page. */
#include "checks.h"

#include <mcu/copy.h>
#include <mcu/draw.h>
#include <mcu/scale.h>

#include <stdio.h>
#include <string.h>

/* A canvas twice over: what we draw on, and what the twin does. */
struct pair {
    struct guarded got, want;
};

static struct pair any_canvas(bool worst)
{
    struct pair pair;
    pair.got = guarded_picture(between(1, 50), between(1, 50), worst);
    pair.want = guarded_copy(&pair.got);
    return pair;
}

static void compare(struct pair *pair)
{
    CHECK(equal(&pair->got, &pair->want));
    release(&pair->got);
    release(&pair->want);
}

static void fill_is_its_twin(bool worst)
{
    struct pair pair = any_canvas(worst);
    const struct mcu_rect rect = any_rect();
    const struct mcu_colour colour = any_colour();
    mcu_fill(&pair.got.picture, rect, colour);
    twin_fill(&pair.want.picture, rect, colour);
    compare(&pair);
}

static void border_is_its_twin(bool worst)
{
    struct pair pair = any_canvas(worst);
    const struct mcu_rect rect = any_rect();
    const struct mcu_colour colour = any_colour();
    const int thickness = between(0, 40);
    mcu_border(&pair.got.picture, rect, thickness, colour);
    twin_border(&pair.want.picture, rect, thickness, colour);
    compare(&pair);
}

static void label_is_its_twin(bool worst)
{
    struct pair pair = any_canvas(worst);
    const struct mcu_mask mask = any_mask(worst);
    const struct mcu_colour ink = any_colour(), plate = any_colour();
    const uint8_t alpha = (uint8_t)noise();
    const int x = between(-45, 55), y = between(-45, 55);
    mcu_label(&pair.got.picture, x, y, mask, ink, plate, alpha);
    twin_label(&pair.want.picture, x, y, mask, ink, plate, alpha);
    release_mask(mask);
    compare(&pair);
}

static void avatar_is_its_twin(bool worst)
{
    struct pair pair = any_canvas(worst);
    const struct mcu_rect tile = any_rect();
    const struct mcu_avatar avatar = {any_colour(), any_colour(), any_colour(), between(0, 40),
                                      any_mask(worst)};
    mcu_avatar(&pair.got.picture, tile, &avatar);
    twin_avatar(&pair.want.picture, tile, &avatar);
    release_mask(avatar.initials);
    compare(&pair);
}

static void copy_is_its_twin(bool worst)
{
    struct pair pair = any_canvas(worst);
    struct guarded source = guarded_picture(between(1, 50), between(1, 50), worst);
    const struct mcu_rect from = any_rect();
    const int x = between(-50, 50), y = between(-50, 50);
    mcu_copy(&pair.got.picture, &source.picture, from, x, y);
    twin_copy(&pair.want.picture, &source.picture, from, x, y);
    release(&source);
    compare(&pair);
}

static void scale_is_its_twin(bool worst)
{
    struct pair pair = any_canvas(worst);
    const int most = between(0, 3) ? 90 : 4; /* very small ones are often the odd ones */
    struct guarded source = guarded_picture(between(1, most), between(1, most), worst);
    const struct mcu_rect tile = any_rect();
    struct mcu_rect drawn;
    CHECK(mcu_scale_into_tile(&pair.got.picture, &source.picture, tile, &drawn) == 0);
    twin_scale_into_tile(&pair.want.picture, &source.picture, tile);
    const struct mcu_rect seen = mcu_clip(
        &pair.got.picture, mcu_letterbox(source.picture.width, source.picture.height, tile));
    CHECK(memcmp(&drawn, &seen, sizeof seen) == 0);
    release(&source);
    compare(&pair);
}

/* Sizes at which libyuv's wide paths run, from memory that ends at a forbidden page. */
static void large_scale_is_its_twin(bool worst)
{
    struct guarded source = guarded_picture(between(200, 1300), between(100, 750), worst);
    struct pair pair;
    pair.got = guarded_picture(between(300, 660), between(200, 370), worst);
    pair.want = guarded_copy(&pair.got);
    const struct mcu_rect tile = {between(-20, 100), between(-20, 100), between(20, 600),
                                  between(20, 400)};
    struct mcu_rect drawn;
    CHECK(mcu_scale_into_tile(&pair.got.picture, &source.picture, tile, &drawn) == 0);
    twin_scale_into_tile(&pair.want.picture, &source.picture, tile);
    release(&source);
    compare(&pair);
}

static void blend_is_exact(void)
{
    for (unsigned under = 0; under < 256; under++)
        for (unsigned over = 0; over < 256; over++)
            for (unsigned alpha = 0; alpha < 256; alpha++) {
                const double exact = (under * (255.0 - alpha) + over * (double)alpha) / 255.0;
                const unsigned failed_before = failures;
                CHECK(mcu_blend((uint8_t)under, (uint8_t)over, (uint8_t)alpha) ==
                      (uint8_t)(exact + 0.5));
                if (failures > failed_before)
                    return;
            }
}

static const struct {
    const char *name;
    void (*run)(bool worst);
    uint32_t rounds;
} kernels[] = {
    {"fill", fill_is_its_twin, 4000},
    {"border", border_is_its_twin, 4000},
    {"label", label_is_its_twin, 4000},
    {"avatar", avatar_is_its_twin, 4000},
    {"copy", copy_is_its_twin, 4000},
    {"scale_into_tile", scale_is_its_twin, 4000},
    {"the same, large", large_scale_is_its_twin, 60},
};

int main(void)
{
    blend_is_exact();
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        const unsigned before = failures;
        for (uint32_t round = 0; round < kernels[i].rounds && failures < before + 5; round++) {
            seed(round + 1);
            kernels[i].run(round % 2);
        }
        printf("%-16s %s\n", kernels[i].name, failures == before ? "is its twin" : "DIFFERS");
    }
    return failures != 0;
}
