/* What the targets of both video formats check: bytes as a payload, and as a picture. */
#ifndef MCU_FUZZ_PICTURE_H
#define MCU_FUZZ_PICTURE_H

#include <mcu/payload.h>

#include <stdlib.h>
#include <string.h>

/* Looking says malformed just where appending does, and what is appended fits. */
static inline void fuzz_payload(enum mcu_video_codec codec, const uint8_t *data, size_t size)
{
    struct mcu_payload seen;
    const size_t room = MCU_PAYLOAD_ADDS(size);
    uint8_t *out = malloc(room);
    size_t used = 0;
    const int looked = mcu_payload_look(codec, data, size, &seen);
    if (mcu_payload_append(codec, data, size, false, out, room, &used) != looked)
        abort();
    used = 0;
    mcu_payload_append(codec, data, size, true, out, size, &used);
    free(out);
}

/* Every piece fits in `most` bytes, and the pieces add no more than the picture and a longer
 * start code for each. */
static inline void fuzz_cut(enum mcu_video_codec codec, const uint8_t *data, size_t size,
                            size_t most)
{
    struct mcu_piece pieces[256];
    const int count = mcu_payload_cut(codec, data, size, most, 0x1234, pieces, 256);
    uint8_t *out = malloc(most), *again = malloc(2 * size + 1);
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        const size_t written = mcu_piece_write(&pieces[i], out);
        if (!written || written > most)
            abort();
        mcu_payload_append(codec, out, written, !i, again, 2 * size, &used);
    }
    if (count > 0 && codec == MCU_VP8 && (used != size || memcmp(again, data, size)))
        abort();
    free(again);
    free(out);
}

static inline void fuzz_picture(enum mcu_video_codec codec, const uint8_t *data, size_t size)
{
    struct mcu_size claimed;
    const int claims = mcu_picture_size(codec, data, size, &claimed);
    if (claims == 1 &&
        (!claimed.width || !claimed.height || claimed.coded_width > UINT16_MAX ||
         claimed.coded_height > UINT16_MAX || claimed.width > claimed.coded_width ||
         claimed.height > claimed.coded_height))
        abort();
    mcu_picture_key(codec, data, size);
}

#endif
