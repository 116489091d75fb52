#include <mcu/change.h>

#include <stdlib.h>
#include <string.h>

#define BLOCK 16                        /* samples on a side: a macroblock */
#define EVERY 4                         /* rows, of which one is looked at */
#define SAMPLES (BLOCK * BLOCK / EVERY) /* of a block, that are looked at */

int mcu_change_begin(struct mcu_change *change, int width, int height)
{
    *change = (struct mcu_change){.across = width / BLOCK, .down = height / BLOCK};
    const size_t blocks = (size_t)change->across * (size_t)change->down;
    change->last = malloc(blocks ? blocks * SAMPLES : 1);
    return change->last ? 0 : -1;
}

void mcu_change_end(struct mcu_change *change) { free(change->last); }

static void look(uint8_t *samples, const uint8_t *block, ptrdiff_t stride)
{
    for (int row = 0; row < BLOCK / EVERY; row++)
        memcpy(samples + row * BLOCK, block + row * EVERY * stride, BLOCK);
}

/* Sum of absolute differences: one instruction for sixteen, as compilers know it. */
static unsigned differ(const uint8_t *one, const uint8_t *other)
{
    int sum = 0;
    for (int at = 0; at < SAMPLES; at++)
        sum += abs(one[at] - other[at]);
    return (unsigned)sum;
}

static unsigned from_mean(const uint8_t *samples)
{
    uint8_t mean[SAMPLES] = {0};
    memset(mean, (int)(differ(samples, mean) / SAMPLES), sizeof mean);
    return differ(samples, mean);
}

struct mcu_newness mcu_change_next(struct mcu_change *change, const struct mcu_i420 *picture)
{
    const int blocks = change->across * change->down;
    uint64_t since = 0, whole = 0;
    for (int block = 0; block < blocks; block++) {
        const int x = block % change->across * BLOCK, y = block / change->across * BLOCK;
        uint8_t now[SAMPLES], *last = change->last + (ptrdiff_t)block * SAMPLES;
        look(now, picture->plane[0] + y * picture->stride[0] + x, picture->stride[0]);
        const unsigned by_itself = from_mean(now);
        const unsigned new = change->any ? differ(now, last) : by_itself;
        whole += by_itself;
        since += new < by_itself ? new : by_itself;
        memcpy(last, now, SAMPLES);
    }
    change->any = true;
    const double samples = (double)blocks * SAMPLES;
    if (!blocks)
        return (struct mcu_newness){1, 1};
    return (struct mcu_newness){(double)since / samples, (double)whole / samples};
}
