/* What is counted, as it is told. */
#include "events.h"
#include "leg.h"
#include "legs.h"

#include <errno.h>
#include <string.h>

#define RATED_AFTER_US 500000 /* a second, as a rule: each leg has its slice of it */

static double milliseconds(double units, uint32_t clock) { return units * 1000.0 / clock; }

/* < 0: not known. */
static double rtt_ms(const struct leg *leg)
{
    return leg->rtt < 0 ? -1 : (double)leg->rtt / 1000;
}

static uint64_t packets_of(const struct in_stream *stream)
{
    return stream->packets_before + stream->reception.received;
}

static uint64_t bytes_of(const struct in_stream *stream)
{
    return stream->bytes_before + stream->reception.bytes;
}

static int64_t lost_of(const struct in_stream *stream)
{
    return stream->lost_before +
           (stream->reception.begun ? mcu_reception_lost(&stream->reception) : 0);
}

static uint64_t made_up_ms(const struct in_stream *stream)
{
    return mcu_hearing_stats(stream->sound->hearing)->concealed * 1000 / MCU_RATE;
}

static void follow(struct rate *rate, uint64_t bytes, uint64_t pictures, int64_t now)
{
    if (now - rate->since < RATED_AFTER_US)
        return;
    if (rate->since) {
        const double seconds = (double)(now - rate->since) / 1e6;
        rate->bits_per_second = (uint64_t)(8 * (double)(bytes - rate->bytes) / seconds);
        rate->frame_rate = (double)(pictures - rate->pictures) / seconds;
    }
    rate->since = now;
    rate->bytes = bytes;
    rate->pictures = pictures;
}

void leg_rate(const struct leg *leg, int64_t now)
{
    for (struct in_stream *in = NULL; (in = plane_next_in(leg, in));)
        follow(&in->rate, bytes_of(in), in->pictures, now);
    for (int i = 0; i < MCU_SOURCES; i++)
        if (leg->out[i])
            follow(&leg->out[i]->rate, leg->out[i]->bytes, leg->out[i]->pictures, now);
}

static struct mcu_stream_stats received(const struct leg *leg, const struct in_stream *stream)
{
    struct mcu_stream_stats stats = {
        .source = stream->source,
        .layer = stream->layer,
        .chosen = stream->layer == leg->choices[stream->source].given,
        .codec = stream->codec,
        .packets = packets_of(stream),
        .bytes = bytes_of(stream),
        .lost = lost_of(stream),
        .loss = stream->loss,
        .jitter_ms = milliseconds(stream->reception.jitter, stream->clock),
        .width = stream->width,
        .height = stream->height,
        .frames = stream->pictures,
        .bits_per_second = stream->rate.bits_per_second,
        .frame_rate = stream->rate.frame_rate,
        .nacks = stream->nacks,
        .keys_asked = stream->keys_asked,
    };
    if (stream->sound) {
        const struct mcu_hearing_stats *heard = mcu_hearing_stats(stream->sound->hearing);
        stats.concealed_ms = made_up_ms(stream);
        stats.recovered_ms = heard->recovered * 1000 / MCU_RATE;
        stats.delay_ms = heard->delay * 1000 / MCU_RATE;
    }
    return stats;
}

static struct mcu_stream_stats sent(const struct out_stream *stream)
{
    return (struct mcu_stream_stats){
        .source = stream->source,
        .sending = true,
        .codec = stream->codec,
        .packets = stream->packets,
        .bytes = stream->bytes,
        .lost = stream->lost,
        .loss = stream->loss,
        .jitter_ms = stream->jitter_ms,
        .frames = stream->pictures,
        .bits_per_second = stream->rate.bits_per_second,
        .frame_rate = stream->rate.frame_rate,
        .nacks = stream->nacks,
        .resent = stream->resent,
        .keys_asked = stream->keys_asked,
    };
}

static void fill(const struct leg *leg, struct mcu_leg_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    stats->rtt_ms = rtt_ms(leg);
    for (const struct in_stream *in = NULL; (in = plane_next_in(leg, in));)
        stats->streams[stats->stream_count++] = received(leg, in);
    for (int i = 0; i < MCU_SOURCES; i++)
        if (leg->out[i])
            stats->streams[stats->stream_count++] = sent(leg->out[i]);
    if (leg->congestion)
        mcu_estimate_line(leg->congestion->estimate, &stats->line, plane_now());
    leg_part_drops(leg, stats->drops);
    for (int i = 0; i < MCU_DROPS; i++)
        stats->drops[i] += leg->drops[i];
}

static uint64_t positive(int64_t count) { return count > 0 ? (uint64_t)count : 0; }

