/* RTCP: any datagram is read within its bounds and comes to an end; each event that can be
 * written is written and read again as the same; naming its SSRCs anew keeps to it. */
#include "fuzz.h"

#include <mcu/rtcp.h>
#include <mcu/rtp.h>

#include <string.h>

static void write_report(uint8_t *out, size_t *size, const struct mcu_rtcp_event *event)
{
    const struct mcu_rtcp_block block = {.ssrc = event->media_ssrc,
                                         .highest = event->highest,
                                         .jitter = event->jitter,
                                         .last_sr = event->last_sr,
                                         .delay = event->delay,
                                         .lost = event->lost,
                                         .fraction_lost = event->fraction_lost};
    HOLDS(mcu_rtcp_rr(out, size, event->ssrc, &block, 1) == 0);
}

static void write_nack(uint8_t *out, size_t *size, const struct mcu_rtcp_event *event)
{
    int64_t lost[17] = {event->pid};
    size_t count = 1;
    for (int bit = 0; bit < 16; bit++)
        if (event->mask >> bit & 1)
            lost[count++] = event->pid + bit + 1;
    HOLDS(mcu_rtcp_nack(out, size, event->ssrc, event->media_ssrc, lost, count) == 0);
}

/* False where we have no writer of it. */
static bool write(uint8_t *out, size_t *size, const struct mcu_rtcp_event *event)
{
    switch (event->kind) {
    case MCU_RTCP_SENDER:
        return mcu_rtcp_sr(out, size, event->ssrc, event->ntp, event->timestamp,
                           event->packets, event->bytes, NULL, 0) == 0;
    case MCU_RTCP_REPORT:
        write_report(out, size, event);
        return true;
    case MCU_RTCP_NACK:
        write_nack(out, size, event);
        return true;
    case MCU_RTCP_PLI:
        return mcu_rtcp_pli(out, size, event->ssrc, event->media_ssrc) == 0;
    case MCU_RTCP_FIR:
        return mcu_rtcp_fir(out, size, event->ssrc, event->media_ssrc, event->command) == 0;
    case MCU_RTCP_BYE:
        return mcu_rtcp_bye(out, size, event->ssrc) == 0;
    case MCU_RTCP_REMB:
    case MCU_RTCP_TMMBR:
    case MCU_RTCP_WIDE:
        return false;
    }
    return false;
}

static void check_same(const struct mcu_rtcp_event *a, const struct mcu_rtcp_event *b)
{
    HOLDS(a->kind == b->kind && a->ssrc == b->ssrc && a->media_ssrc == b->media_ssrc);
    HOLDS(a->ntp == b->ntp && a->timestamp == b->timestamp);
    HOLDS(a->packets == b->packets && a->bytes == b->bytes);
    HOLDS(a->fraction_lost == b->fraction_lost && a->lost == b->lost);
    HOLDS(a->highest == b->highest && a->jitter == b->jitter);
    HOLDS(a->last_sr == b->last_sr && a->delay == b->delay);
    HOLDS(a->pid == b->pid && a->mask == b->mask && a->command == b->command);
}

static void check_again(const struct mcu_rtcp_event *event)
{
    uint8_t out[MCU_RTCP_MAX];
    size_t size = 0;
    if (!write(out, &size, event))
        return;
    struct mcu_rtcp_reader reader = {.data = out, .size = size};
    struct mcu_rtcp_event again;
    HOLDS(mcu_rtcp_next(&reader, &again) == 1);
    check_same(event, &again);
    HOLDS(mcu_rtcp_next(&reader, &again) == 0);
}

static bool keep_name(void *of, bool own, uint32_t *ssrc)
{
    (void)own;
    (void)ssrc;
    HOLDS(++*(size_t *)of <= MCU_DATAGRAM);
    return true;
}

static void check_named(const uint8_t *data, size_t size)
{
    uint8_t copy[MCU_DATAGRAM];
    size_t asked = 0;
    if (size > sizeof copy)
        return;
    memcpy(copy, data, size);
    mcu_rtcp_rename(copy, size, keep_name, &asked);
    HOLDS(memcmp(copy, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mcu_rtcp_reader reader = {.data = data, .size = size};
    struct mcu_rtcp_event event;
    size_t events = 0;
    while (mcu_rtcp_next(&reader, &event) == 1) {
        HOLDS(++events <= size / 4);
        HOLDS(!event.body || event.body + event.body_size <= data + size);
        check_again(&event);
    }
    HOLDS(mcu_rtcp_next(&reader, &event) == 0);
    check_named(data, size);
    return 0;
}
