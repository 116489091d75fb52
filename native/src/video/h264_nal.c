#include "h264.h"

#include <string.h>

/* memchr is many times as fast as a loop over the bytes, of which few are 1. */
const uint8_t *mcu_nal_start_code(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 3) {
        const uint8_t *one = memchr(at + 2, 1, (size_t)(end - at) - 2);
        if (!one)
            return end;
        if (!one[-1] && !one[-2])
            return one - 2;
        at = one - 1;
    }
    return end;
}

bool mcu_nal_next(const uint8_t **at, const uint8_t *end, struct mcu_nal *nal)
{
    const uint8_t *code = mcu_nal_start_code(*at, end);
    while (code != end) {
        const uint8_t *start = code + 3, *next = mcu_nal_start_code(start, end), *last = next;
        while (last > start && !last[-1])
            last--;
        if (last > start) {
            *nal = (struct mcu_nal){code, start, last};
            *at = next;
            return true;
        }
        code = next;
    }
    *at = end;
    return false;
}
