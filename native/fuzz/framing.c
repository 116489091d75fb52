/* Framing: a stream is read within its bounds, and the same however it is cut into pieces. */
#include "fuzz.h"

#include <mcu/framing.h>

#define MOST 300

/* Where the stream stands after all of it that is there: how it began, how many datagrams and
 * bytes were whole, and whether it broke. */
struct state {
    enum mcu_opening opening;
    size_t at, frames;
    int broken;
};

static void advance(struct state *state, const uint8_t *data, size_t size)
{
    if (state->opening == MCU_OPENS_MORE) {
        state->opening = mcu_opening(data, size);
        if (state->opening == MCU_OPENS_GREETING)
            state->at = MCU_GREETING;
        HOLDS(state->at <= size);
    }
    if (state->opening == MCU_OPENS_MORE || state->opening == MCU_OPENS_OTHER)
        return;
    while (!state->broken) {
        const int length = mcu_frame(data + state->at, size - state->at, MOST);
        state->broken = length == -2;
        if (length < 0)
            return;
        state->at += MCU_FRAME_HEADER + (size_t)length;
        state->frames++;
        HOLDS(length <= MOST && state->at <= size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct state whole = {.opening = MCU_OPENS_MORE}, pieces = whole;
    advance(&whole, data, size);
    for (size_t end = 0; end <= size; end += 1 + (end < size ? data[end] % 97 : 0))
        advance(&pieces, data, end);
    advance(&pieces, data, size);
    HOLDS(whole.opening == pieces.opening && whole.at == pieces.at);
    HOLDS(whole.frames == pieces.frames && whole.broken == pieces.broken);
    return 0;
}
