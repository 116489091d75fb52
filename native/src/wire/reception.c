#include <mcu/rtcp.h>

#include <mcu/rtp.h>

/* `now` in units of the clock rate; in two parts, so that years of it do not overflow. */
static uint32_t arrival(int64_t now, uint32_t clock_rate)
{
    const int64_t second = 1000000, rate = clock_rate;
    return (uint32_t)(now / second * rate + now % second * rate / second);
}

/* RFC 3550 appendix A.8 */
static void count_jitter(struct mcu_reception *reception, uint32_t transit, bool first)
{
    const int32_t change = (int32_t)(transit - reception->transit);
    const double size = change < 0 ? -(double)change : (double)change;
    if (!first)
        reception->jitter += (size - reception->jitter) / 16;
    reception->transit = transit;
}

int64_t mcu_reception_packet(struct mcu_reception *reception, uint16_t sequence,
                             uint32_t timestamp, size_t bytes, uint32_t clock_rate,
                             int64_t now)
{
    const bool first = !reception->begun;
    const int64_t number = mcu_extend16(first ? -1 : reception->highest, sequence);
    if (first) {
        reception->begun = true;
        reception->first = reception->highest = number;
    }
    if (number > reception->highest)
        reception->highest = number;
    if (number < reception->first) /* the first that came was not the first that was sent */
        reception->first = number;
    reception->received++;
    reception->bytes += bytes;
    count_jitter(reception, arrival(now, clock_rate) - timestamp, first);
    return number;
}

static uint64_t expected(const struct mcu_reception *reception)
{
    return reception->begun ? (uint64_t)(reception->highest - reception->first + 1) : 0;
}

int64_t mcu_reception_lost(const struct mcu_reception *reception)
{
    return (int64_t)(expected(reception) - reception->received);
}

/* RFC 3550 appendix A.3 */
static uint8_t fraction_lost(uint64_t expected_now, uint64_t received_now)
{
    if (received_now >= expected_now)
        return 0;
    /* Below 256: no more is expected until something comes. */
    return (uint8_t)(((expected_now - received_now) << 8) / expected_now);
}

static int32_t clamped(int64_t lost)
{
    return (int32_t)(lost > INT32_MAX ? INT32_MAX : lost < INT32_MIN ? INT32_MIN : lost);
}

/* In 1/65,536 s; at most what 32 bits say. */
static uint32_t since(int64_t then, int64_t now)
{
    const int64_t second = 1000000, passed = now - then;
    if (passed < 0)
        return 0;
    return passed < 65536 * second ? (uint32_t)(passed * 65536 / second) : UINT32_MAX;
}

void mcu_reception_report(struct mcu_reception *reception, uint32_t ssrc, int64_t now,
                          struct mcu_rtcp_block *block)
{
    const uint64_t all = expected(reception);
    *block = (struct mcu_rtcp_block){
        .ssrc = ssrc,
        .highest = (uint32_t)reception->highest,
        .jitter = (uint32_t)reception->jitter,
        .lost = clamped(mcu_reception_lost(reception)),
        .fraction_lost = fraction_lost(all - reception->expected_before,
                                       reception->received - reception->received_before),
    };
    if (reception->last_sr_at) {
        block->last_sr = reception->last_sr;
        block->delay = since(reception->last_sr_at, now);
    }
    reception->expected_before = all;
    reception->received_before = reception->received;
}
