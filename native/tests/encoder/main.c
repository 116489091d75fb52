/* The encoders of pictures, under sanitizers; that what they make can be seen is tested
 * through Python. */
#include "harness.h"

#include <mcu/change.h>
#include <mcu/picture_encoder.h>
#include <mcu/rate.h>

#include <math.h>
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

static struct mcu_picture_encoder *encoder_of(bool vp8, int width, int height, int fps,
                                              int bits_per_second)
{
    const struct mcu_picture_settings settings = {width,           height, fps,
                                                  bits_per_second, false,  0};
    return vp8 ? mcu_vp8_encoder_new(&settings) : mcu_h264_encoder_new(&settings);
}

/* In Annex B the first unit of a key frame is a parameter set (RFC 6184, 7); of another
 * picture, a slice of it (1). In VP8 it is in the frame tag, RFC 6386 section 9.1. */
static bool says_key(bool vp8, const uint8_t *data)
{
    return vp8 ? !(data[0] & 1) : (data[4] & 31) == 7;
}

static void key_frames_come_first_and_when_asked_for(void)
{
    for (int vp8 = 0; vp8 < 2; vp8++) {
        struct mcu_picture_encoder *encoder = encoder_of(vp8, WIDTH, HEIGHT, 30, 2000000);
        struct mcu_encoded_picture encoded;
        for (int number = 0; number < 20; number++) {
            shake();
            CHECK(mcu_picture_encode(encoder, &picture, number * 3000, number == 7,
                                     &encoded) == 1);
            CHECK(encoded.size > 0 && encoded.key == (number == 0 || number == 7));
            CHECK(says_key(vp8, encoded.data) == encoded.key);
        }
        mcu_picture_encoder_free(encoder);
    }
}

static uint64_t bytes_of(struct mcu_picture_encoder *encoder, int from, int to)
{
    struct mcu_encoded_picture encoded;
    uint64_t bytes = 0;
    for (int number = from; number < to; number++) {
        shake();
        if (mcu_picture_encode(encoder, &picture, number * 3000, false, &encoded) == 1)
            bytes += encoded.size;
    }
    return bytes;
}

static void another_rate_holds_from_the_next_picture_on(void)
{
    for (int vp8 = 0; vp8 < 2; vp8++) {
        struct mcu_picture_encoder *encoder = encoder_of(vp8, WIDTH, HEIGHT, 30, 800000);
        const uint64_t before = bytes_of(encoder, 0, 60);
        CHECK(mcu_picture_encoder_retarget(encoder, 200000) == 0);
        bytes_of(encoder, 60, 75);
        CHECK(bytes_of(encoder, 75, 135) < before / 2);
        CHECK(mcu_picture_encoder_retarget(encoder, 0) == -1);
        mcu_picture_encoder_free(encoder);
    }
}

static void what_it_cannot_encode_is_refused(void)
{
    for (int vp8 = 0; vp8 < 2; vp8++) {
        CHECK(encoder_of(vp8, 0, 48, 30, 100000) == NULL);
        CHECK(encoder_of(vp8, 20000, 48, 30, 100000) == NULL);
        CHECK(encoder_of(vp8, 64, 48, 0, 100000) == NULL);
        CHECK(encoder_of(vp8, 64, 48, 30, -1) == NULL);
        struct mcu_picture_encoder *encoder = encoder_of(vp8, WIDTH * 2, HEIGHT, 30, 100000);
        struct mcu_encoded_picture encoded;
        CHECK(mcu_picture_encode(encoder, &picture, 0, false, &encoded) == -1);
        mcu_picture_encoder_free(encoder);
    }
}

/* Pictures of which each sample costs `price` bits at the quantiser 0, where all of it is new.
 */
#define FPS 25
#define SAMPLES (1280 * 720)
#define RATE 1500000

static size_t taken(double newness, int qp, double price)
{
    return (size_t)(newness * price * SAMPLES * exp2(-qp / 5.0) / 8);
}

/* One that begins with a key frame, and what it took in `count` pictures from `from` on. */
static double bits_per_s(struct mcu_rate *rate, int from, int count, double newness,
                         double price)
{
    double bits = 0;
    for (int number = from; number < from + count; number++) {
        const struct mcu_newness is = {newness * (0.8 + 0.4 * (noise() & 255) / 255.0), 20};
        const bool key = number == 0;
        const int64_t at = (int64_t)number * 90000 / FPS;
        int qp = mcu_rate_choose(rate, at, key, is);
        size_t bytes = taken(key ? is.whole : is.since, qp, price);
        if (key && mcu_rate_is_too_much(rate, bytes)) { /* as the encoder does */
            mcu_rate_refuse(rate, is, bytes);
            qp = mcu_rate_choose(rate, at, key, is);
            bytes = taken(is.whole, qp, price);
        }
        CHECK(qp >= MCU_QP_LEAST && qp <= MCU_QP_MOST);
        mcu_rate_took(rate, key, is, bytes);
        bits += 8.0 * (double)bytes;
    }
    return bits * FPS / count;
}

