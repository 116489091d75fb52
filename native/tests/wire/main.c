#include "tests.h"

#include <stdlib.h>
#include <string.h>

uint8_t *exact(const void *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    return copy;
}

uint8_t *noise_bytes(size_t size)
{
    uint8_t *bytes = malloc(size ? size : 1);
    if (!bytes)
        abort();
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)noise();
    return bytes;
}

int main(void)
{
    stun_tests();
    demux_tests();
    framing_tests();
    rtp_tests();
    rtcp_tests();
    reception_tests();
    srtp_tests();
    return failures ? 1 : 0;
}
