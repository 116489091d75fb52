#include "probe.h"

#define STEP_US 4000
#define PACKETS_LEAST 5
#define ARRIVED_LEAST 0.8 /* of its bytes */
#define FULL 0.9          /* what arrives slower than this share of the rate filled the line */
#define BELOW 0.95        /* of what arrived then */

void probe_begin(struct probe *probe, double rate, int64_t lasts, int64_t number, int64_t now)
{
    probe->rate = rate;
    probe->begun = now;
    probe->ends = now + lasts;
    probe->first = probe->last = number;
    probe->sent = probe->bytes = 0;
    probe->packets = 0;
}

void probe_sent(struct probe *probe, size_t size, int64_t number)
{
    if (!probe->ends)
        return;
    probe->sent += size;
    probe->last = number;
}

size_t probe_due(struct probe *probe, int64_t now, int64_t *wake)
{
    *wake = INT64_MAX;
    if (!probe->ends)
        return 0;
    const int64_t until = now < probe->ends ? now : probe->ends;
    const double due = probe->rate / 8e6 * (double)(until - probe->begun + STEP_US);
    const double missing = due - (double)probe->sent;
    if (now >= probe->ends)
        probe->ends = 0;
    else
        *wake = now + STEP_US;
    return missing > 0 ? (size_t)missing : 0;
}

void probe_arrived(struct probe *probe, int64_t number, size_t size, int64_t arrived)
{
    if (!probe->first || number < probe->first || number > probe->last)
        return;
    if (!probe->packets++) {
        probe->first_arrived = probe->last_arrived = arrived;
        return;
    }
    probe->bytes += size;
    if (arrived > probe->last_arrived)
        probe->last_arrived = arrived;
}

double probe_result(struct probe *probe, int64_t number)
{
    if (!probe->first || probe->ends || number < probe->last)
        return 0;
    probe->first = 0;
    const double took = (double)(probe->last_arrived - probe->first_arrived);
    if (probe->packets < PACKETS_LEAST || took <= 0 ||
        (double)probe->bytes < ARRIVED_LEAST * (double)probe->sent)
        return -1;
    const double arrived = (double)probe->bytes * 8e6 / took;
    return arrived < FULL * probe->rate ? BELOW * arrived : probe->rate;
}
