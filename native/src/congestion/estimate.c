#include "estimate.h"

#include "statuses.h"

#include <mcu/feedback.h>
#include <mcu/rtp.h>

#include <stdlib.h>
#include <string.h>

#define LEAST_WINDOW_US 10000000
#define ANSWERED_US 250000 /* feedback comes at least so often, and a little leeway */
#define ROOM_LEAST 6000    /* bytes: some packets, on the thinnest line */
#define BEFORE_RTT_US 200000
#define TURN (INT64_C(1) << 24)        /* of a reference time */
#define LEAP (60000000 / REFERENCE_US) /* from one report to the next: it is another clock */

static int64_t lesser(int64_t a, int64_t b) { return a < b ? a : b; }

struct mcu_estimate *mcu_estimate_new(uint32_t start)
{
    struct mcu_estimate *estimate = calloc(1, sizeof *estimate);
    if (!estimate)
        return NULL;
    estimate->rate = start;
    estimate->cap = MCU_ESTIMATE_MOST;
    estimate->reference = estimate->rtt = -1;
    estimate->rtt_least[0] = estimate->rtt_least[1] = INT64_MAX;
    estimate->transit_least[0] = estimate->transit_least[1] = INT64_MAX;
    sent_begin(&estimate->sent);
    delay_begin(&estimate->delay);
    return estimate;
}

void mcu_estimate_free(struct mcu_estimate *estimate) { free(estimate); }

/* -- what is sent -- */

uint16_t mcu_estimate_number(const struct mcu_estimate *estimate)
{
    return (uint16_t)estimate->sent.next;
}

static void count(struct mcu_estimate *estimate, size_t size, bool sound, int64_t now)
{
    meter_add(&estimate->all, (uint32_t)size, now);
    if (sound)
        meter_add(&estimate->sound, (uint32_t)size, now);
}

void mcu_estimate_unnumbered(struct mcu_estimate *estimate, size_t size, size_t headers,
                             bool sound, int64_t now)
{
    count(estimate, size, sound, now);
    meter_add(&estimate->blind.headers[sound], (uint32_t)headers, now);
}

void mcu_estimate_sent(struct mcu_estimate *estimate, size_t size, bool sound, int64_t now)
{
    probe_sent(&estimate->probe, size, estimate->sent.next);
    sent_add(&estimate->sent, size, now);
    count(estimate, size, sound, now);
}

void mcu_estimate_left(struct mcu_estimate *estimate, uint16_t number, int64_t now)
{
    int64_t extended;
    struct sent_packet *packet = sent_find(&estimate->sent, number, &extended);
    if (packet && packet->answer == SENT_WAITS && now > packet->at)
        packet->at = now;
}

/* -- feedback -- */

/* Another clock is theirs from now on: what was measured by the one before is of no use. It
 * begins after a turn of its 24 bits, so that no delta leads to a time below zero. */
static void begin_clock(struct mcu_estimate *estimate, uint32_t wire)
{
    estimate->reference = TURN + wire;
    memset(&estimate->delivered, 0, sizeof estimate->delivered);
    estimate->transit_least[0] = estimate->transit_least[1] = INT64_MAX;
    delay_begin(&estimate->delay);
}

/* The time of a report's deltas, by their clock, us. */
static int64_t reference_of(struct mcu_estimate *estimate, uint32_t wire)
{
    const int64_t before = estimate->reference, now = mcu_extend24(before, wire);
    estimate->reference = now;
    if (before < 0 || now < TURN || now > before + LEAP || now < before - LEAP)
        begin_clock(estimate, wire);
    return estimate->reference * REFERENCE_US;
}

/* A packet that was sent then, and arrived by their clock at `arrived`, is answered for. */
static void follow_ways(struct mcu_estimate *estimate, int64_t sent, int64_t arrived,
                        int64_t now)
{
    if (now - estimate->least_since > LEAST_WINDOW_US) {
        estimate->least_since = now;
        estimate->rtt_least[1] = estimate->rtt_least[0];
        estimate->transit_least[1] = estimate->transit_least[0];
        estimate->rtt_least[0] = estimate->transit_least[0] = INT64_MAX;
    }
    estimate->rtt = now - sent;
    estimate->transit = arrived - sent;
    estimate->rtt_least[0] = lesser(estimate->rtt, estimate->rtt_least[0]);
    estimate->transit_least[0] = lesser(estimate->transit, estimate->transit_least[0]);
}

static void take_packet(struct mcu_estimate *estimate, struct sent_packet *packet,
                        int64_t number, const struct mcu_feedback_packet *said,
                        int64_t arrived)
{
    if (packet->answer == SENT_ARRIVED)
        return;
    if (!said->received) {
        if (packet->answer == SENT_WAITS)
            loss_packet(&estimate->loss, false);
        packet->answer = SENT_LOST;
        return;
    }
    if (packet->answer == SENT_LOST)
        loss_found(&estimate->loss);
    else
        loss_packet(&estimate->loss, true);
    packet->answer = SENT_ARRIVED;
    meter_add(&estimate->delivered, packet->size, arrived);
    probe_arrived(&estimate->probe, number, packet->size, arrived);
    jam_arrived(&estimate->jam, packet->size, arrived);
    delay_packet(&estimate->delay, packet->at, arrived);
}

