#include <mcu/pace.h>

#define FACTOR 2.5       /* of the estimate: a picture is through before the next one */
#define DEEP_US 50000    /* of the estimate: a picture at 20 a second */
#define BURST_US 5000    /* at the paced rate */
#define LEAST_BYTES 1300 /* one packet, in any case */

static double bytes_in(double bits_per_second, int64_t time)
{
    return bits_per_second / 8e6 * (double)time;
}

static double depth(const struct mcu_pace *pace)
{
    const double deep = bytes_in(pace->bits_per_second, DEEP_US);
    return deep > LEAST_BYTES ? deep : LEAST_BYTES;
}

void mcu_pace_at(struct mcu_pace *pace, uint32_t bits_per_second, int64_t now)
{
    const int64_t passed = now > pace->now ? now - pace->now : 0;
    pace->level += bytes_in(FACTOR * pace->bits_per_second, passed);
    const bool begins = !pace->now;
    pace->bits_per_second = bits_per_second;
    pace->now += passed;
    if (begins || pace->level > depth(pace))
        pace->level = depth(pace);
}

bool mcu_pace_may(const struct mcu_pace *pace) { return pace->level > 0; }

void mcu_pace_spend(struct mcu_pace *pace, size_t size) { pace->level -= (double)size; }

int64_t mcu_pace_due(const struct mcu_pace *pace)
{
    const double rate = FACTOR * pace->bits_per_second;
    const double burst = bytes_in(rate, BURST_US);
    const double wanted = burst < depth(pace) ? burst : depth(pace);
    if (pace->level >= wanted)
        return pace->now;
    return pace->now + (int64_t)((wanted - pace->level) * 8e6 / rate) + 1;
}
