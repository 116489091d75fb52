/* A leg that gives no transport-wide feedback. A receiver's own estimate (REMB) says little
 * while little is sent: it follows what came, up to about half as much again, and no faster
 * than some per cent a second; and what it does not count, headers and mostly the sound, comes
 * on top of it. So it is read against what is sent steadily: below that the
 * line is full, but for while it rises, as then the receiver sees no queue grow. And since it
 * cannot say by itself that the line carries more, more is tried after a while in which
 * nothing spoke against what is sent; a try that fails is not soon made again. */
#include "estimate.h"

#define FULL 0.9 /* an estimate below this share of what is sent */
#define BELOW 0.95
#define SAMPLE_US 500000
#define RISES_US 2000000 /* since it last rose: it still does */
#define LITTLE_LOSS 0.02
#define LOSS_HOLDS_US 10000000 /* who is sent nothing reports none */
#define TRUST_US 5000000
#define TRUST_MOST_US 80000000
#define HELD_US 30000000 /* a try that went well for so long has not failed */
#define RAISE 1.2        /* a second: it sends no more before a better class is reached */

static void distrust(struct blind *blind, int64_t now)
{
    const bool failed = now - blind->trusted_at < blind->trust + HELD_US;
    blind->trusted_at = now;
    blind->trust = blind->trust && failed ? 2 * blind->trust : TRUST_US;
    if (blind->trust > TRUST_MOST_US)
        blind->trust = TRUST_MOST_US;
}

/* What was sent at least all the time, lately: a key frame is not held against an estimate
 * that is older than it. */
static double steadily_sent(const struct mcu_estimate *estimate, int64_t now)
{
    double least = meter_rate(&estimate->all, now);
    for (int i = 0; i < BLIND_SAMPLES; i++)
        if (estimate->blind.sent[i] < least)
            least = estimate->blind.sent[i];
    return least;
}

static void sample(struct mcu_estimate *estimate, int64_t now)
{
    struct blind *blind = &estimate->blind;
    if (now - blind->sampled_at < SAMPLE_US)
        return;
    blind->sent[blind->samples++ % BLIND_SAMPLES] = meter_rate(&estimate->all, now);
    blind->sampled_at = now;
}

/* What is sent besides that of which a REMB speaks. */
static double uncounted(const struct mcu_estimate *estimate, bool sound, int64_t now)
{
    return meter_rate(&estimate->blind.headers[0], now) +
           meter_rate(sound ? &estimate->blind.headers[1] : &estimate->sound, now);
}

void mcu_estimate_remb(struct mcu_estimate *estimate, uint64_t bits_per_second, bool sound,
                       int64_t now)
{
    const double said = (double)bits_per_second;
    struct blind *blind = &estimate->blind;
    if (estimate->feedback_at)
        return;
    const bool fell = said < blind->said;
    if (said > blind->said)
        blind->rose_at = now;
    blind->said = said;
    const double all = said + uncounted(estimate, sound, now);
    if (all > estimate->rate) {
        control_set(estimate, all);
    } else if (all < FULL * steadily_sent(estimate, now) &&
               (fell || now - blind->rose_at > RISES_US)) {
        control_lower(estimate, control_within(estimate, BELOW * all, all, now), now);
        distrust(blind, now);
    }
}

void mcu_estimate_loss(struct mcu_estimate *estimate, double loss, int64_t now)
{
    if (estimate->feedback_at)
        return;
    estimate->blind.loss_at = now;
    const double delivered = meter_rate(&estimate->all, now) * (1 - loss);
    const enum loss_verdict verdict = loss_ratio(&estimate->loss, loss, estimate->rate);
    control_verdict(estimate, verdict, delivered, now);
    if (verdict == LOSS_CUT)
        distrust(&estimate->blind, now);
}

static bool loses(const struct mcu_estimate *estimate, int64_t now)
{
    const struct loss *loss = &estimate->loss;
    return loss->ratio > LITTLE_LOSS + loss->own &&
           now - estimate->blind.loss_at < LOSS_HOLDS_US;
}

void blind_tick(struct mcu_estimate *estimate, int64_t now)
{
    const struct blind *blind = &estimate->blind;
    const double passed = (double)(now - estimate->raised_at) / 1e6;
    estimate->raised_at = now;
    sample(estimate, now);
    if (passed > 0 && passed < 1 && estimate->rate < estimate->aim && !loses(estimate, now) &&
        now - blind->trusted_at > blind->trust)
        control_set(estimate, estimate->rate * (1 + (RAISE - 1) * passed));
}
