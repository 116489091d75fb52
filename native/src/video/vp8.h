/* VP8 in RTP (RFC 7741), and the frame header (RFC 6386 section 9.1). Private to
 * native/src/video; see mcu/payload.h for what each of these answers. */
#ifndef MCU_VIDEO_VP8_H
#define MCU_VIDEO_VP8_H

#include <mcu/payload.h>

int mcu_vp8_look(const uint8_t *payload, size_t size, struct mcu_payload *seen);
int mcu_vp8_append(const uint8_t *payload, size_t size, bool first, uint8_t *out, size_t room,
                   size_t *used);
bool mcu_vp8_key(const uint8_t *frame, size_t size);
int mcu_vp8_size(const uint8_t *frame, size_t size, struct mcu_size *claimed);
int mcu_vp8_cut(const uint8_t *frame, size_t size, size_t most, uint16_t picture_id,
                struct mcu_piece *pieces, size_t room);

#endif
