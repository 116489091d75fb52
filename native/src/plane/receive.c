/* What came: from whom, of what protocol, of which stream. */
#include "../wire/bytes.h"
#include "legs.h"
#include "packets.h"
#include "ports.h"

#include <mcu/demux.h>

#include <stdlib.h>
#include <string.h>

/* -- which stream -- */

struct in_stream *plane_next_in(const struct leg *leg, const struct in_stream *stream)
{
    if (stream && stream->next)
        return stream->next;
    for (int i = stream ? (int)stream->source + 1 : 0; i < MCU_SOURCES; i++)
        if (leg->in[i])
            return leg->in[i];
    return NULL;
}

static bool announces(const struct in_stream *stream, uint32_t ssrc)
{
    for (size_t i = 0; i < stream->options.ssrc_count; i++)
        if (stream->options.ssrcs[i] == ssrc)
            return true;
    return false;
}

static bool takes_type(const struct in_stream *stream, uint8_t type)
{
    const struct mcu_stream_options *options = &stream->options;
    for (size_t i = 0; i < options->format_count; i++)
        if (options->formats[i].payload_type == type ||
            (options->formats[i].rtx && options->formats[i].rtx == type))
            return true;
    return options->dtmf && options->dtmf == type;
}

static bool has_mid(const struct in_stream *stream, const struct mcu_rtp *packet)
{
    return packet->mid && strlen(stream->options.mid) == packet->mid_size &&
           memcmp(stream->options.mid, packet->mid, packet->mid_size) == 0;
}

static bool is_of(const struct in_stream *stream, uint32_t ssrc)
{
    return (stream->latched && stream->ssrc == ssrc) ||
           (stream->rtx_latched && stream->rtx_ssrc == ssrc);
}

static bool is_named(const struct in_stream *stream, const char *rid, size_t size)
{
    const char *name = stream->options.rids[stream->layer];
    return strlen(name) == size && memcmp(name, rid, size) == 0;
}

/* The layer that a packet is of: by its name while that is sent (RFC 8852), then by the SSRC
 * that had it. */
static struct in_stream *layer_of(struct in_stream *first, const struct mcu_rtp *packet)
{
    struct in_stream *layer = first;
    if (!first->options.rid_count)
        return first;
    for (; layer; layer = layer->next) {
        if (packet->rid        ? is_named(layer, packet->rid, packet->rid_size)
            : packet->repaired ? is_named(layer, packet->repaired, packet->repaired_size)
                               : is_of(layer, packet->ssrc))
            return layer;
    }
    return NULL;
}

static bool any_is_of(const struct in_stream *first, uint32_t ssrc)
{
    for (const struct in_stream *layer = first; layer; layer = layer->next)
        if (is_of(layer, ssrc))
            return true;
    return false;
}

enum match { BY_LATCHED, BY_MID, BY_ANNOUNCED, BY_TYPE, MATCHES };

static bool matches(enum match match, const struct in_stream *stream,
                    const struct mcu_rtp *packet)
{
    switch (match) {
    case BY_LATCHED:
        return !packet->mid && any_is_of(stream, packet->ssrc);
    case BY_MID:
        return has_mid(stream, packet);
    case BY_ANNOUNCED:
        return !packet->mid && announces(stream, packet->ssrc);
    default:
        return !packet->mid && takes_type(stream, packet->payload_type);
    }
}

/* RFC 9143 section 9.2, but that a packet is never of a stream that has not its payload type.
 */
static struct in_stream *stream_of(const struct leg *leg, const struct mcu_rtp *packet)
{
    for (enum match match = 0; match < MATCHES; match++)
        for (int i = 0; i < MCU_SOURCES; i++) {
            struct in_stream *stream = leg->in[i];
            if (stream && matches(match, stream, packet))
                return takes_type(stream, packet->payload_type) ? layer_of(stream, packet)
                                                                : NULL;
        }
    return NULL;
}

static void add_ids(struct mcu_rtp_extensions *all, const struct mcu_rtp_extensions *some)
{
    all->mid = some->mid ? some->mid : all->mid;
    all->rid = some->rid ? some->rid : all->rid;
    all->repaired = some->repaired ? some->repaired : all->repaired;
    all->level = some->level ? some->level : all->level;
    all->send_time = some->send_time ? some->send_time : all->send_time;
    all->sequence = some->sequence ? some->sequence : all->sequence;
}

/* The extension ids of an SSRC's stream. Of one that is not known, those of all streams of the
 * leg: bundled ones share them (RFC 8843 section 9.2.1), others are a leg's only one, or told
 * apart by SSRC. */
static struct mcu_rtp_extensions extensions_of(const struct leg *leg, uint32_t ssrc)
{
    struct mcu_rtp_extensions all = {0};
    for (const struct in_stream *stream = NULL; (stream = plane_next_in(leg, stream));) {
        if ((stream->latched && stream->ssrc == ssrc) || announces(stream, ssrc))
            return stream->options.extensions;
        add_ids(&all, &stream->options.extensions);
    }
    return all;
}

/* -- media -- */

