/* RTCP that came. */
#include "../wire/bytes.h"
#include "packets.h"
#include "send.h"

static void say(const struct arrival *in, struct leg *leg, enum mcu_event_kind kind, int64_t a)
{
    leg_say(in->plane, leg, &(struct mcu_event){.kind = kind, .leg = leg->handle, .a = a});
}

static struct in_stream *in_of(const struct leg *leg, uint32_t ssrc)
{
    struct in_stream *stream = NULL;
    while ((stream = plane_next_in(leg, stream)))
        if (stream->latched && stream->ssrc == ssrc)
            break;
    return stream;
}

static struct out_stream *out_of(const struct leg *leg, uint32_t ssrc)
{
    for (int i = 0; i < MCU_SOURCES; i++)
        if (leg->out[i] && leg->out[i]->ssrc == ssrc)
            return leg->out[i];
    return NULL;
}

static void sender_report(const struct arrival *in, const struct leg *leg,
                          const struct mcu_rtcp_event *event)
{
    struct in_stream *stream = in_of(leg, event->ssrc);
    if (!stream)
        return;
    stream->reception.last_sr = (uint32_t)(event->ntp >> 16);
    stream->reception.last_sr_at = in->now;
}

/* RFC 3550 section 6.4.1; a report that knows none of ours, or claims to be from the future,
 * tells nothing. */
static void follow_rtt(struct leg *leg, const struct mcu_rtcp_event *event)
{
    if (!event->last_sr)
        return;
    const uint32_t since = (uint32_t)(rtcp_ntp() >> 16) - event->last_sr;
    const int64_t rtt = ((int64_t)since - (int64_t)event->delay) * 1000000 / 65536;
    if (rtt >= 0 && rtt < 10000000)
        leg->rtt = leg->rtt < 0 ? rtt : (7 * leg->rtt + rtt) / 8;
}

/* Networks that lose a packet lose more: FEC goes on for so long after the last report of
 * loss. */
#define LOSSY_FOR_US 10000000

/* What cannot be said now, for too much was, is said after the next report. */
static void say_loss(const struct arrival *in, struct leg *leg, struct out_stream *stream,
                     uint8_t loss)
{
    if (stream->loss_said == loss || leg->said >= SAYS_MOST)
        return;
    stream->loss_said = loss;
    leg_say(in->plane, leg,
            &(struct mcu_event){
                .kind = MCU_EVENT_LOSS, .leg = leg->handle, .a = stream->source, .b = loss});
}

static void report(const struct arrival *in, struct leg *leg,
                   const struct mcu_rtcp_event *event)
{
    struct out_stream *stream = out_of(leg, event->media_ssrc);
    if (!stream)
        return;
    const bool audio = stream->source == MCU_AUDIO;
    stream->lost = event->lost;
    stream->loss = event->fraction_lost / 256.0;
    if (event->fraction_lost > 0)
        stream->lossy_until = in->now + LOSSY_FOR_US;
    stream->jitter_ms = event->jitter * 1000.0 / send_clock(stream);
    follow_rtt(leg, event);
    if (!audio && leg->congestion)
        mcu_estimate_loss(leg->congestion->estimate, stream->loss, in->now);
    if (!audio)
        say_loss(in, leg, stream, event->fraction_lost);
    if (!audio || !stream->packets)
        return;
    const struct mcu_event said = {
        .kind = MCU_EVENT_REPORT,
        .leg = leg->handle,
        .a = mcu_extend16(stream->sequence, (uint16_t)event->highest),
        .b = event->lost,
    };
    leg_say(in->plane, leg, &said);
}

static void nack(const struct arrival *in, struct leg *leg, const struct mcu_rtcp_event *event)
{
    struct out_stream *stream = out_of(leg, event->media_ssrc);
    if (!stream || !stream->sent || !send_media(leg) || leg->nacked++ >= NACKS_MOST)
        return;
    const int64_t first = mcu_extend16(stream->sequence, event->pid);
    for (int i = 0; i <= 16; i++) {
        if (i && !(event->mask >> (i - 1) & 1))
            continue;
        stream->nacks++;
        if (udp_next(in->out)) /* else it will be asked for again */
            send_again(leg, stream, first + i, in->out, in->now);
    }
}

