/* A line that has become narrow at once: what was sent into it waits, and sound behind it. The
 * trend of the delays says so after half a second and longer. A queue of 100 ms says it with
 * the first report: pictures are held until it is empty, or for a second, and what came while
 * packets waited is what the line carries. Where too few came to tell, the next report does.
 */
#include "estimate.h"

#define JAM_US 100000
#define HELD_MOST_US 1000000 /* a queue that stays is somebody else's */
#define PACKETS_LEAST 3
#define SPAN_LEAST_US 40000
#define LOWER 0.85 /* of what comes through */

void jam_report(struct jam *jam)
{
    if (!jam->since || jam->told)
        jam->packets = 0;
}

void jam_arrived(struct jam *jam, size_t size, int64_t arrived)
{
    if (!jam->packets++) {
        jam->first = jam->last = arrived;
        jam->bytes = 0;
        return;
    }
    jam->bytes += size;
    jam->last = arrived > jam->last ? arrived : jam->last;
}

void jam_follow(struct mcu_estimate *estimate, int64_t now)
{
    struct jam *jam = &estimate->jam;
    const int64_t standing = estimate_standing(estimate);
    if (standing < ESTIMATE_STANDING_US) {
        jam->since = 0;
        jam->told = false;
    }
    if (standing < JAM_US || jam->told)
        return;
    if (!jam->since)
        jam->since = now;
    const int64_t span = jam->last - jam->first;
    if (jam->packets < PACKETS_LEAST || span < SPAN_LEAST_US)
        return;
    jam->told = true;
    const double through = (double)jam->bytes * 8e6 / (double)span;
    control_lower(estimate, control_within(estimate, LOWER * through, through, now), now);
}

bool jam_holds(const struct jam *jam, int64_t now)
{
    return jam->since && now - jam->since < HELD_MOST_US;
}
