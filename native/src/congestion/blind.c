/* A leg that gives no transport-wide feedback. A receiver's own estimate (REMB) says little
 * while little is sent: it follows what came, up to about half as much again. So it is read
 * against what is sent: below that the line is full. Above it the rate goes up when the
 * estimate says so, or, since it cannot say so by itself, after a while to try it; a try that
 * fails is not soon made again. */
#include "estimate.h"

#define FULL 0.9 /* an estimate below this share of what is sent */
#define BELOW 0.95
#define LITTLE_LOSS 0.02
#define TRUST_US 5000000
#define TRUST_MOST_US 80000000
#define RAISE 1.08 /* a second */

static void distrust(struct mcu_estimate *estimate, int64_t now)
{
    estimate->trusted_at = now;
    estimate->trust = estimate->trust ? 2 * estimate->trust : TRUST_US;
    if (estimate->trust > TRUST_MOST_US)
        estimate->trust = TRUST_MOST_US;
}

void mcu_estimate_remb(struct mcu_estimate *estimate, uint64_t bits_per_second, int64_t now)
{
    const double said = (double)bits_per_second, sent = meter_rate(&estimate->all, now);
    if (estimate->feedback_at)
        return;
    if (said > estimate->rate) {
        control_set(estimate, said);
    } else if (said < FULL * sent && said < estimate->rate) {
        control_lower(estimate, BELOW * said, now);
        distrust(estimate, now);
    }
}

void mcu_estimate_loss(struct mcu_estimate *estimate, double loss, int64_t now)
{
    if (estimate->feedback_at)
        return;
    const double delivered = meter_rate(&estimate->all, now) * (1 - loss);
    const enum loss_verdict verdict = loss_ratio(&estimate->loss, loss, estimate->rate);
    control_verdict(estimate, verdict, delivered, now);
    if (verdict == LOSS_CUT)
        distrust(estimate, now);
}

void mcu_estimate_cap(struct mcu_estimate *estimate, uint64_t bits_per_second)
{
    estimate->cap = bits_per_second < MCU_ESTIMATE_MOST ? (double)bits_per_second : 0;
    control_set(estimate, estimate->rate);
}

void blind_tick(struct mcu_estimate *estimate, int64_t now)
{
    const double passed = (double)(now - estimate->raised_at) / 1e6;
    estimate->raised_at = now;
    if (passed > 0 && passed < 1 && estimate->rate < estimate->aim &&
        estimate->loss.ratio <= LITTLE_LOSS + estimate->loss.own &&
        now - estimate->trusted_at > estimate->trust)
        control_set(estimate, estimate->rate * (1 + (RAISE - 1) * passed));
}
