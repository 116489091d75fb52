/* The first byte: how long a payload may be. The rest: a payload, and a picture. */
#include "picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    const size_t most = 16u + data[0];
    fuzz_payload(MCU_VP8, data + 1, size - 1);
    fuzz_cut(MCU_VP8, data + 1, size - 1, most);
    fuzz_picture(MCU_VP8, data + 1, size - 1);
    return 0;
}
