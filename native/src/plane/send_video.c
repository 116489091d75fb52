/* Pictures to many legs: cut once for each codec, each leg its own headers and keys. */
#include "send.h"

#include "../wire/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RESEND_LEAST                                                                          \
    10000 /* us until the same goes again, also to who keeps its round trip to                \
             itself */
#define TWICE_FROM                                                                            \
    0.02 /* share of packets that are lost from which one that is asked for goes twice: each  \
            more round trip makes it later, and the third or fourth is a freeze */

static struct mcu_rtp header_of(const struct out_stream *stream,
                                const struct mcu_payloads *payloads, uint32_t number,
                                int64_t sequence, int64_t now)
{
    struct mcu_rtp header = send_header(stream, sequence, payloads->timestamp, now);
    header.marker = number + 1 == payloads->count;
    return header;
}

/* The next packet of the stream of retransmissions. */
static bool send_rtx(struct leg *leg, struct out_stream *stream, struct mcu_rtp header,
                     const struct send_payload *payload, struct udp_batch *batch, int64_t now)
{
    header.payload_type = stream->options.formats[0].rtx;
    header.ssrc = stream->rtx_ssrc;
    header.sequence = (uint16_t)++stream->rtx_sequence;
    return send_rtp(leg, stream, &header, payload, batch, now);
}

void send_again(struct leg *leg, struct out_stream *stream, int64_t sequence,
                struct udp_batch *batch, int64_t now)
{
    struct mcu_payloads *payloads;
    uint32_t number;
    struct send_payload payload = {0};
    const int64_t rtt = leg->rtt > RESEND_LEAST ? leg->rtt : RESEND_LEAST;
    payload.data =
        mcu_sent_again(stream->sent, sequence, now, rtt, &payload.size, &payloads, &number);
    if (!payload.data ||
        !paced_may_repair(leg, payload.size, now)) /* asked for again, later */
        return;
    struct mcu_rtp header = header_of(stream, payloads, number, sequence, now);
    const bool rtx = stream->options.formats[0].rtx != 0;
    uint8_t original[2]; /* RFC 4588 section 4 */
    put16(original, header.sequence);
    payload.prefix = original;
    payload.prefix_size = rtx ? sizeof original : 0;
    for (int copies = stream->loss >= TWICE_FROM ? 2 : 1; copies && udp_next(batch); copies--)
        if (rtx ? send_rtx(leg, stream, header, &payload, batch, now)
                : send_rtp(leg, stream, &header, &payload, batch, now))
            stream->resent++;
}

bool send_picture_packet(struct leg *leg, struct out_stream *stream,
                         struct mcu_payloads *payloads, uint32_t number,
                         struct udp_batch *batch, int64_t now)
{
    struct send_payload payload = {0};
    payload.data = mcu_payloads_at(payloads, number, &payload.size);
    struct mcu_rtp header = header_of(stream, payloads, number, ++stream->sequence, now);
    if (!send_rtp(leg, stream, &header, &payload, batch, now))
        return false;
    if (stream->sent)
        mcu_sent_remember(stream->sent, stream->sequence, payloads, number);
    stream->packets++;
    stream->bytes += payload.size;
    return true;
}

void send_padding_packet(struct leg *leg, struct out_stream *stream, uint8_t padding,
                         struct udp_batch *batch, int64_t now)
{
    const struct send_payload payload = {.padding = padding};
    send_rtx(leg, stream, send_header(stream, 0, stream->timestamp, now), &payload, batch,
             now);
}

/* -- a picture -- */

#define CODECS 3

struct sending {
    struct mcu_plane *plane;
    enum mcu_source source;
    const int *legs;
    size_t count;
    size_t packet;                         /* bytes of a payload, at most */
    struct mcu_payloads *payloads[CODECS]; /* NULL: no leg takes it, or it cannot be cut */
    struct udp_batch batch;
};

/* What the legs take, the number that the picture has in VP8: one after their last; and how
 * long a packet may be on the narrowest of their lines. */
