#include "delay.h"

#include <string.h>

#define TOGETHER_US 5000 /* packets that left within it are one group */
#define BURST_US 100000  /* the longest that a group may take to arrive */
#define SMOOTH 0.9
#define GAIN 4.0 /* of the slope, times how many sums there are */
#define GAIN_MOST 60u
#define OVER_MS 10.0         /* a queue grows for so long, and twice, before it counts */
#define THRESHOLD_FIRST 12.5 /* section 5.4 and table 1 */
#define THRESHOLD_LEAST 6.0
#define THRESHOLD_MOST 600.0
#define OUTLIER 15.0
#define RISES 0.0087
#define FALLS 0.039
#define ADAPTS_MS 100.0

void delay_begin(struct delay *delay)
{
    memset(delay, 0, sizeof *delay);
    delay->threshold = THRESHOLD_FIRST;
}

/* -- groups -- */

static bool joins(const struct delay_group *group, int64_t sent, int64_t arrived)
{
    const int64_t later = arrived - group->last_arrived;
    if (sent - group->first_sent <= TOGETHER_US)
        return true;
    /* what waited somewhere and came in one burst says nothing of the line's rate */
    return later <= TOGETHER_US && later < sent - group->last_sent &&
           arrived - group->first_arrived < BURST_US;
}

static void extend(struct delay_group *group, int64_t sent, int64_t arrived)
{
    if (sent > group->last_sent)
        group->last_sent = sent;
    if (arrived > group->last_arrived)
        group->last_arrived = arrived;
}

/* -- the slope -- */

/* Least squares through the points. */
static double slope_of(const struct delay *delay)
{
    double at = 0, late = 0, above = 0, below = 0;
    for (int i = 0; i < DELAY_POINTS; i++) {
        at += delay->point[i].at / DELAY_POINTS;
        late += delay->point[i].delay / DELAY_POINTS;
    }
    for (int i = 0; i < DELAY_POINTS; i++) {
        const double x = delay->point[i].at - at;
        above += x * (delay->point[i].delay - late);
        below += x * x;
    }
    return below > 0 ? above / below : 0;
}

static void adapt(struct delay *delay, double strength, int64_t now)
{
    const double size = strength < 0 ? -strength : strength;
    double passed = (double)(now - delay->adapted_at) / 1000;
    delay->adapted_at = now;
    if (size > delay->threshold + OUTLIER)
        return; /* a leap, as when a telephone changes its cell */
    passed = passed > ADAPTS_MS ? ADAPTS_MS : passed < 0 ? 0 : passed;
    delay->threshold +=
        (size < delay->threshold ? FALLS : RISES) * (size - delay->threshold) * passed;
    if (delay->threshold < THRESHOLD_LEAST)
        delay->threshold = THRESHOLD_LEAST;
    if (delay->threshold > THRESHOLD_MOST)
        delay->threshold = THRESHOLD_MOST;
}

static void judge(struct delay *delay, double before, double passed, int64_t now)
{
    const unsigned count = delay->points < GAIN_MOST ? delay->points : GAIN_MOST;
    const double strength = count * delay->slope * GAIN;
    if (strength > delay->threshold) {
        delay->over_for += delay->over_times ? passed : passed / 2;
        delay->over_times++;
        if (delay->over_for > OVER_MS && delay->over_times > 1 && delay->slope >= before)
            delay->signal = DELAY_OVER;
    } else {
        delay->over_for = 0;
        delay->over_times = 0;
        delay->signal = strength < -delay->threshold ? DELAY_UNDER : DELAY_NORMAL;
    }
    adapt(delay, strength, now);
}

static void compare(struct delay *delay)
{
    const struct delay_group *group = &delay->group, *earlier = &delay->before;
    const double sent = (double)(group->last_sent - earlier->last_sent) / 1000;
    const double arrived = (double)(group->last_arrived - earlier->last_arrived) / 1000;
    const double before = delay->slope;
    if (!delay->points)
        delay->zero = group->last_arrived;
    delay->sum += arrived - sent;
    delay->smooth = SMOOTH * delay->smooth + (1 - SMOOTH) * delay->sum;
    const unsigned at = delay->points++ % DELAY_POINTS;
    delay->point[at].at = (double)(group->last_arrived - delay->zero) / 1000;
    delay->point[at].delay = delay->smooth;
    if (delay->points >= DELAY_POINTS)
        delay->slope = slope_of(delay);
    judge(delay, before, sent, group->last_arrived);
}

void delay_packet(struct delay *delay, int64_t sent, int64_t arrived)
{
    struct delay_group *group = &delay->group;
    if (group->any && sent < group->first_sent)
        return; /* overtaken */
    if (group->any && joins(group, sent, arrived)) {
        extend(group, sent, arrived);
        return;
    }
    if (group->any && delay->before.any)
        compare(delay);
    if (group->any)
        delay->before = *group;
    *group = (struct delay_group){.any = true,
                                  .first_sent = sent,
                                  .last_sent = sent,
                                  .first_arrived = arrived,
                                  .last_arrived = arrived};
}
