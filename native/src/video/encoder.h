/* What mcu/picture_encoder.h's encoders are to each other. */
#ifndef VIDEO_ENCODER_H
#define VIDEO_ENCODER_H

#include <mcu/picture_encoder.h>

struct encoder_kind {
    void (*free)(struct mcu_picture_encoder *encoder);
    int (*retarget)(struct mcu_picture_encoder *encoder, int bits_per_second);
    int (*encode)(struct mcu_picture_encoder *encoder, const struct mcu_i420 *picture,
                  int64_t timestamp, bool key, struct mcu_encoded_picture *encoded);
};

/* The first member of each. */
struct mcu_picture_encoder {
    const struct encoder_kind *kind;
    struct mcu_picture_settings settings;
};

#endif