static void survey(struct sending *sending, bool h264, bool wanted[CODECS],
                   uint16_t *picture_id)
{
    bool numbered = false;
    uint32_t narrowest = UINT32_MAX;
    plane_lock(sending->plane);
    for (size_t i = 0; i < sending->count; i++) {
        const struct leg *leg = plane_leg(sending->plane, sending->legs[i]);
        const struct out_stream *stream =
            leg && send_media(leg) ? leg->out[sending->source] : NULL;
        if (!stream || (stream->codec != MCU_VP8) != h264)
            continue;
        wanted[stream->codec] = true;
        const uint32_t rate = mcu_estimate_rate(leg->congestion->estimate);
        narrowest = rate < narrowest ? rate : narrowest;
        if (!numbered)
            *picture_id = (uint16_t)((stream->picture_id + 1) & 0x7FFF);
        numbered = true;
    }
    plane_unlock(sending->plane);
    sending->packet = mcu_pace_packet(narrowest, SEND_PAYLOAD + SEND_HEADERS) - SEND_HEADERS;
}

/* Lets the lock go to send what is in the batch, and notes for whom it was not. */
static void make_room(struct sending *sending)
{
    int unsent[UDP_BATCH];
    plane_unlock(sending->plane);
    const size_t lost = plane_flush(sending->plane, &sending->batch, unsent);
    plane_lock(sending->plane);
    for (size_t i = 0; i < lost; i++) {
        struct leg *leg = plane_leg(sending->plane, unsent[i]);
        if (leg && leg->out[sending->source])
            leg->out[sending->source]->broken = true;
    }
}

static struct out_stream *receiver(struct sending *sending, int handle, struct leg **leg)
{
    *leg = plane_leg(sending->plane, handle);
    struct out_stream *stream = *leg && send_media(*leg) ? (*leg)->out[sending->source] : NULL;
    return stream && sending->payloads[stream->codec] ? stream : NULL;
}

/* The picture into a leg's line, and what may leave of it at once. The leg may go while the
 * lock is let go. */
static void send_to(struct sending *sending, int handle, uint16_t picture_id, int64_t now)
{
    struct leg *leg;
    struct out_stream *stream = receiver(sending, handle, &leg);
    if (!stream)
        return;
    struct mcu_payloads *payloads = sending->payloads[stream->codec];
    stream->broken = false;
    stream->refused = !paced_put(sending->plane, leg, stream, payloads, now);
    if (stream->refused)
        return;
    stream->picture_id = picture_id;
    stream->pictures++;
    stream->timestamp = payloads->timestamp; /* as it was made, however long it waits */
    stream->sent_at = now;
    while (leg && paced_send(sending->plane, leg, &sending->batch, now)) {
        make_room(sending);
        leg = plane_leg(sending->plane, handle);
    }
}

/* How many legs are sent all of it; those that lost some need a key frame. */
static int settle(struct sending *sending)
{
    int whole = 0;
    for (size_t i = 0; i < sending->count; i++) {
        struct leg *leg;
        const struct out_stream *stream = receiver(sending, sending->legs[i], &leg);
        if (!stream || stream->refused)
            continue;
        if (!stream->broken)
            whole++;
        else
            plane_say(sending->plane, MCU_EVENT_KEY_WANTED, leg->handle, stream->source);
    }
    return whole;
}

int mcu_plane_send_picture(struct mcu_plane *plane, enum mcu_source source, const int *legs,
                           size_t count, bool h264, const uint8_t *data, size_t size,
                           uint32_t timestamp, bool key)
{
    if (source != MCU_CAMERA && source != MCU_SCREEN) {
        errno = EINVAL;
        return -1;
    }
    struct sending *sending = malloc(sizeof *sending);
    if (!sending)
        return -1;
    *sending =
        (struct sending){.plane = plane, .source = source, .legs = legs, .count = count};
    bool wanted[CODECS] = {0};
    uint16_t picture_id = 0;
    const int64_t now = plane_now();
    survey(sending, h264, wanted, &picture_id);
    for (int codec = 0; codec < CODECS; codec++)
        if (wanted[codec])
            sending->payloads[codec] =
                mcu_payloads_new((enum mcu_video_codec)codec, data, size,
                                 codec == MCU_H264_MODE0 ? SEND_PAYLOAD : sending->packet,
                                 picture_id, timestamp, key, now);
    plane_lock(plane);
    for (size_t i = 0; i < count; i++)
        send_to(sending, legs[i], picture_id, plane_now());
    make_room(sending);
    const int whole = settle(sending);
    for (int codec = 0; codec < CODECS; codec++)
        if (sending->payloads[codec])
            mcu_payloads_drop(sending->payloads[codec]);
    plane_unlock(plane);
    free(sending);
    return whole;
}
