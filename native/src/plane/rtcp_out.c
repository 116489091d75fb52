/* RTCP of ours: reports each second, and what cannot wait for them. */
#include "packets.h"
#include "send.h"

#include <string.h>
#include <time.h>

#define NTP_TO_UNIX UINT64_C(2208988800) /* seconds from 1900 to 1970 */
#define RTT_UNKNOWN 100000               /* us */
#define OVERHEAD                                                                              \
    40 /* bytes of IPv4, UDP and RTP, which TMMBR counts (RFC 5104 section 4.2.1.1) */

uint64_t rtcp_ntp(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const uint64_t fraction = ((uint64_t)now.tv_nsec << 32) / 1000000000;
    return ((uint64_t)now.tv_sec + NTP_TO_UNIX) << 32 | fraction;
}

static uint32_t our_ssrc(const struct leg *leg)
{
    for (int i = 0; i < MCU_SOURCES; i++)
        if (leg->out[i])
            return leg->out[i]->ssrc;
    return leg->ssrc;
}

static const char *cname_of(const struct leg *leg)
{
    for (int i = 0; i < MCU_SOURCES; i++) {
        const char *cname = leg->out[i]  ? leg->out[i]->options.cname
                            : leg->in[i] ? leg->in[i]->options.cname
                                         : "";
        if (cname[0])
            return cname;
    }
    return "";
}

/* Begins a compound with an empty receiver report, for not all know reduced size (RFC 5506):
 * where the batch has it. NULL: the batch is full. */
static uint8_t *begin(const struct leg *leg, struct udp_batch *out, size_t *size)
{
    uint8_t *data = udp_next(out);
    *size = 0;
    if (data)
        mcu_rtcp_rr(data, size, our_ssrc(leg), NULL, 0);
    return data;
}

/* Protects what was written where the batch has it, and adds it. */
static void finish(struct leg *leg, struct udp_batch *out, size_t size)
{
    struct mcu_srtp *keys = leg->rtcp_sending ? leg->rtcp_sending : leg->sending;
    if (keys && mcu_srtp_protect_rtcp(keys, udp_next(out), &size))
        return;
    send_rtcp(leg, out, size);
}

static size_t blocks_of(struct leg *leg, struct mcu_rtcp_block *blocks, int64_t now)
{
    size_t count = 0;
    for (struct in_stream *stream = NULL; (stream = plane_next_in(leg, stream));) {
        if (!stream->reception.begun)
            continue;
        mcu_reception_report(&stream->reception, stream->ssrc, now, &blocks[count]);
        stream->loss = blocks[count].fraction_lost / 256.0;
        count++;
    }
    return count;
}

/* The RTP timestamp of now, by the last packet's (RFC 3550 section 6.4.1). */
static uint32_t timestamp_now(const struct out_stream *stream, int64_t now)
{
    const int64_t passed = (now - stream->sent_at) * send_clock(stream) / 1000000;
    return stream->timestamp + (uint32_t)passed;
}

/* A sender report for each stream that sends, the blocks in the first; a receiver report where
 * none does. */
static void write_reports(struct leg *leg, uint8_t *data, size_t *size, int64_t now)
{
    struct mcu_rtcp_block blocks[IN_STREAMS];
    size_t count = blocks_of(leg, blocks, now);
    bool sender = false;
    for (int i = 0; i < MCU_SOURCES; i++) {
        const struct out_stream *stream = leg->out[i];
        if (!stream || !stream->packets)
            continue;
        mcu_rtcp_sr(data, size, stream->ssrc, rtcp_ntp(), timestamp_now(stream, now),
                    (uint32_t)stream->packets, (uint32_t)stream->bytes, blocks, count);
        mcu_rtcp_sdes(data, size, stream->ssrc, cname_of(leg));
        sender = true;
        count = 0;
    }
    if (sender)
        return;
    mcu_rtcp_rr(data, size, our_ssrc(leg), blocks, count);
    mcu_rtcp_sdes(data, size, our_ssrc(leg), cname_of(leg));
}

static bool write_limit(const struct leg *leg, uint8_t *data, size_t *size)
{
    uint32_t ssrcs[IN_STREAMS];
    size_t count = 0;
    bool by_tmmbr = false;
    for (const struct in_stream *stream = NULL; (stream = plane_next_in(leg, stream));)
        if (stream->source != MCU_AUDIO && stream->latched) {
            ssrcs[count++] = stream->ssrc;
            by_tmmbr = stream->options.tmmbr;
        }
    if (!leg->limit || !count)
        return false;
    if (by_tmmbr)
        return mcu_rtcp_tmmbr(data, size, our_ssrc(leg), leg->limit, OVERHEAD, ssrcs, count) ==
               0;
    return mcu_rtcp_remb(data, size, our_ssrc(leg), leg->limit, ssrcs, count) == 0;
}

