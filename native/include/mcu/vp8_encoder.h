/* One VP8 encoder of composed pictures by libvpx, in real time, on the caller's thread.
 * FFmpeg's wrapper of libvpx takes no other bit rate once it is open; this one does, from the
 * next picture on and without a key frame.
 *
 * For one thread at a time. Nothing looks ahead: the picture is done with when a call returns.
 */
#ifndef MCU_VP8_ENCODER_H
#define MCU_VP8_ENCODER_H

#include <mcu/i420.h>

#include <stdbool.h>

struct mcu_vp8_encoder;

/* `fps` pictures a second at most. NULL where libvpx refuses the size or the rate, or memory
 * ran out. One thread, speed 14 of 16, without the denoiser: it costs more than it gives on a
 * composed picture. `content`: text and drawings that change seldom: libvpx's screen content
 * mode, and key frames that may be three times as large. */
struct mcu_vp8_encoder *mcu_vp8_encoder_new(int width, int height, int fps,
                                            int bits_per_second, bool content);
void mcu_vp8_encoder_free(struct mcu_vp8_encoder *encoder);

/* Aims at another rate from the next picture on. 0, or -1 with the old rate kept. */
int mcu_vp8_encoder_retarget(struct mcu_vp8_encoder *encoder, int bits_per_second);

struct mcu_vp8_picture {
    const uint8_t *data; /* the bare frame; valid until the next call */
    size_t size;
    bool key;
};

/* Encodes one picture of the encoder's size. `timestamp` in 90 kHz, rising. Returns 1; 0 where
 * the encoder chose to drop it; -1 where it failed, after which it is of no use, or the size
 * differs. */
int mcu_vp8_encode(struct mcu_vp8_encoder *encoder, const struct mcu_i420 *picture,
                   int64_t timestamp, bool key, struct mcu_vp8_picture *encoded);

#endif
