/* H.264 in RTP (RFC 6184), Annex B, and sequence parameter sets (ITU-T H.264
 * section 7.3.2.1.1). Private to native/src/video; see mcu/payload.h for what each of these
 * answers. */
#ifndef MCU_VIDEO_H264_H
#define MCU_VIDEO_H264_H

#include <mcu/payload.h>

enum mcu_h264_type { /* nal_unit_type */
                     MCU_H264_SLICE = 1,
                     MCU_H264_IDR = 5,
                     MCU_H264_SPS = 7,
                     MCU_H264_DELIMITER = 9,
                     MCU_H264_STAP_A = 24,
                     MCU_H264_FU_A = 28
};

/* h264_nal.c: the NAL units of an Annex B picture. */
struct mcu_nal {
    const uint8_t *code;  /* its start code, of three bytes */
    const uint8_t *start; /* its header */
    const uint8_t *end;   /* without trailing zeros */
};
/* The first unit that is not empty at or after `at`, which it moves on; false: there is none.
 */
bool mcu_nal_next(const uint8_t **at, const uint8_t *end, struct mcu_nal *nal);
/* The first start code at or after `at`, or `end`. */
const uint8_t *mcu_nal_start_code(const uint8_t *at, const uint8_t *end);

/* h264_read.c */
int mcu_h264_look(const uint8_t *payload, size_t size, bool mode0, struct mcu_payload *seen);
int mcu_h264_append(const uint8_t *payload, size_t size, bool mode0, bool first, uint8_t *out,
                    size_t room, size_t *used);
bool mcu_h264_key(const uint8_t *picture, size_t size);
/* Whether there is a slice in it: else it is parameter sets for the next one. */
bool mcu_h264_has_slice(const uint8_t *picture, size_t size);

/* h264_sps.c */
int mcu_h264_size(const uint8_t *picture, size_t size, struct mcu_size *claimed);

/* h264_write.c */
int mcu_h264_cut(const uint8_t *picture, size_t size, size_t most, bool mode0,
                 struct mcu_piece *pieces, size_t room);
size_t mcu_h264_write_aggregate(const struct mcu_piece *piece, uint8_t *out);

#endif
