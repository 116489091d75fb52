/* Arrivals noted, and the report of them. */
#include <mcu/feedback.h>

#include "../wire/bytes.h"
#include "../wire/rtcp_packet.h"
#include "statuses.h"

#include <mcu/rtcp.h>
#include <mcu/rtp.h>

#include <string.h>

static int64_t *slot(struct mcu_arrived *arrived, int64_t number)
{
    return &arrived->at[number & (MCU_ARRIVED - 1)];
}

/* -- noting -- */

static void begin(struct mcu_arrived *arrived, int64_t number, int64_t now)
{
    memset(arrived->at, 0, sizeof arrived->at);
    arrived->waiting = 0;
    arrived->next = arrived->highest = number;
    if (!arrived->begun)
        arrived->reported_at = now;
    arrived->begun = true;
}

/* Makes room up to this number: what is MCU_ARRIVED before it is forgotten. */
static void advance(struct mcu_arrived *arrived, int64_t number)
{
    for (int64_t at = arrived->highest + 1; at <= number; at++)
        *slot(arrived, at) = 0;
    arrived->highest = number;
    if (arrived->next <= number - MCU_ARRIVED)
        arrived->next = number - MCU_ARRIVED + 1;
}

/* Whether it may be counted at all; what is too far from what came begins anew. */
static bool takes(struct mcu_arrived *arrived, int64_t number, bool authentic, int64_t now)
{
    if (!arrived->begun || number >= arrived->highest + MCU_ARRIVED) {
        if (authentic)
            begin(arrived, number, now);
        return authentic;
    }
    if (!authentic && (number > arrived->authentic + MCU_ARRIVED_NEAR ||
                       number < arrived->authentic - MCU_ARRIVED_NEAR))
        return false;
    return number > arrived->highest - MCU_ARRIVED;
}

void mcu_arrived_note(struct mcu_arrived *arrived, uint16_t wire, bool authentic, int64_t now)
{
    const int64_t turn = 1 << 16; /* so that one before the first is not below 0 */
    const int64_t number = arrived->begun ? mcu_extend16(arrived->highest, wire) : turn + wire;
    if (!takes(arrived, number, authentic, now))
        return;
    if (number > arrived->highest)
        advance(arrived, number);
    if (authentic && number > arrived->authentic)
        arrived->authentic = number;
    if (*slot(arrived, number))
        return;
    *slot(arrived, number) = now > 0 ? now : 1;
    arrived->waiting++;
    if (number < arrived->next) /* it was said to be lost: that is put right */
        arrived->next = number;
}

/* -- the report -- */

struct writing {
    int64_t first, count;
    int64_t reference; /* in units of it */
    int64_t last;      /* arrival of the one before, in units of a delta */
    uint8_t status[MCU_ARRIVED];
    int16_t delta[MCU_ARRIVED];
};

/* The status of the next number; false: its delta cannot be said, it begins the next report.
 */
static bool add(struct writing *writing, int64_t at)
{
    uint8_t *status = &writing->status[writing->count];
    if (!at) {
        *status = ABSENT;
        writing->count++;
        return true;
    }
    const int64_t units = at / DELTA_US, delta = units - writing->last;
    if (delta < INT16_MIN || delta > INT16_MAX)
        return false;
    *status = delta >= 0 && delta <= UINT8_MAX ? SMALL : LARGE;
    writing->delta[writing->count++] = (int16_t)delta;
    writing->last = units;
    return true;
}

