#include "loss.h"

#define WINDOW_US 1000000
#define PACKETS_LEAST 40
#define TOO_MUCH 0.10 /* section 6 of the draft */
#define HELPED 0.7    /* a cut that leaves more than this of the loss was of no use */
#define OWN_MOST 0.30
#define OWN_FALLS 0.25 /* towards what is seen, in each window */

void loss_packet(struct loss *loss, bool arrived)
{
    loss->arrived += arrived;
    loss->lost += !arrived;
}

void loss_found(struct loss *loss)
{
    loss->arrived++;
    if (loss->lost)
        loss->lost--;
}

enum loss_verdict loss_ratio(struct loss *loss, double ratio, double rate)
{
    loss->ratio = ratio;
    if (ratio < loss->own)
        loss->own += OWN_FALLS * (ratio - loss->own);
    if (loss->cut_at > 0) { /* a window that was sent after the cut */
        const bool helped = ratio < HELPED * loss->cut_at;
        loss->cut_at = 0;
        if (!helped && ratio <= OWN_MOST) {
            loss->own = ratio > loss->own ? ratio : loss->own;
            return LOSS_REVERT;
        }
    }
    if (ratio <= TOO_MUCH + 1.5 * loss->own)
        return LOSS_FINE;
    loss->cut_at = ratio;
    loss->before = rate;
    return LOSS_CUT;
}

enum loss_verdict loss_judge(struct loss *loss, double rate, int64_t now)
{
    const uint32_t count = loss->arrived + loss->lost;
    if (!loss->window)
        loss->window = now;
    if (count < PACKETS_LEAST || now - loss->window < WINDOW_US)
        return LOSS_FINE;
    const double ratio = (double)loss->lost / count;
    loss->arrived = loss->lost = 0;
    loss->window = now;
    return loss_ratio(loss, ratio, rate);
}
