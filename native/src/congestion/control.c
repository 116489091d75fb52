/* The rate: lowered where the queue grows or too much is lost, raised with time and by what
 * probes find (draft-ietf-rmcat-gcc-02 sections 5.5 and 6). */
#include "estimate.h"

#define LOWER 0.85     /* of what is delivered while the queue grows */
#define LOWER_IDLE 0.7 /* of the rate, at most, while much less is sent than it allows */
#define IDLE 0.7       /* that is, less than this share */
#define TAKEN 0.7      /* of what is sent; a line that delivers less is full, idle or not */
#define RAISE 1.08     /* a second */
#define AHEAD 1.5      /* time raises the rate to so much of what is delivered */
#define AHEAD_MORE 10000.0 /* and this, bit/s */
#define NEAR 0.15          /* to what the line carried when it was full */
#define CAREFUL 1.03       /* a second, near that */
#define SETTLES_US 1500000 /* after a cut nothing is probed for so long */
#define PROBE_UP 2.0       /* of the rate */
#define PROBE_UP_NARROW 1.5
#define PROBE_LASTS_US 60000
#define PROBE_LASTS_NARROW_US 100000 /* few packets leave, each in its turn */
#define NARROW 1500000.0             /* bit/s: here a probe holds sound up */
#define PROBE_WAIT_US 2000000
#define PROBE_WAIT_MOST_US 5000000
#define PROBE_FOUND 1.1  /* more than this is worth going on at once */
#define TRIED_US 3000000 /* a cut so soon after a probe: it was wrong */
#define SILENT_LOWER 0.5

void control_set(struct mcu_estimate *estimate, double rate)
{
    rate = rate > MCU_ESTIMATE_MOST ? MCU_ESTIMATE_MOST : rate;
    estimate->rate = rate < MCU_ESTIMATE_LEAST ? MCU_ESTIMATE_LEAST : rate;
}

/* Much less is sent than the rate allows, and it arrives: that says little of the rate. */
static bool is_idle(const struct mcu_estimate *estimate, double delivered, int64_t now)
{
    const double sent = meter_rate(&estimate->all, now);
    return sent < IDLE * estimate->rate && delivered > TAKEN * sent;
}

double control_within(const struct mcu_estimate *estimate, double rate, double delivered,
                      int64_t now)
{
    const double least = is_idle(estimate, delivered, now) ? LOWER_IDLE * estimate->rate : 0;
    return rate > least ? rate : least;
}

/* What a probe did not find is not looked for as soon as that again. */
static void hesitate(struct probe *probe)
{
    probe->wait = 2 * probe->wait < PROBE_WAIT_MOST_US ? 2 * probe->wait : PROBE_WAIT_MOST_US;
}

void control_lower(struct mcu_estimate *estimate, double rate, int64_t now)
{
    struct probe *probe = &estimate->probe;
    if (rate < estimate->rate)
        control_set(estimate, rate);
    if (probe->rate > 0 && now - probe->begun < TRIED_US) {
        hesitate(probe);
        probe->rate = 0;
    }
    probe->ends = 0;
    estimate->lowered_at = estimate->raised_at = now;
    const int64_t wait = probe->wait > SETTLES_US ? probe->wait : SETTLES_US;
    probe->next_at = now + wait;
}

/* -- delay -- */

static int64_t response(const struct mcu_estimate *estimate)
{
    return 100000 + (estimate->rtt > 0 ? estimate->rtt : 100000);
}

static void brake(struct mcu_estimate *estimate, double delivered, int64_t now)
{
    int64_t patience = estimate->rtt < 10000 ? 10000 : estimate->rtt;
    patience = patience > 200000 ? 200000 : patience;
    if (delivered <= 0 || now - estimate->lowered_at < patience)
        return;
    if (!is_idle(estimate, delivered, now))
        estimate->capacity = delivered;
    control_lower(estimate, control_within(estimate, LOWER * delivered, delivered, now), now);
}