/* One chunk from `at` on: how many numbers it covers. */
static int64_t chunk(const struct writing *writing, int64_t at, uint8_t *out)
{
    const uint8_t *status = writing->status + at;
    const int64_t left = writing->count - at;
    int64_t run = 1;
    while (run < left && run < RUN_MOST && status[run] == status[0])
        run++;
    if (run >= TWO_BIT || run == left) {
        put16(out, (uint32_t)status[0] << 13 | (uint32_t)run);
        return run;
    }
    const int64_t wide = left < ONE_BIT ? left : ONE_BIT;
    int64_t plain = 0;
    while (plain < wide && status[plain] != LARGE)
        plain++;
    const bool one_bit = plain == wide;
    const int64_t covers = one_bit ? wide : left < TWO_BIT ? left : TWO_BIT;
    uint32_t bits = one_bit ? 0x8000 : 0xC000;
    for (int64_t i = 0; i < covers; i++)
        bits |= (uint32_t)status[i] << (one_bit ? ONE_BIT - 1 - i : 2 * (TWO_BIT - 1 - i));
    put16(out, bits);
    return covers;
}

static uint8_t *write_deltas(const struct writing *writing, uint8_t *out)
{
    for (int64_t i = 0; i < writing->count; i++) {
        if (writing->status[i] == SMALL)
            *out++ = (uint8_t)writing->delta[i];
        if (writing->status[i] == LARGE) {
            put16(out, (uint16_t)writing->delta[i]);
            out += 2;
        }
    }
    return out;
}

/* Numbers that certainly fit: a chunk for seven of them, two bytes of delta for each. */
static int64_t fitting(size_t room)
{
    return room < RTCP_FEEDBACK + FIXED + 4
               ? 0
               : (int64_t)(room - RTCP_FEEDBACK - FIXED - 4) * TWO_BIT / (2 + 2 * TWO_BIT);
}

static void gather(struct writing *writing, struct mcu_arrived *arrived, size_t room)
{
    const int64_t most = fitting(room);
    int64_t earliest = arrived->next; /* the highest came in any case */
    while (!*slot(arrived, earliest))
        earliest++;
    writing->first = arrived->next;
    writing->reference = *slot(arrived, earliest) / REFERENCE_US;
    writing->last = writing->reference * (REFERENCE_US / DELTA_US);
    for (int64_t at = arrived->next; at <= arrived->highest && writing->count < most; at++)
        if (!add(writing, *slot(arrived, at)))
            break;
}

static uint8_t *write_body(const struct writing *writing, uint8_t report, uint8_t *at)
{
    put16(at, (uint16_t)writing->first);
    put16(at + 2, (uint16_t)writing->count);
    put24(at + 4, (uint32_t)(writing->reference & 0xFFFFFF));
    at[7] = report;
    at += FIXED;
    for (int64_t done = 0; done < writing->count; at += 2)
        done += chunk(writing, done, at);
    return write_deltas(writing, at);
}

static void settle(struct mcu_arrived *arrived, const struct writing *writing, int64_t now)
{
    arrived->report++;
    arrived->reported_at = now;
    arrived->next = writing->first + writing->count;
    arrived->waiting = 0;
    for (int64_t at = arrived->next; at <= arrived->highest; at++)
        arrived->waiting += *slot(arrived, at) != 0;
}

int mcu_arrived_report(struct mcu_arrived *arrived, uint8_t *out, size_t *size, uint32_t ssrc,
                       uint32_t media_ssrc, int64_t now)
{
    struct writing writing = {0};
    if (!arrived->waiting)
        return -1;
    gather(&writing, arrived, MCU_RTCP_MAX - *size);
    if (!writing.count)
        return -1;
    uint8_t *const packet = out + *size;
    uint8_t *end = write_body(&writing, arrived->report, packet + RTCP_FEEDBACK);
    const size_t padding = (4 - (size_t)(end - packet) % 4) % 4;
    for (size_t i = 1; i <= padding; i++) /* zeros, and their number */
        *end++ = (uint8_t)(i == padding ? padding : 0);
    rtcp_head(packet, (size_t)(end - packet), RTPFB_WIDE, RTCP_RTPFB, ssrc);
    packet[0] |= padding ? 0x20 : 0;
    put32(packet + 8, media_ssrc);
    *size += (size_t)(end - packet);
    settle(arrived, &writing, now);
    return 0;
}