void leg_add_totals(const struct leg *leg, struct totals *totals)
{
    leg_part_drops(leg, totals->drops);
    for (const struct in_stream *in = NULL; (in = plane_next_in(leg, in));) {
        const struct mcu_stream_stats stream = received(leg, in);
        totals->lost_in += positive(stream.lost);
        totals->concealed_ms += stream.concealed_ms;
        totals->recovered_ms += stream.recovered_ms;
    }
    for (int i = 0; i < MCU_SOURCES; i++)
        if (leg->out[i])
            totals->lost_out += positive(leg->out[i]->lost);
}

/* Sums, until they are divided by how many there are. */
struct mean {
    double sum;
    size_t count;
};

static void weigh(struct mean *mean, double value)
{
    mean->sum += value;
    mean->count++;
}

static double mean_of(const struct mean *mean)
{
    return mean->count ? mean->sum / (double)mean->count : 0;
}

static void add_means(const struct leg *leg, struct mean jitter[2], struct mean *rtt)
{
    if (leg->rtt >= 0)
        weigh(rtt, rtt_ms(leg));
    for (const struct in_stream *in = NULL; (in = plane_next_in(leg, in));)
        if (in->reception.begun)
            weigh(&jitter[0], milliseconds(in->reception.jitter, in->clock));
    for (int i = 0; i < MCU_SOURCES; i++)
        if (leg->out[i] && leg->out[i]->packets)
            weigh(&jitter[1], leg->out[i]->jitter_ms);
}

static void add_legs(struct mcu_plane *plane, struct mcu_plane_stats *stats)
{
    struct totals totals = plane->gone;
    struct mean jitter[2] = {{0}}, rtt = {0};
    size_t at = 0;
    for (const struct leg *leg; (leg = plane_next_leg(plane, &at));) {
        add_means(leg, jitter, &rtt);
        leg_add_totals(leg, &totals);
    }
    stats->lost_in = totals.lost_in;
    stats->lost_out = totals.lost_out;
    stats->concealed_ms = totals.concealed_ms;
    stats->recovered_ms = totals.recovered_ms;
    for (int i = 0; i < MCU_DROPS; i++)
        stats->drops[i] = plane->drops[i] + totals.drops[i];
    stats->jitter_ms_in = mean_of(&jitter[0]);
    stats->jitter_ms_out = mean_of(&jitter[1]);
    stats->rtt_ms = mean_of(&rtt);
}

int mcu_plane_leg_stats(struct mcu_plane *plane, int handle, struct mcu_leg_stats *stats)
{
    plane_lock(plane);
    const struct leg *leg = plane_leg(plane, handle);
    if (leg)
        fill(leg, stats);
    plane_unlock(plane);
    errno = leg ? 0 : ENOENT;
    return leg ? 0 : -1;
}

static void add_received(struct mcu_leg_traffic *traffic, const struct in_stream *stream)
{
    traffic->received += packets_of(stream);
    traffic->lost += lost_of(stream);
    if (stream->sound) {
        traffic->spoken += packets_of(stream);
        traffic->made_up_ms += made_up_ms(stream);
    }
}

static struct mcu_leg_traffic traffic_of(const struct leg *leg)
{
    struct mcu_leg_traffic traffic = {.rtt_ms = rtt_ms(leg)};
    for (const struct in_stream *in = NULL; (in = plane_next_in(leg, in));)
        add_received(&traffic, in);
    for (int i = 0; i < MCU_SOURCES; i++) {
        const struct out_stream *out = leg->out[i];
        traffic.sent += out ? out->packets : 0;
        traffic.unreceived += out ? out->lost : 0;
    }
    struct mcu_line line = {0};
    if (leg->congestion)
        mcu_estimate_line(leg->congestion->estimate, &line, plane_now());
    traffic.bits_per_second = line.bits_per_second;
    traffic.silent = line.state == MCU_LINE_SILENT;
    return traffic;
}

int mcu_plane_leg_traffic(struct mcu_plane *plane, int handle, struct mcu_leg_traffic *traffic)
{
    plane_lock(plane);
    const struct leg *leg = plane_leg(plane, handle);
    if (leg)
        *traffic = traffic_of(leg);
    plane_unlock(plane);
    errno = leg ? 0 : ENOENT;
    return leg ? 0 : -1;
}

void mcu_plane_stats(struct mcu_plane *plane, struct mcu_plane_stats *stats)
{
    plane_lock(plane);
    *stats = (struct mcu_plane_stats){
        .packets_in = plane->packets_in,
        .packets_out = plane->sent.packets,
        .bytes_in = plane->bytes_in,
        .bytes_out = plane->sent.bytes,
        .receive_calls = plane->receive_calls,
        .send_calls = plane->sent.calls,
        .audio_encodes = plane->audio_encodes,
        .audio_decodes = plane->audio_decodes,
        .audio_coding_seconds = (double)plane->audio_coding_ns / 1e9,
        .legs = legs_count(plane->legs),
        .rooms = plane->rooms,
    };
    add_legs(plane, stats);
    plane_unlock(plane);
    stats->drops[MCU_DROP_EVENT] += events_dropped(plane->events);
}