/* Takes all packets of a report; the newest that arrived: its number, and when by their clock.
 */
static int64_t take_report(struct mcu_estimate *estimate, struct mcu_feedback *feedback,
                           int64_t now, int64_t *arrived)
{
    const int64_t reference = reference_of(estimate, feedback->reference);
    struct mcu_feedback_packet said;
    int64_t newest = 0;
    jam_report(&estimate->jam);
    while (mcu_feedback_next(feedback, &said)) {
        int64_t number;
        struct sent_packet *packet = sent_find(&estimate->sent, said.number, &number);
        if (!packet)
            continue;
        take_packet(estimate, packet, number, &said, reference + said.at);
        if (!said.received || number < newest)
            continue;
        newest = number;
        *arrived = reference + said.at;
        follow_ways(estimate, packet->at, *arrived, now);
    }
    return newest;
}

int mcu_estimate_feedback(struct mcu_estimate *estimate, const uint8_t *body, size_t size,
                          int64_t now)
{
    struct mcu_feedback feedback;
    int64_t arrived = 0;
    if (mcu_feedback_open(&feedback, body, size))
        return -1;
    const int64_t newest = take_report(estimate, &feedback, now, &arrived);
    if (!newest)
        return 0;
    estimate->feedback_at = now;
    sent_answered(&estimate->sent, newest);
    control_feedback(estimate, newest, meter_rate(&estimate->delivered, arrived), now);
    jam_follow(estimate, now);
    return 0;
}

/* -- what follows -- */

/* The least of the last ten to twenty seconds, us. */
static int64_t rtt_least(const struct mcu_estimate *estimate)
{
    const int64_t least = lesser(estimate->rtt_least[0], estimate->rtt_least[1]);
    return least < INT64_MAX ? least : BEFORE_RTT_US;
}

int64_t estimate_standing(const struct mcu_estimate *estimate)
{
    if (estimate->rtt < 0)
        return 0;
    const int64_t *least = estimate->transit_least;
    return lesser(estimate->rtt - rtt_least(estimate),
                  estimate->transit - lesser(least[0], least[1]));
}

size_t mcu_estimate_room(struct mcu_estimate *estimate, int64_t now)
{
    if (!estimate->feedback_at)
        return SIZE_MAX;
    if (jam_holds(&estimate->jam, now))
        return 0;
    const uint64_t out = sent_outstanding(&estimate->sent, now);
    const double window =
        estimate->rate / 8e6 * (double)(rtt_least(estimate) + ANSWERED_US) + ROOM_LEAST;
    return (double)out < window ? (size_t)(window - (double)out) : 0;
}

static enum mcu_line_state state_of(const struct mcu_estimate *estimate, int64_t now)
{
    if (estimate->feedback_at && now - estimate->feedback_at > ESTIMATE_SILENT_US)
        return MCU_LINE_SILENT;
    if (estimate->lowered_at && now - estimate->lowered_at < ESTIMATE_SILENT_US)
        return estimate->loss.cut_at > 0 ? MCU_LINE_LOSING : MCU_LINE_FILLING;
    return MCU_LINE_STEADY;
}

void mcu_estimate_line(const struct mcu_estimate *estimate, struct mcu_line *line, int64_t now)
{
    const double sound = meter_rate(&estimate->sound, now), left = estimate->rate - sound;
    const double pictures = left < estimate->cap ? left : estimate->cap;
    const double probe = estimate->probe.ends ? estimate->probe.rate - sound : 0;
    *line = (struct mcu_line){
        .bits_per_second = (uint32_t)estimate->rate,
        .pictures = pictures > 0 ? (uint32_t)pictures : 0,
        .loss = estimate->loss.ratio,
        .rtt = estimate->rtt,
        .state = state_of(estimate, now),
        .full = estimate_standing(estimate) > ESTIMATE_STANDING_US,
        .probe = probe > 0 ? (uint32_t)probe : 0,
    };
}

uint32_t mcu_estimate_rate(const struct mcu_estimate *estimate)
{
    return (uint32_t)estimate->rate;
}

bool mcu_estimate_probes(const struct mcu_estimate *estimate)
{
    return estimate->probe.ends != 0;
}

size_t mcu_estimate_probe(struct mcu_estimate *estimate, int64_t now, int64_t *wake)
{
    return probe_due(&estimate->probe, now, wake);
}

void mcu_estimate_cap(struct mcu_estimate *estimate, uint64_t bits_per_second)
{
    estimate->cap =
        bits_per_second < MCU_ESTIMATE_MOST ? (double)bits_per_second : MCU_ESTIMATE_MOST;
}

void mcu_estimate_aim(struct mcu_estimate *estimate, uint32_t bits_per_second)
{
    estimate->aim = bits_per_second;
}
