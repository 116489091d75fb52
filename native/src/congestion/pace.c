#include <mcu/pace.h>

#define NARROW 1500000 /* bit/s: here a picture in one burst would hold sound up */
#define FACTOR 2.5     /* of the estimate: a picture is through before the next one */
#define FACTOR_NARROW 1.2
#define FACTOR_FULL 0.7      /* while its queue is let empty */
#define DEEP_US 50000        /* of the estimate: a picture at 20 a second */
#define DEEP_NARROW_US 15000 /* with the 20 ms between two packets of sound below 40 */
#define BURST_US 5000        /* at the paced rate */
#define LEAST_BYTES 300      /* of a packet: below, its headers are most of it */
#define LEAST_RATE 5000      /* bit/s: it ends some time */

static double bytes_in(double bits_per_second, int64_t time)
{
    return bits_per_second / 8e6 * (double)time;
}

static double depth(const struct mcu_pace *pace)
{
    const bool narrow = pace->bits_per_second < NARROW;
    const double deep = bytes_in(pace->bits_per_second, narrow ? DEEP_NARROW_US : DEEP_US);
    return deep > LEAST_BYTES ? deep : LEAST_BYTES;
}

static double rate(const struct mcu_pace *pace)
{
    if (pace->full)
        return FACTOR_FULL * pace->bits_per_second;
    if (pace->bits_per_second >= NARROW)
        return FACTOR * pace->bits_per_second;
    return pace->probe ? pace->probe : FACTOR_NARROW * pace->bits_per_second;
}

void mcu_pace_at(struct mcu_pace *pace, const struct mcu_line *line, int64_t now)
{
    const int64_t passed = now > pace->now ? now - pace->now : 0;
    pace->level += bytes_in(rate(pace), passed);
    const bool begins = !pace->now;
    pace->bits_per_second = line->pictures > LEAST_RATE ? line->pictures : LEAST_RATE;
    pace->full = line->full;
    pace->probe = line->probe;
    pace->now += passed;
    if (begins || pace->level > depth(pace))
        pace->level = depth(pace);
}

bool mcu_pace_may(const struct mcu_pace *pace) { return pace->level > 0; }

void mcu_pace_spend(struct mcu_pace *pace, size_t size) { pace->level -= (double)size; }

int64_t mcu_pace_due(const struct mcu_pace *pace)
{
    const double burst = bytes_in(rate(pace), BURST_US);
    const double wanted = burst < depth(pace) ? burst : depth(pace);
    if (pace->level >= wanted)
        return pace->now;
    return pace->now + (int64_t)((wanted - pace->level) * 8e6 / rate(pace)) + 1;
}

size_t mcu_pace_packet(uint32_t bits_per_second, size_t most)
{
    const double size = bytes_in(bits_per_second, DEEP_NARROW_US);
    if (size < LEAST_BYTES)
        return most < LEAST_BYTES ? most : LEAST_BYTES;
    return size < (double)most ? (size_t)size : most;
}
