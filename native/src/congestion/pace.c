#include <mcu/pace.h>

#define NARROW 1500000 /* bit/s: here a picture in one burst would hold sound up */
#define FACTOR 2.5     /* of the estimate: a picture is through before the next one */
#define FACTOR_NARROW 1.2
#define FACTOR_FULL 0.7 /* while its queue is let empty */
#define DEEP_US 50000   /* of the estimate: a picture at 20 a second */
#define BURST_US 5000   /* at the paced rate */
#define SOUND_US 20000  /* between two of its packets */
#define SLACK_US 10000  /* that sound may have to wait, or much of an interval is unused */
#define EARLY_US 5000   /* behind sound */
#define PACKET_US 12000 /* of the estimate, sound's part too: one or two to an interval */
#define LEAST_BYTES 300 /* of a packet: below, its headers are most of it */
#define LEAST_RATE 5000 /* bit/s: it ends some time */

static double bytes_in(double bits_per_second, int64_t time)
{
    return bits_per_second / 8e6 * (double)time;
}

bool mcu_pace_narrow(const struct mcu_pace *pace) { return pace->bits_per_second < NARROW; }

static double depth(const struct mcu_pace *pace)
{
    return mcu_pace_narrow(pace) ? 0 : bytes_in(pace->bits_per_second, DEEP_US);
}

static double rate(const struct mcu_pace *pace)
{
    if (pace->full)
        return FACTOR_FULL * pace->bits_per_second;
    if (!mcu_pace_narrow(pace))
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

void mcu_pace_sound(struct mcu_pace *pace, int64_t now) { pace->sound_at = now; }

/* -- a narrow line -- */

/* Until when a late packet of sound is waited for. */
static int64_t waits_until(const struct mcu_pace *pace)
{
    return pace->sound_at + 2 * SOUND_US;
}

/* What is longer is not carried between two packets of sound. */
static double whole(const struct mcu_pace *pace)
{
    return bytes_in(rate(pace), SOUND_US + SLACK_US);
}

/* Whether the line has carried it, and what left before, by the time sound is due. What is too
 * long for that leaves right behind sound. Where no sound leaves, one leaves after another. */
static bool fits(const struct mcu_pace *pace, size_t size)
{
    const int64_t left = pace->sound_at + SOUND_US - pace->now;
    const double slack = pace->level + bytes_in(rate(pace), SLACK_US);
    if (pace->now >= waits_until(pace))
        return pace->level >= 0;
    if ((double)size <= slack + bytes_in(rate(pace), left))
        return true;
    return slack >= 0 && (double)size > whole(pace) && left > SOUND_US - EARLY_US;
}

/* -- what may leave -- */

bool mcu_pace_may(const struct mcu_pace *pace, size_t size)
{
    return mcu_pace_narrow(pace) ? fits(pace, size) : pace->level > 0;
}

bool mcu_pace_may_repair(const struct mcu_pace *pace, size_t size)
{
    if (!mcu_pace_narrow(pace))
        return pace->level > 0;
    return (double)size > whole(pace) ? pace->level >= 0 : fits(pace, 0);
}

void mcu_pace_spend(struct mcu_pace *pace, size_t size) { pace->level -= (double)size; }

int64_t mcu_pace_due(const struct mcu_pace *pace)
{
    if (mcu_pace_narrow(pace) &&
        pace->now < waits_until(pace)) /* unless sound leaves before */
        return waits_until(pace);
    const double deep = depth(pace), burst = bytes_in(rate(pace), BURST_US);
    const double wanted = burst < deep ? burst : deep;
    if (pace->level >= wanted)
        return pace->now;
    return pace->now + (int64_t)((wanted - pace->level) * 8e6 / rate(pace)) + 1;
}

size_t mcu_pace_packet(uint32_t bits_per_second, size_t most)
{
    const double size = bytes_in(bits_per_second, PACKET_US);
    if (size < LEAST_BYTES)
        return most < LEAST_BYTES ? most : LEAST_BYTES;
    return size < (double)most ? (size_t)size : most;
}
