#include "meter.h"

#include <string.h>

static void advance(struct meter *meter, int64_t slot)
{
    if (!meter->first)
        meter->first = meter->slot = slot;
    if (slot - meter->slot >= METER_SLOTS)
        memset(meter->bytes, 0, sizeof meter->bytes);
    else
        for (int64_t at = meter->slot + 1; at <= slot; at++)
            meter->bytes[at % METER_SLOTS] = 0;
    if (slot > meter->slot)
        meter->slot = slot;
}

void meter_add(struct meter *meter, uint32_t bytes, int64_t now)
{
    const int64_t slot = now / METER_SLOT_US;
    if (meter->first && slot <= meter->slot - METER_SLOTS)
        return;
    advance(meter, slot);
    meter->bytes[slot % METER_SLOTS] += bytes;
}

double meter_rate(const struct meter *meter, int64_t now)
{
    const int64_t slot = now / METER_SLOT_US;
    int64_t from = slot - METER_SLOTS + 1;
    if (from < meter->first)
        from = meter->first;
    const int64_t passed = now - from * METER_SLOT_US;
    uint64_t bytes = 0;
    for (int64_t at = from; at <= slot && at <= meter->slot; at++)
        if (at > meter->slot - METER_SLOTS)
            bytes += meter->bytes[at % METER_SLOTS];
    return passed < 100000 ? 0 : (double)bytes * 8e6 / (double)passed;
}
