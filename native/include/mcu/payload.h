/* Video payload formats: VP8 (RFC 7741) and H.264 (RFC 6184, packetization modes 0 and 1).
 * Pure.
 *
 * A picture is a bare VP8 frame, or H.264 in Annex B with four-byte start codes. */
#ifndef MCU_PAYLOAD_H
#define MCU_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MCU_PICTURE_CLOCK 90000 /* Hz of RTP timestamps, of both */

enum mcu_video_codec { MCU_VP8, MCU_H264, MCU_H264_MODE0 };

/* What one packet's payload says. */
struct mcu_payload {
    bool begins; /* surely the first packet of a picture (VP8: S = 1 and PID = 0; H.264: it
                    starts with an SPS or an access unit delimiter) */
    bool key; /* belongs to a picture at which a decoder can start (VP8: the frame tag, in its
                 first packet; H.264: a part of an IDR slice) */
    int picture_id;  /* VP8: 7 or 15 bits, -1: none */
    int temporal;    /* VP8: TID, -1: none */
    bool layer_sync; /* VP8: Y */
};

/* Looks at a payload. -1 where it is malformed, or of a kind that is not negotiated (H.264:
 * STAP-B, MTAP, FU-B). */
int mcu_payload_look(enum mcu_video_codec codec, const uint8_t *payload, size_t size,
                     struct mcu_payload *seen);

/* Bytes that a payload of `size` adds to a picture at most (STAP-A of one-byte units). */
#define MCU_PAYLOAD_ADDS(size) (2 * (size_t)(size) + 4)

/* Appends what a payload adds to its picture at `out + *used` of `room` bytes and moves *used
 * on. -1 where it is malformed, begins in the middle (`first`: nothing of its picture came
 * before it), or does not fit; what was there before stays. Payloads of a picture are given in
 * order, none missing. */
int mcu_payload_append(enum mcu_video_codec codec, const uint8_t *payload, size_t size,
                       bool first, uint8_t *out, size_t room, size_t *used);

struct mcu_size {                       /* in pixels */
    uint32_t coded_width, coded_height; /* what a decoder allocates */
    uint32_t width, height;             /* what it gives: H.264 after cropping */
};

/* The size that a picture claims (VP8: a key frame; H.264: its largest SPS): 1; 0: it claims
 * none; -1: a size that cannot be read, that is nothing, or over 65,535 either way. */
int mcu_picture_size(enum mcu_video_codec codec, const uint8_t *picture, size_t size,
                     struct mcu_size *claimed);
/* Whether a decoder can start at this picture. */
bool mcu_picture_key(enum mcu_video_codec codec, const uint8_t *picture, size_t size);

/* One RTP payload of a picture: a short prefix that the format adds, and bytes of the picture.
 */
struct mcu_piece {
    uint8_t prefix[4];
    uint8_t prefix_size;
    bool aggregate; /* H.264 STAP-A: `at` holds whole NAL units with their start codes, which
                       mcu_piece_write turns into two-byte lengths */
    const uint8_t *at; /* in the picture */
    size_t size;
};

/* Cuts a picture into payloads of at most `most` bytes (16 … 65,535). Those of VP8, and of one
 * NAL unit that is cut (FU-A), are of one size but for the last, which is not longer: a batch
 * of them can be sent by GSO. Returns how many, at most `room`; -1 where there are more, or
 * where it cannot be cut (mode 0: a NAL unit longer than `most`; the encoder is told to make
 * slices that fit). `picture_id`: VP8's 15 bits. The pieces point into the picture. */
int mcu_payload_cut(enum mcu_video_codec codec, const uint8_t *picture, size_t size,
                    size_t most, uint16_t picture_id, struct mcu_piece *pieces, size_t room);
/* Writes a piece, at most `most` bytes as cut; returns its size. */
size_t mcu_piece_write(const struct mcu_piece *piece, uint8_t *out);

#endif
