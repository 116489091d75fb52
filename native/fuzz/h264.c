/* The first byte: how long a payload may be. The rest: a payload, and a picture. */
#include "picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    const size_t most = 16u + data[0];
    for (enum mcu_video_codec codec = MCU_H264; codec <= MCU_H264_MODE0; codec++) {
        fuzz_payload(codec, data + 1, size - 1);
        fuzz_cut(codec, data + 1, size - 1, most);
    }
    fuzz_picture(MCU_H264, data + 1, size - 1);
    return 0;
}