/* Time passes and nothing speaks against it. */
static void raise_slowly(struct mcu_estimate *estimate, double delivered, int64_t now)
{
    const double passed = (double)(now - estimate->raised_at) / 1e6;
    const double most = AHEAD * delivered + AHEAD_MORE;
    estimate->raised_at = now;
    if (passed <= 0 || passed > 1 || estimate->rate >= most ||
        estimate_standing(estimate) > ESTIMATE_STANDING_US)
        return;
    if (estimate->capacity > 0 && estimate->rate > (1 + NEAR) * estimate->capacity)
        estimate->capacity = 0; /* it carries more than it did */
    const bool near =
        estimate->capacity > 0 && estimate->rate > (1 - NEAR) * estimate->capacity;
    const double rate = estimate->rate * (1 + ((near ? CAREFUL : RAISE) - 1) * passed);
    control_set(estimate, rate < most ? rate : most);
}

/* -- loss -- */

void control_verdict(struct mcu_estimate *estimate, enum loss_verdict verdict,
                     double delivered, int64_t now)
{
    if (verdict == LOSS_REVERT && estimate->loss.before > estimate->rate)
        control_set(estimate, estimate->loss.before);
    if (verdict != LOSS_CUT)
        return;
    const bool idle = meter_rate(&estimate->all, now) < IDLE * estimate->rate;
    double rate = LOWER_IDLE * estimate->rate;
    if (!idle || 0.95 * delivered > rate)
        rate = 0.95 * delivered;
    control_lower(estimate, rate, now);
}

/* -- probes -- */

static void follow_probe(struct mcu_estimate *estimate, int64_t newest, int64_t now)
{
    struct probe *probe = &estimate->probe;
    const double found = probe_result(probe, newest);
    if (found == 0)
        return;
    const bool up = found > PROBE_FOUND * estimate->rate;
    if (found > estimate->rate && estimate->delay.signal != DELAY_OVER) {
        control_set(estimate, found);
        estimate->capacity = 0;
    }
    if (!up)
        hesitate(probe);
    probe->next_at = now + (up ? response(estimate) : probe->wait);
}

/* What there is use for: of more than the far end takes there is none. */
static double use(const struct mcu_estimate *estimate, int64_t now)
{
    const double taken = estimate->cap + meter_rate(&estimate->sound, now);
    return estimate->aim < taken ? estimate->aim : taken;
}

static void perhaps_probe(struct mcu_estimate *estimate, int64_t now)
{
    struct probe *probe = &estimate->probe;
    const double aim = use(estimate, now);
    if (!estimate->feedback_at || aim <= estimate->rate || probe->first ||
        now < probe->next_at || estimate->delay.signal == DELAY_OVER ||
        estimate_standing(estimate) > ESTIMATE_STANDING_US)
        return;
    if (!probe->wait)
        probe->wait = PROBE_WAIT_US;
    const bool narrow = estimate->rate < NARROW;
    const double rate = (narrow ? PROBE_UP_NARROW : PROBE_UP) * estimate->rate;
    const int64_t lasts = narrow ? PROBE_LASTS_NARROW_US : PROBE_LASTS_US;
    probe_begin(probe, rate < aim ? rate : aim, lasts, estimate->sent.next, now);
}

/* -- all of it -- */

void control_feedback(struct mcu_estimate *estimate, int64_t newest, double delivered,
                      int64_t now)
{
    control_verdict(estimate, loss_judge(&estimate->loss, estimate->rate, now), delivered,
                    now);
    if (estimate->delay.signal == DELAY_OVER)
        brake(estimate, delivered, now);
    else if (estimate->delay.signal == DELAY_NORMAL && !(estimate->loss.cut_at > 0))
        raise_slowly(estimate, delivered, now);
    else
        estimate->raised_at = now;
    follow_probe(estimate, newest, now);
}

static void fall_silent(struct mcu_estimate *estimate, int64_t now)
{
    if (!estimate->feedback_at || now - estimate->feedback_at < ESTIMATE_SILENT_US ||
        now - estimate->lowered_at < ESTIMATE_SILENT_US ||
        meter_rate(&estimate->all, now) <= 0)
        return;
    control_lower(estimate, SILENT_LOWER * estimate->rate, now);
}

void mcu_estimate_tick(struct mcu_estimate *estimate, int64_t now)
{
    struct probe *probe = &estimate->probe;
    if (probe->first && now - probe->begun > TRIED_US) { /* nobody said what became of it */
        probe->first = probe->ends = 0;
        probe->next_at = now + probe->wait;
    }
    if (estimate->feedback_at) {
        fall_silent(estimate, now);
        perhaps_probe(estimate, now);
    } else {
        blind_tick(estimate, now);
    }
}