static void a_rate_is_kept_whatever_pictures_cost(void)
{
    for (double price = 0.5; price < 6; price *= 3) {
        struct mcu_rate rate;
        mcu_rate_begin(&rate, RATE, FPS, SAMPLES);
        bits_per_s(&rate, 0, 50, 4, price);
        CHECK(fabs(bits_per_s(&rate, 50, 100, 4, price) / RATE - 1) < 0.05);
        mcu_rate_retarget(&rate, RATE / 3);
        bits_per_s(&rate, 150, 25, 4, price);
        CHECK(fabs(3 * bits_per_s(&rate, 175, 100, 4, price) / RATE - 1) < 0.05);
    }
}

static void what_moves_is_no_finer_than_cameras_send_it_and_leaves_the_rest_of_the_rate(void)
{
    struct mcu_rate rate;
    const struct mcu_newness moves = {4, 20};
    mcu_rate_begin(&rate, RATE, FPS, SAMPLES);
    CHECK(bits_per_s(&rate, 0, 100, 4, 0.1) < RATE / 2);
    CHECK(mcu_rate_choose(&rate, 100 * 90000 / FPS, false, moves) == MCU_QP_FINE);
}

static void a_picture_that_is_all_new_takes_no_more_than_half_of_what_there_is_room_for(void)
{
    struct mcu_rate rate;
    mcu_rate_begin(&rate, RATE, FPS, SAMPLES);
    bits_per_s(&rate, 0, 100, 1, 0.5);
    const struct mcu_newness all = {20, 20};
    const int qp = mcu_rate_choose(&rate, 100 * 90000 / FPS, false, all);
    CHECK(8.0 * (double)taken(all.since, qp, 0.5) < 0.3 * RATE);
}

static void a_key_frame_that_takes_too_much_is_made_again_and_fits(void)
{
    struct mcu_rate rate;
    mcu_rate_begin(&rate, RATE, FPS, SAMPLES);
    const struct mcu_newness is = {20, 20};
    int qp = mcu_rate_choose(&rate, 0, true, is);
    const size_t bytes = taken(is.whole, qp, 2);
    CHECK(mcu_rate_is_too_much(&rate, bytes));
    mcu_rate_refuse(&rate, is, bytes);
    qp = mcu_rate_choose(&rate, 1, true, is);
    CHECK(!mcu_rate_is_too_much(&rate, taken(is.whole, qp, 2)));
}

static void what_stands_still_grows_finer_by_each_picture(void)
{
    struct mcu_rate rate;
    mcu_rate_begin(&rate, RATE, FPS, SAMPLES);
    bits_per_s(&rate, 0, 50, 6, 2);
    const struct mcu_newness still = {0, 20};
    int before = rate.qp;
    for (int number = 0; number < 3; number++) {
        const int qp = mcu_rate_choose(&rate, (60 + 10 * number) * 90000 / FPS, false, still);
        CHECK(qp < before);
        before = qp;
        mcu_rate_took(&rate, false, still, 2000);
    }
}

static void what_is_new_in_a_picture_is_seen(void)
{
    struct mcu_change change;
    CHECK(mcu_change_begin(&change, WIDTH, HEIGHT) == 0);
    shake();
    const struct mcu_newness first = mcu_change_next(&change, &picture);
    CHECK(first.since > 40 && first.since <= first.whole);
    CHECK(mcu_change_next(&change, &picture).since < 0.001);
    luma[4 * WIDTH + 3] ^= 255;
    const struct mcu_newness one = mcu_change_next(&change, &picture);
    CHECK(one.since > 0 && one.since < 1);
    shake();
    CHECK(mcu_change_next(&change, &picture).since > 40);
    mcu_change_end(&change);
}

int main(void)
{
    TEST(key_frames_come_first_and_when_asked_for);
    TEST(another_rate_holds_from_the_next_picture_on);
    TEST(what_it_cannot_encode_is_refused);
    TEST(a_rate_is_kept_whatever_pictures_cost);
    TEST(what_moves_is_no_finer_than_cameras_send_it_and_leaves_the_rest_of_the_rate);
    TEST(a_picture_that_is_all_new_takes_no_more_than_half_of_what_there_is_room_for);
    TEST(a_key_frame_that_takes_too_much_is_made_again_and_fits);
    TEST(what_stands_still_grows_finer_by_each_picture);
    TEST(what_is_new_in_a_picture_is_seen);
    return failures != 0;
}
