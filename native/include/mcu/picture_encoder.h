/* One encoder of composed pictures, in real time, on the caller's thread: VP8 by libvpx, or
 * H.264 by x264. FFmpeg's wrapper of libvpx takes no other bit rate once it is open, and its
 * wrapper of x264 no quantiser for each picture (docs/adr/0010, docs/adr/0039).
 *
 * For one thread at a time. Nothing looks ahead: the picture is done with when a call returns.
 */
#ifndef MCU_PICTURE_ENCODER_H
#define MCU_PICTURE_ENCODER_H

#include <mcu/i420.h>

#include <stdbool.h>

struct mcu_picture_encoder;

struct mcu_picture_settings {
    int width, height;
    int fps; /* a second at most */
    int bits_per_second;
    /* Text and drawings that change seldom: key frames that may be three times as large, and
     * in VP8 libvpx's screen content mode. */
    bool content;
    int slice_max; /* bytes of a slice of H.264; 0: a picture is one slice */
};

/* NULL where the codec refuses the size or the rate, or memory ran out. One thread each.
 * VP8: speed 14 of 16, without the denoiser, which costs more than it gives on a composed
 * picture.
 * H.264: constrained baseline, with the parameter sets before each key frame, and without
 * AVX-512: on a core of a Xeon of 2023 whose neighbour is busy, the same pictures take x264 a
 * seventh less time with AVX2. Content has x264's own control of the rate. People have
 * `mcu/rate.h` instead, for which x264 needs no second look at each picture: a quarter less to
 * do. Between key frames they are predicted in whole macroblocks alone, a block of few small
 * coefficients is sent as it is (docs/adr/0036), and edges are smoothed where they are coarse
 * (docs/adr/0041). */
struct mcu_picture_encoder *mcu_vp8_encoder_new(const struct mcu_picture_settings *settings);
struct mcu_picture_encoder *mcu_h264_encoder_new(const struct mcu_picture_settings *settings);
void mcu_picture_encoder_free(struct mcu_picture_encoder *encoder);

/* Aims at another rate from the next picture on, without a key frame. 0, or -1 with the old
 * rate kept. */
int mcu_picture_encoder_retarget(struct mcu_picture_encoder *encoder, int bits_per_second);

struct mcu_encoded_picture {
    const uint8_t *data; /* a bare frame of VP8, or Annex B; valid until the next call */
    size_t size;
    bool key;
};

/* Encodes one picture of the encoder's size; the first is a key frame. `timestamp` in 90 kHz,
 * rising. Returns 1; 0 where the encoder chose to drop it; -1 where it failed, after which it
 * is of no use, or the size differs. */
int mcu_picture_encode(struct mcu_picture_encoder *encoder, const struct mcu_i420 *picture,
                       int64_t timestamp, bool key, struct mcu_encoded_picture *encoded);

#endif
