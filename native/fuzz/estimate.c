/* The estimate of a line, told anything by its far end: whatever reports come, and however its
 * clock leaps, what follows stays within its bounds. A byte of input is what happens next:
 * packets that are sent, or a report of so many bytes as the next one says. */
#include "fuzz.h"

#include <mcu/estimate.h>

static void send(struct mcu_estimate *estimate, unsigned count, int64_t now)
{
    for (unsigned i = 0; i < count; i++)
        mcu_estimate_sent(estimate, 200 + 16 * i, i % 4 == 0, now);
}

static void check(struct mcu_estimate *estimate, int64_t now)
{
    struct mcu_line line;
    int64_t wake;
    mcu_estimate_tick(estimate, now);
    mcu_estimate_line(estimate, &line, now);
    HOLDS(line.bits_per_second >= MCU_ESTIMATE_LEAST);
    HOLDS(line.bits_per_second <= MCU_ESTIMATE_MOST && line.pictures <= line.bits_per_second);
    HOLDS(line.loss >= 0 && line.loss <= 1);
    HOLDS(mcu_estimate_probe(estimate, now, &wake) < MCU_ESTIMATE_MOST && wake > now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mcu_estimate *estimate = mcu_estimate_new(2000000);
    int64_t now = 1000000000;
    HOLDS(estimate);
    mcu_estimate_aim(estimate, 4000000);
    for (size_t at = 0; at < size;) {
        const uint8_t what = data[at++];
        now += 20000;
        if (what & 1 && at < size) {
            const size_t left = size - at - 1, said = data[at];
            const size_t length = said < left ? said : left;
            mcu_estimate_feedback(estimate, data + at + 1, length, now);
            at += 1 + length;
        } else {
            send(estimate, what >> 1, now);
        }
        check(estimate, now);
    }
    mcu_estimate_free(estimate);
    return 0;
}