bool receive_open(const struct arrival *in, struct leg *leg, struct mcu_rtp *packet)
{
    size_t size = in->size;
    if (leg->receiving && mcu_srtp_unprotect(leg->receiving, in->data, &size)) {
        plane_drop(in->plane, leg, MCU_DROP_SRTP);
        return false;
    }
    if (leg->receiving && mcu_rtp_decrypted(packet, size)) {
        plane_drop(in->plane, leg, MCU_DROP_RTP_MALFORMED);
        return false;
    }
    leg_authentic(leg, in);
    congestion_arrived(leg, packet, true, in->now);
    return true;
}

bool receive_may_skip(const struct arrival *in, const struct leg *leg,
                      const struct in_stream *stream, const struct mcu_rtp *packet)
{
    if (!leg->receiving || (!leg->webrtc && !leg_here(leg, in)) || !stream->latched ||
        stream->ssrc != packet->ssrc || stream->skipped >= SKIP_MOST)
        return false;
    const int64_t sequence = mcu_extend16(stream->authentic, packet->sequence);
    return sequence >= stream->authentic - SKIP_FURTHEST &&
           sequence <= stream->authentic + SKIP_FURTHEST;
}

void receive_skipped(const struct arrival *in, struct leg *leg, struct in_stream *stream,
                     const struct mcu_rtp *packet)
{
    plane_drop(in->plane, leg, MCU_DROP_SKIPPED);
    stream->skipped++;
    congestion_arrived(leg, packet, false, in->now);
    if (leg_here(leg, in))
        leg->heard_at = in->now;
}

/* What was received of the SSRC before is added to the sums. */
static void settle(struct in_stream *stream)
{
    if (!stream->reception.begun)
        return;
    stream->packets_before += stream->reception.received;
    stream->bytes_before += stream->reception.bytes;
    stream->lost_before += mcu_reception_lost(&stream->reception);
}

bool receive_latch(struct in_stream *stream, uint32_t ssrc)
{
    const bool other = stream->latched && stream->ssrc != ssrc;
    if (stream->latched && !other)
        return false;
    settle(stream);
    stream->latched = true;
    stream->ssrc = ssrc;
    memset(&stream->reception, 0, sizeof stream->reception);
    stream->timestamp = stream->authentic = -1;
    return other;
}

static void receive_rtp(const struct arrival *in, struct leg *leg)
{
    struct mcu_rtp packet;
    const struct mcu_rtp_extensions extensions = extensions_of(leg, get32(in->data + 8));
    if (mcu_rtp_parse(&packet, in->data, in->size, &extensions, leg->receiving != NULL)) {
        plane_drop(in->plane, leg, MCU_DROP_RTP_MALFORMED);
        return;
    }
    struct in_stream *stream = stream_of(leg, &packet);
    if (!stream)
        plane_drop(in->plane, leg, MCU_DROP_RTP_UNKNOWN);
    else if (stream->source == MCU_AUDIO)
        receive_audio(in, leg, stream, &packet);
    else
        receive_video(in, leg, stream, &packet);
}

void receive_media(const struct arrival *in, struct leg *leg, enum mcu_datagram kind)
{
    if (leg->secret && !leg->receiving)
        plane_drop(in->plane, leg, MCU_DROP_RTP_NO_KEYS);
    else if (kind == MCU_IS_RTP)
        receive_rtp(in, leg);
    else
        rtcp_receive(in, leg);
}

/* -- datagrams -- */

void receive_dtls(const struct arrival *in, struct leg *leg, bool rtcp, int greeted)
{
    if (leg->dtls_waiting >= MCU_PLANE_BEFORE || leg->dtls_said >= SAYS_MOST) {
        plane_drop(in->plane, leg, MCU_DROP_DTLS);
        return;
    }
    uint8_t *copy = malloc(in->size);
    if (!copy)
        return;
    memcpy(copy, in->data, in->size);
    const struct mcu_event event = {.kind = MCU_EVENT_DTLS,
                                    .leg = leg->handle,
                                    .a = rtcp,
                                    .b = greeted,
                                    .data = copy,
                                    .size = in->size};
    leg->dtls_said++;
    if (plane_event(in->plane, &event))
        leg->dtls_waiting++;
}

void receive_shared(const struct arrival *in)
{
    if (in->size > MCU_DATAGRAM) {
        plane_drop(in->plane, NULL, MCU_DROP_DATAGRAM);
        return;
    }
    const enum mcu_datagram kind = mcu_demux(in->data, in->size);
    if (kind == MCU_IS_STUN) {
        ice_receive(in, NULL);
        return;
    }
    struct leg *leg = legs_proved(in->plane->legs, in->socket, in->from);
    if (!leg)
        plane_drop(in->plane, NULL, MCU_DROP_STRANGER);
    else if (kind == MCU_IS_NOTHING)
        plane_drop(in->plane, leg, MCU_DROP_DATAGRAM);
    else if (kind == MCU_IS_DTLS)
        receive_dtls(in, leg, false, 0);
    else
        receive_media(in, leg, kind);
}
