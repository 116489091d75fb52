/* Cutting and reading, one against the other, in memory that ends where the bytes do. */
#include "checks.h"

#include "harness.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = 512 };
static struct mcu_piece pieces[ROOM];

uint8_t *noise_picture(const uint8_t *head, size_t head_size, size_t size)
{
    uint8_t *picture = malloc(size ? size : 1);
    for (size_t i = 0; i < size; i++)
        picture[i] = i < head_size ? head[i] : (uint8_t)(noise() | 2);
    return picture;
}

/* Units of any size with start codes of four bytes; the bytes are noise without zeros. */
static uint8_t *noise_units(size_t *size, int longest)
{
    const int count = between(1, 6);
    uint8_t *picture = NULL;
    *size = 0;
    for (int i = 0; i < count; i++) {
        const uint8_t head[] = {0, 0, 0, 1, (uint8_t)(0x60 | between(1, 12))};
        const size_t more = (size_t)between(5, 4 + longest);
        uint8_t *unit = noise_picture(head, sizeof head, more);
        picture = realloc(picture, *size + more);
        memcpy(picture + *size, unit, more);
        *size += more;
        free(unit);
    }
    return picture;
}

/* Every piece, written into memory of just `most` bytes and read again; what comes together.
 */
static void compare(enum mcu_video_codec codec, const uint8_t *picture, size_t size,
                    size_t most, int count)
{
    uint8_t *out = malloc(size), *packet = malloc(most);
    size_t used = 0;
    CHECK(count > 0);
    for (int i = 0; i < count; i++) {
        const size_t written = mcu_piece_write(&pieces[i], packet);
        CHECK(written <= most);
        CHECK(mcu_payload_append(codec, packet, written, !i, out, size, &used) == 0);
    }
    CHECK(used == size && memcmp(out, picture, size) == 0);
    free(packet);
    free(out);
}

static void what_is_cut_comes_together_again(void)
{
    for (uint32_t round = 1; round < 2000; round++) {
        seed(round);
        const enum mcu_video_codec codec =
            (enum mcu_video_codec)between(MCU_VP8, MCU_H264_MODE0);
        const size_t most = (size_t)between(64, 1400);
        size_t size = (size_t)between(1, 9000);
        uint8_t *picture =
            codec == MCU_VP8 ? noise_picture(NULL, 0, size)
                             : noise_units(&size, codec == MCU_H264 ? between(0, 1) ? 4000 : 60
                                                                    : (int)most);
        const int count = mcu_payload_cut(codec, picture, size, most, 7, pieces, ROOM);
        compare(codec, picture, size, most, count);
        free(picture);
    }
}

/* All of one size but the last, which is at most a byte shorter for each of the others. */
static bool are_even(const struct mcu_piece *first, int count)
{
    const size_t each = first[0].prefix_size + first[0].size;
    for (int i = 1; i < count; i++) {
        const size_t size = first[i].prefix_size + first[i].size;
        if (i < count - 1 ? size != each : size > each || size + (size_t)count <= each)
            return false;
    }
    return true;
}

static void pieces_are_even_so_that_a_batch_goes_by_gso(void)
{
    const uint8_t head[] = {0, 0, 1, 0x65};
    for (uint32_t round = 1; round < 500; round++) {
        seed(round);
        const size_t size = (size_t)between(10, 60000), most = (size_t)between(200, 1200);
        uint8_t *picture = noise_picture(head, sizeof head, size);
        int count = mcu_payload_cut(MCU_VP8, picture, size, most, 0, pieces, ROOM);
        CHECK(count == (int)((size + most - 5) / (most - 4)) && are_even(pieces, count));
        count = mcu_payload_cut(MCU_H264, picture, size, most, 0, pieces, ROOM);
        CHECK(count > 0 && are_even(pieces, count));
        free(picture);
    }
}

static void mode_0_refuses_a_unit_that_does_not_fit(void)
{
    const uint8_t head[] = {0, 0, 0, 1, 0x65};
    uint8_t *picture = noise_picture(head, sizeof head, 105);
    CHECK(mcu_payload_cut(MCU_H264_MODE0, picture, 105, 101, 0, pieces, ROOM) == 1);
    CHECK(mcu_payload_cut(MCU_H264_MODE0, picture, 105, 100, 0, pieces, ROOM) == -1);
    free(picture);
}

static void more_pieces_than_there_is_room_for_are_refused(void)
{
    const uint8_t head[] = {0, 0, 0, 1, 0x65};
    uint8_t *picture = noise_picture(head, sizeof head, 1000);
    for (int codec = MCU_VP8; codec <= MCU_H264; codec++) {
        const int count =
            mcu_payload_cut((enum mcu_video_codec)codec, picture, 1000, 100, 0, pieces, ROOM);
        CHECK(count > 1);
        CHECK(mcu_payload_cut((enum mcu_video_codec)codec, picture, 1000, 100, 0, pieces,
                              (size_t)count) == count);
        CHECK(mcu_payload_cut((enum mcu_video_codec)codec, picture, 1000, 100, 0, pieces,
                              (size_t)count - 1) == -1);
    }
    free(picture);
}

/* Whatever is appended fits in what MCU_PAYLOAD_ADDS says, and looking tells what is
 * malformed. */
static void check_any_payload(enum mcu_video_codec codec, const uint8_t *payload, size_t size)
{
    struct mcu_payload seen;
    const size_t room = MCU_PAYLOAD_ADDS(size);
    uint8_t *out = malloc(room);
    size_t used = 0, all = 0;
    const bool good = mcu_payload_look(codec, payload, size, &seen) == 0;
    CHECK((mcu_payload_append(codec, payload, size, false, out, room, &used) == 0) == good);
    if (good) { /* one byte less is no room, and nothing is kept */
        uint8_t *tight = malloc(used);
        CHECK(mcu_payload_append(codec, payload, size, false, tight, used - 1, &all) == -1);
        CHECK(all == 0);
        free(tight);
    }
    free(out);
}

static void any_bytes_are_read_within_their_bounds(void)
{
    for (uint32_t round = 1; round < 20000; round++) {
        seed(round);
        const uint8_t types[] = {24, 28, 0x78, 0x7C, 1, 0x90, 0x80, 0};
        const uint8_t head[] = {types[between(0, 7)], (uint8_t)noise(),
                                (uint8_t)between(0, 9)};
        const size_t size = (size_t)between(0, 40);
        uint8_t *payload = noise_picture(head, (size_t)between(0, 3), size);
        check_any_payload((enum mcu_video_codec)between(MCU_VP8, MCU_H264_MODE0), payload,
                          size);
        free(payload);
    }
}

void payload_tests(void)
{
    TEST(what_is_cut_comes_together_again);
    TEST(pieces_are_even_so_that_a_batch_goes_by_gso);
    TEST(mode_0_refuses_a_unit_that_does_not_fit);
    TEST(more_pieces_than_there_is_room_for_are_refused);
    TEST(any_bytes_are_read_within_their_bounds);
}
