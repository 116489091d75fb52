/* What came: from whom, of what protocol, of which stream. */
#include "legs.h"
#include "packets.h"

#include <mcu/demux.h>

#include <stdlib.h>
#include <string.h>

/* -- which stream -- */

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

enum match { BY_LATCHED, BY_MID, BY_ANNOUNCED, BY_TYPE, MATCHES };

static bool matches(enum match match, const struct in_stream *stream,
                    const struct mcu_rtp *packet)
{
    switch (match) {
    case BY_LATCHED:
        return !packet->mid && ((stream->latched && stream->ssrc == packet->ssrc) ||
                                (stream->rtx_latched && stream->rtx_ssrc == packet->ssrc));
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
                return takes_type(stream, packet->payload_type) ? stream : NULL;
        }
    return NULL;
}

/* The extension ids of the leg: bundled streams share them (RFC 8843 section 9.2.1), others
 * are a leg's only one, or told apart by SSRC. */
static const struct mcu_rtp_extensions *extensions_of(const struct leg *leg, uint32_t ssrc)
{
    static const struct mcu_rtp_extensions none;
    const struct in_stream *any = NULL;
    for (int i = 0; i < MCU_SOURCES; i++) {
        const struct in_stream *stream = leg->in[i];
        if (stream && ((stream->latched && stream->ssrc == ssrc) || announces(stream, ssrc)))
            return &stream->options.extensions;
        any = any ? any : stream;
    }
    return any ? &any->options.extensions : &none;
}

static uint32_t ssrc_of(const uint8_t *data)
{
    return (uint32_t)data[8] << 24 | (uint32_t)data[9] << 16 | (uint32_t)data[10] << 8 |
           data[11];
}

/* -- media -- */

size_t receive_open(const struct arrival *in, struct leg *leg, const struct in_stream *stream,
                    uint8_t *data, size_t size, struct mcu_rtp *packet)
{
    if (leg->receiving && mcu_srtp_unprotect(leg->receiving, data, &size)) {
        plane_drop(in->plane, leg, MCU_DROP_SRTP);
        return 0;
    }
    if (mcu_rtp_parse(packet, data, size, &stream->options.extensions, false)) {
        plane_drop(in->plane, leg, MCU_DROP_RTP_MALFORMED);
        return 0;
    }
    leg_authentic(leg, in);
    return size;
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
    if (mcu_rtp_parse(&packet, in->data, in->size, extensions_of(leg, ssrc_of(in->data)),
                      leg->receiving != NULL)) {
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

static void receive_media(const struct arrival *in, struct leg *leg, enum mcu_datagram kind)
{
    if (leg->webrtc && !leg->receiving)
        plane_drop(in->plane, leg, MCU_DROP_RTP_NO_KEYS);
    else if (kind == MCU_IS_RTP)
        receive_rtp(in, leg);
    else
        rtcp_receive(in, leg);
}

/* -- datagrams -- */

static void receive_dtls(const struct arrival *in, struct leg *leg)
{
    if (leg->dtls_waiting >= MCU_PLANE_BEFORE || leg->dtls_said >= SAYS_MOST) {
        plane_drop(in->plane, leg, MCU_DROP_DTLS);
        return;
    }
    uint8_t *copy = malloc(in->size);
    if (!copy)
        return;
    memcpy(copy, in->data, in->size);
    const struct mcu_event event = {
        .kind = MCU_EVENT_DTLS, .leg = leg->handle, .data = copy, .size = in->size};
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
        ice_receive(in);
        return;
    }
    struct leg *leg = legs_proved(in->plane->legs, in->socket, in->from);
    if (!leg)
        plane_drop(in->plane, NULL, MCU_DROP_STRANGER);
    else if (kind == MCU_IS_NOTHING)
        plane_drop(in->plane, leg, MCU_DROP_DATAGRAM);
    else if (kind == MCU_IS_DTLS)
        receive_dtls(in, leg);
    else
        receive_media(in, leg, kind);
}

/* Where packets of a leg with ports of its own are taken from. With keys also from elsewhere,
 * while nothing authentic comes from where it should. */
static bool may_come(const struct arrival *in, const struct leg *leg, bool rtcp)
{
    const union udp_address *remote = rtcp ? &leg->rtcp_remote : &leg->remote;
    if (!leg->connected)
        return leg->receiving != NULL;
    return udp_address_equal(remote, in->from) ||
           (leg->receiving && in->now - leg->heard_at >= MOVES_AFTER_US);
}

void receive_own(const struct arrival *in, struct leg *leg, bool rtcp)
{
    const enum mcu_datagram kind = mcu_demux(in->data, in->size);
    if (!may_come(in, leg, rtcp))
        plane_drop(in->plane, leg, MCU_DROP_STRANGER);
    else if (in->size > MCU_DATAGRAM || (kind != MCU_IS_RTP && kind != MCU_IS_RTCP) ||
             (rtcp && kind == MCU_IS_RTP))
        plane_drop(in->plane, leg, MCU_DROP_DATAGRAM);
    else
        receive_media(in, leg, kind);
}
