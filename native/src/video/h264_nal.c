#include "h264.h"

/* Looks at each third byte while that is more than 1: then no start code ends there, nor at
 * the two before it. */
const uint8_t *mcu_nal_start_code(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 3) {
        if (at[2] > 1)
            at += 3;
        else if (at[2] == 1 && !at[1] && !at[0])
            return at;
        else
            at++;
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
