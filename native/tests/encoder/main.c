/* The VP8 encoder, under sanitizers; that its pictures can be seen is tested through Python.
 */
#include "harness.h"

#include <mcu/vp8_encoder.h>

#include <stdlib.h>

#define WIDTH 64
#define HEIGHT 48

static uint8_t luma[WIDTH * HEIGHT], chroma[2][WIDTH * HEIGHT / 4];
static const struct mcu_i420 picture = {
    {luma, chroma[0], chroma[1]}, {WIDTH, WIDTH / 2, WIDTH / 2}, WIDTH, HEIGHT};

static void shake(void)
{
    for (size_t i = 0; i < sizeof luma; i++)
        luma[i] = (uint8_t)noise();
}

static void key_frames_come_first_and_when_asked_for(void)
{
    struct mcu_vp8_encoder *encoder = mcu_vp8_encoder_new(WIDTH, HEIGHT, 30, 2000000, false);
    struct mcu_vp8_picture encoded;
    for (int number = 0; number < 20; number++) {
        shake();
        CHECK(mcu_vp8_encode(encoder, &picture, number * 3000, number == 7, &encoded) == 1);
        CHECK(encoded.size > 0 && encoded.key == (number == 0 || number == 7));
        CHECK((encoded.data[0] & 1) == !encoded.key); /* the frame tag, RFC 6386 section 9.1 */
    }
    mcu_vp8_encoder_free(encoder);
}

static uint64_t bytes_of(struct mcu_vp8_encoder *encoder, int from, int to)
{
    struct mcu_vp8_picture encoded;
    uint64_t bytes = 0;
    for (int number = from; number < to; number++) {
        shake();
        if (mcu_vp8_encode(encoder, &picture, number * 3000, false, &encoded) == 1)
            bytes += encoded.size;
    }
    return bytes;
}

static void another_rate_holds_from_the_next_picture_on(void)
{
    struct mcu_vp8_encoder *encoder = mcu_vp8_encoder_new(WIDTH, HEIGHT, 30, 800000, false);
    const uint64_t before = bytes_of(encoder, 0, 60);
    CHECK(mcu_vp8_encoder_retarget(encoder, 200000) == 0);
    bytes_of(encoder, 60, 75);
    CHECK(bytes_of(encoder, 75, 135) < before / 2);
    CHECK(mcu_vp8_encoder_retarget(encoder, 0) == -1);
    mcu_vp8_encoder_free(encoder);
}

static void what_it_cannot_encode_is_refused(void)
{
    CHECK(mcu_vp8_encoder_new(0, 48, 30, 100000, false) == NULL);
    CHECK(mcu_vp8_encoder_new(20000, 48, 30, 100000, false) == NULL);
    CHECK(mcu_vp8_encoder_new(64, 48, 0, 100000, false) == NULL);
    CHECK(mcu_vp8_encoder_new(64, 48, 30, -1, false) == NULL);
    struct mcu_vp8_encoder *encoder =
        mcu_vp8_encoder_new(WIDTH * 2, HEIGHT, 30, 100000, false);
    struct mcu_vp8_picture encoded;
    CHECK(mcu_vp8_encode(encoder, &picture, 0, false, &encoded) == -1);
    mcu_vp8_encoder_free(encoder);
}

int main(void)
{
    TEST(key_frames_come_first_and_when_asked_for);
    TEST(another_rate_holds_from_the_next_picture_on);
    TEST(what_it_cannot_encode_is_refused);
    return failures != 0;
}
