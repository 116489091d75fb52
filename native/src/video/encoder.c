#include "encoder.h"

void mcu_picture_encoder_free(struct mcu_picture_encoder *encoder)
{
    if (encoder)
        encoder->kind->free(encoder);
}

int mcu_picture_encoder_retarget(struct mcu_picture_encoder *encoder, int bits_per_second)
{
    if (encoder->kind->retarget(encoder, bits_per_second))
        return -1;
    encoder->settings.bits_per_second = bits_per_second;
    return 0;
}

int mcu_picture_encode(struct mcu_picture_encoder *encoder, const struct mcu_i420 *picture,
                       int64_t timestamp, bool key, struct mcu_encoded_picture *encoded)
{
    if (picture->width != encoder->settings.width ||
        picture->height != encoder->settings.height)
        return -1;
    return encoder->kind->encode(encoder, picture, timestamp, key, encoded);
}
