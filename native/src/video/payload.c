#include "h264.h"
#include "vp8.h"

#include <limits.h>
#include <string.h>

enum { LEAST = 16, MOST = UINT16_MAX }; /* bytes that a payload may be limited to */

int mcu_payload_look(enum mcu_video_codec codec, const uint8_t *payload, size_t size,
                     struct mcu_payload *seen)
{
    return codec == MCU_VP8 ? mcu_vp8_look(payload, size, seen)
                            : mcu_h264_look(payload, size, codec == MCU_H264_MODE0, seen);
}

int mcu_payload_append(enum mcu_video_codec codec, const uint8_t *payload, size_t size,
                       bool first, uint8_t *out, size_t room, size_t *used)
{
    return codec == MCU_VP8 ? mcu_vp8_append(payload, size, first, out, room, used)
                            : mcu_h264_append(payload, size, codec == MCU_H264_MODE0, first,
                                              out, room, used);
}

int mcu_picture_size(enum mcu_video_codec codec, const uint8_t *picture, size_t size,
                     struct mcu_size *claimed)
{
    return codec == MCU_VP8 ? mcu_vp8_size(picture, size, claimed)
                            : mcu_h264_size(picture, size, claimed);
}

bool mcu_picture_key(enum mcu_video_codec codec, const uint8_t *picture, size_t size)
{
    return codec == MCU_VP8 ? mcu_vp8_key(picture, size) : mcu_h264_key(picture, size);
}

int mcu_payload_cut(enum mcu_video_codec codec, const uint8_t *picture, size_t size,
                    size_t most, uint16_t picture_id, struct mcu_piece *pieces, size_t room)
{
    if (most < LEAST || most > MOST || size > INT_MAX)
        return -1;
    return codec == MCU_VP8
               ? mcu_vp8_cut(picture, size, most, picture_id, pieces, room)
               : mcu_h264_cut(picture, size, most, codec == MCU_H264_MODE0, pieces, room);
}

size_t mcu_piece_write(const struct mcu_piece *piece, uint8_t *out)
{
    memcpy(out, piece->prefix, piece->prefix_size);
    out += piece->prefix_size;
    if (piece->aggregate)
        return piece->prefix_size + mcu_h264_write_aggregate(piece, out);
    memcpy(out, piece->at, piece->size);
    return piece->prefix_size + piece->size;
}
