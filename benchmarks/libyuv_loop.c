/* The bare loop that our compositor is measured against: libyuv scales every source into its
 * tile of one canvas, picture after picture, and nothing else.
 *
 * libyuv_loop PICTURES FRAMES WIDTH HEIGHT SOURCE_WIDTH SOURCE_HEIGHT (X Y W H)…
 * Source n is n.yuv in the working directory, FRAMES pictures of I420. Prints CPU seconds. */
#define _POSIX_C_SOURCE 200809L
#include <libyuv/scale.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint8_t *load(int number, size_t bytes)
{
    char name[32];
    snprintf(name, sizeof name, "%d.yuv", number);
    FILE *file = fopen(name, "rb");
    uint8_t *memory = malloc(bytes);
    if (!file || !memory || fread(memory, 1, bytes, file) != bytes) {
        perror(name);
        exit(1);
    }
    fclose(file);
    return memory;
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int count, char **words)
{
    int given[7];
    if (count < 11)
        return 2;
    for (int i = 1; i < 7; i++)
        given[i] = atoi(words[i]);
    const int pictures = given[1], frames = given[2], width = given[3], height = given[4];
    const int w = given[5], h = given[6], tiles = (count - 7) / 4;
    const size_t luma = (size_t)w * (size_t)h, picture = luma * 3 / 2;
    uint8_t *canvas = calloc((size_t)width * (size_t)height, 2);
    uint8_t **sources = calloc((size_t)tiles, sizeof *sources);
    if (!canvas || !sources)
        return 1;
    for (int tile = 0; tile < tiles; tile++)
        sources[tile] = load(tile, picture * (size_t)frames);
    uint8_t *u = canvas + width * height, *v = u + width * height / 4;
    const double begun = cpu_seconds();
    for (int number = 0; number < pictures; number++)
        for (int tile = 0; tile < tiles; tile++) {
            char **box = words + 7 + 4 * tile;
            const int x = atoi(box[0]), y = atoi(box[1]);
            const uint8_t *from = sources[tile] + picture * (size_t)(number % frames);
            const int chroma = y / 2 * (width / 2) + x / 2;
            I420Scale(from, w, from + luma, w / 2, from + luma + luma / 4, w / 2, w, h,
                      canvas + y * width + x, width, u + chroma, width / 2, v + chroma,
                      width / 2, atoi(box[2]), atoi(box[3]), kFilterBox);
        }
    printf("%.6f\n", cpu_seconds() - begun);
    return 0;
}
