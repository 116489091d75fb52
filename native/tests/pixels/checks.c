#define _DEFAULT_SOURCE
#include "checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t whole_pages(size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) / page * page;
}

/* `bytes` that end where the page after them may not be touched. */
static uint8_t *map_guarded(size_t bytes, void **mapped)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = whole_pages(bytes);
    uint8_t *at =
        mmap(NULL, pages + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED || mprotect(at + pages, page, PROT_NONE)) {
        perror("guarded memory");
        exit(2);
    }
    *mapped = at;
    return at + pages - bytes;
}

static void unmap_guarded(void *mapped, size_t bytes)
{
    munmap(mapped, whole_pages(bytes) + (size_t)sysconf(_SC_PAGESIZE));
}

static void make_noise(uint8_t *at, size_t bytes, bool worst)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = worst ? (noise() & 16 ? 255 : 0) : (uint8_t)(noise() >> 8);
}

struct guarded guarded_picture(int width, int height, bool worst)
{
    struct guarded made = {.picture = {.width = width, .height = height}};
    for (int plane = 0; plane < 3; plane++) {
        const int w = plane ? (width + 1) / 2 : width, h = plane ? (height + 1) / 2 : height;
        const int stride = w + between(0, 3);
        made.size[plane] = (size_t)stride * (size_t)(h - 1) + (size_t)w;
        made.picture.stride[plane] = stride;
        made.picture.plane[plane] = map_guarded(made.size[plane], &made.mapped[plane]);
        make_noise(made.picture.plane[plane], made.size[plane], worst);
    }
    return made;
}

struct guarded guarded_copy(const struct guarded *other)
{
    struct guarded made = *other;
    for (int plane = 0; plane < 3; plane++) {
        made.picture.plane[plane] = map_guarded(made.size[plane], &made.mapped[plane]);
        memcpy(made.picture.plane[plane], other->picture.plane[plane], made.size[plane]);
    }
    return made;
}

void release(struct guarded *picture)
{
    for (int plane = 0; plane < 3; plane++)
        unmap_guarded(picture->mapped[plane], picture->size[plane]);
}

bool equal(const struct guarded *a, const struct guarded *b)
{
    for (int plane = 0; plane < 3; plane++)
        if (memcmp(a->picture.plane[plane], b->picture.plane[plane], a->size[plane]) != 0)
            return false;
    return true;
}

struct mcu_rect any_rect(void)
{
    return (struct mcu_rect){between(-50, 50), between(-50, 50), between(0, 70),
                             between(0, 70)};
}

struct mcu_colour any_colour(void)
{
    return (struct mcu_colour){{(uint8_t)noise(), (uint8_t)noise(), (uint8_t)noise()}};
}

struct mcu_mask any_mask(bool worst)
{
    const int width = between(1, 40), height = between(1, 40);
    uint8_t *alpha = malloc((size_t)width * (size_t)height);
    if (!alpha)
        exit(2);
    make_noise(alpha, (size_t)width * (size_t)height, worst);
    return (struct mcu_mask){alpha, width, height};
}

void release_mask(struct mcu_mask mask) { free((void *)(uintptr_t)mask.alpha); }