void rtcp_report(struct leg *leg, struct udp_batch *out, int64_t now)
{
    if (!send_ready(leg))
        return;
    uint8_t *data = udp_next(out);
    size_t size = 0;
    write_reports(leg, data, &size, now);
    write_limit(leg, data, &size);
    finish(leg, out, size);
}

void rtcp_limit(struct leg *leg, struct udp_batch *out)
{
    if (!send_ready(leg))
        return;
    size_t size;
    uint8_t *data = begin(leg, out, &size);
    if (write_limit(leg, data, &size))
        finish(leg, out, size);
}

void rtcp_notify(struct leg *leg, struct udp_batch *out, const struct mcu_rtcp_event *asked)
{
    size_t size;
    uint8_t *data = send_ready(leg) ? begin(leg, out, &size) : NULL;
    if (!data)
        return;
    mcu_rtcp_tmmbn(data, &size, asked->media_ssrc, asked->bits_per_second, asked->overhead,
                   asked->ssrc);
    finish(leg, out, size);
}

void rtcp_arrivals(struct leg *leg, struct udp_batch *out, int64_t now)
{
    size_t size;
    uint8_t *data = begin(leg, out, &size);
    uint32_t media = 0; /* it is of all of them; the draft wants one of them named */
    for (struct in_stream *stream = NULL; (stream = plane_next_in(leg, stream));)
        media = stream->latched ? stream->ssrc : media;
    if (!mcu_arrived_report(&leg->congestion->arrived, data, &size, our_ssrc(leg), media, now))
        finish(leg, out, size);
}

void rtcp_bye(struct leg *leg, struct udp_batch *out)
{
    if (!send_ready(leg))
        return;
    size_t size;
    uint8_t *data = begin(leg, out, &size);
    mcu_rtcp_sdes(data, &size, our_ssrc(leg), cname_of(leg));
    for (int i = 0; i < MCU_SOURCES; i++)
        if (leg->out[i])
            mcu_rtcp_bye(data, &size, leg->out[i]->ssrc);
    finish(leg, out, size);
}

/* -- what is missing -- */

static int64_t rtt_of(const struct leg *leg) { return leg->rtt >= 0 ? leg->rtt : RTT_UNKNOWN; }

static bool write_nacks(struct leg *leg, struct in_stream *stream, uint8_t *data, size_t *size,
                        int64_t now)
{
    int64_t missing[64]; /* with a mask each, they fit in any case */
    const size_t count = mcu_frames_nacks(stream->frames, now, rtt_of(leg), missing,
                                          sizeof missing / sizeof missing[0]);
    if (!count || !stream->options.nack)
        return false;
    for (size_t i = 0; i < count; i++)
        missing[i] -= stream->base;
    stream->nacks += count;
    return mcu_rtcp_nack(data, size, our_ssrc(leg), stream->ssrc, missing, count) == 0;
}

static bool write_key(struct leg *leg, struct in_stream *stream, uint8_t *data, size_t *size)
{
    if (stream->options.pli)
        return mcu_rtcp_pli(data, size, our_ssrc(leg), stream->ssrc) == 0;
    return mcu_rtcp_fir(data, size, our_ssrc(leg), stream->ssrc, ++stream->fir_command) == 0;
}

void rtcp_ask_missing(struct leg *leg, struct in_stream *stream, struct udp_batch *out,
                      int64_t now)
{
    size_t size;
    uint8_t *data = begin(leg, out, &size);
    if (write_nacks(leg, stream, data, &size, now) && send_ready(leg))
        finish(leg, out, size);
}

void rtcp_ask_key(struct mcu_plane *plane, struct leg *leg, struct in_stream *stream,
                  struct udp_batch *out, int64_t now)
{
    if (!mcu_frames_key_due(stream->frames, now, rtt_of(leg)))
        return;
    stream->keys_asked++;
    if (!stream->options.pli && !stream->options.fir) {
        leg_say(plane, leg,
                &(struct mcu_event){
                    .kind = MCU_EVENT_KEY_UNASKED, .leg = leg->handle, .a = stream->source});
        return;
    }
    size_t size;
    uint8_t *data = begin(leg, out, &size);
    if (write_key(leg, stream, data, &size) && send_ready(leg))
        finish(leg, out, size);
}