static void key_wanted(const struct arrival *in, struct leg *leg,
                       const struct mcu_rtcp_event *event)
{
    struct out_stream *stream = out_of(leg, event->media_ssrc);
    if (!stream || stream->source == MCU_AUDIO)
        return;
    if (event->kind == MCU_RTCP_FIR) { /* a repeat has the same command, RFC 5104 4.3.1.1 */
        if (stream->fir_command == event->command)
            return;
        stream->fir_command = event->command;
    }
    stream->keys_asked++;
    congestion_say_lower(in->plane, leg, in->now);
    say(in, leg, MCU_EVENT_KEY_WANTED, stream->source);
}

/* Sound is sent at the one rate that it has. One datagram may hold a hundred of these: as many
 * are answered in a second as there may be events. */
static void limit(const struct arrival *in, struct leg *leg,
                  const struct mcu_rtcp_event *event)
{
    const struct out_stream *stream = out_of(leg, event->media_ssrc);
    if (!stream || leg->said >= SAYS_MOST)
        return;
    leg->said++;
    rtcp_notify(leg, in->out, event);
    if (stream->source != MCU_AUDIO && leg->congestion)
        mcu_estimate_cap(leg->congestion->estimate, event->bits_per_second);
}

/* A REMB that names no stream speaks of all. */
static bool speaks_of_sound(const struct leg *leg, const struct mcu_rtcp_event *remb)
{
    const struct out_stream *sound = leg->out[MCU_AUDIO];
    for (size_t at = 0; at < remb->body_size; at += 4)
        if (sound && get32(remb->body + at) == sound->ssrc)
            return true;
    return !remb->body_size;
}

static void take(const struct arrival *in, struct leg *leg, const struct mcu_rtcp_event *event)
{
    switch (event->kind) {
    case MCU_RTCP_SENDER:
        sender_report(in, leg, event);
        break;
    case MCU_RTCP_REPORT:
        report(in, leg, event);
        break;
    case MCU_RTCP_NACK:
        nack(in, leg, event);
        break;
    case MCU_RTCP_PLI:
    case MCU_RTCP_FIR:
        key_wanted(in, leg, event);
        break;
    case MCU_RTCP_REMB:
        if (leg->congestion)
            mcu_estimate_remb(leg->congestion->estimate, event->bits_per_second,
                              speaks_of_sound(leg, event), in->now);
        break;
    case MCU_RTCP_TMMBR:
        limit(in, leg, event);
        break;
    case MCU_RTCP_BYE:
        if (leg->in[MCU_AUDIO] && leg->in[MCU_AUDIO] == in_of(leg, event->ssrc))
            say(in, leg, MCU_EVENT_BYE, 0);
        break;
    case MCU_RTCP_WIDE:
        if (congestion_feedback(leg, event->body, event->body_size, in->now))
            plane_drop(in->plane, leg, MCU_DROP_RTCP_MALFORMED);
        break;
    }
}

void rtcp_receive(const struct arrival *in, struct leg *leg)
{
    size_t size = in->size;
    struct mcu_srtp *keys = leg->rtcp_receiving ? leg->rtcp_receiving : leg->receiving;
    if (keys && mcu_srtp_unprotect_rtcp(keys, in->data, &size)) {
        plane_drop(in->plane, leg, MCU_DROP_SRTP);
        return;
    }
    leg_authentic(leg, in);
    struct mcu_rtcp_reader reader = {.data = in->data, .size = size};
    struct mcu_rtcp_event event;
    int more;
    while ((more = mcu_rtcp_next(&reader, &event)) > 0)
        take(in, leg, &event);
    if (more < 0)
        plane_drop(in->plane, leg, MCU_DROP_RTCP_MALFORMED);
}
