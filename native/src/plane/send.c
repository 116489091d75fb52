/* One RTP packet of ours: header, payload, SRTP. */
#include "send.h"

#include <errno.h>
#include <string.h>

bool send_ready(const struct leg *leg)
{
    return leg->connected && !leg->silent && !leg->across && (leg->sending || !leg->secret);
}

bool send_media(const struct leg *leg) { return send_ready(leg) && !leg->held; }

void send_rtcp(const struct leg *leg, struct udp_batch *batch, size_t size)
{
    if (leg->muxed)
        udp_add(batch, leg->socket, &leg->remote, size, leg->handle);
    else
        udp_add(batch, leg->rtcp_socket, &leg->rtcp_remote, size, leg->handle);
}

/* RFC 3550 section 5.1 */
static size_t pad(uint8_t *out, size_t size, uint8_t padding)
{
    if (!padding)
        return size;
    out[0] |= 0x20;
    memset(out + size, 0, padding);
    out[size + padding - 1] = padding;
    return size + padding;
}

uint32_t send_clock(const struct out_stream *stream)
{
    return stream->source == MCU_AUDIO ? mcu_codec_clock((enum mcu_audio_codec)stream->codec)
                                       : MCU_PICTURE_CLOCK;
}

struct mcu_rtp send_header(const struct out_stream *stream, int64_t sequence,
                           uint32_t timestamp, int64_t now)
{
    return (struct mcu_rtp){
        .payload_type = stream->options.formats[0].payload_type,
        .sequence = (uint16_t)sequence,
        .timestamp = timestamp,
        .ssrc = stream->ssrc,
        .mid = stream->options.mid,
        .mid_size = stream->mid_size,
        .level = -1,
        .has_send_time = true,
        .send_time = mcu_send_time(now),
    };
}

bool send_rtp(struct leg *leg, const struct out_stream *stream, struct mcu_rtp *header,
              const struct send_payload *payload, struct udp_batch *batch, int64_t now)
{
    uint8_t *out = udp_next(batch);
    header->has_wide_sequence = stream->numbered;
    if (stream->numbered)
        header->wide_sequence = mcu_estimate_number(leg->congestion->estimate);
    size_t size = mcu_rtp_write(out, header, &stream->options.extensions);
    if (size + payload->prefix_size + payload->size + payload->padding + MCU_SRTP_TRAILER >
        MCU_DATAGRAM_OUT)
        return false;
    if (payload->prefix_size)
        memcpy(out + size, payload->prefix, payload->prefix_size);
    size += payload->prefix_size;
    if (payload->size)
        memcpy(out + size, payload->data, payload->size);
    size = pad(out, size + payload->size, payload->padding);
    if (leg->sending && mcu_srtp_protect(leg->sending, out, &size))
        return false;
    udp_add(batch, leg->socket, &leg->remote, size, leg->handle);
    if (stream->source != MCU_AUDIO)
        udp_is_picture(batch);
    if (stream->numbered)
        udp_is_numbered(batch, header->wide_sequence, now);
    congestion_sent(leg, stream, size, payload->prefix_size + payload->size + payload->padding,
                    now);
    return true;
}

/* -- sound -- */

#define TICK_US 20000
#define FROM_ZERO 250 /* packets: 5 s */

/* A call that goes on with another worker has a new stream there. Some telephones take its
 * packets for late ones where its numbers are behind those of before (baresip's jitter buffer
 * for minutes), so these begin by the clock, which all workers have in common: as if it had
 * been one stream. Not so near their end that who misses the first would see none before the
 * turn, and count the turns wrongly (RFC 3711 section 3.3.1). */
static void begin_by_clock(struct out_stream *stream, int64_t tick, int64_t samples,
                           int64_t now)
{
    const int64_t ticks = now / TICK_US;
    stream->offset = (uint32_t)((ticks - tick) * samples);
    stream->sequence = ticks & 0xFFFF;
    if (stream->sequence > 0xFFFF - FROM_ZERO)
        stream->sequence = 0;
}

int plane_sound_codec(const struct leg *leg)
{
    return leg->out[MCU_AUDIO] && send_media(leg) ? leg->out[MCU_AUDIO]->codec : -1;
}

bool plane_send_sound(struct leg *leg, struct udp_batch *batch,
                      const struct sound_packet *packet, int64_t now)
{
    const int codec = plane_sound_codec(leg);
    if (codec < 0)
        return false;
    struct out_stream *stream = leg->out[MCU_AUDIO];
    const int64_t samples = send_clock(stream) / (1000000 / TICK_US);
    if (!leg->webrtc && stream->tick == INT64_MIN)
        begin_by_clock(stream, packet->tick, samples, now);
    const uint32_t timestamp = stream->offset + (uint32_t)(packet->tick * samples);
    /* also where SRTP refuses it: it is lost then, and no other has its number */
    struct mcu_rtp header = send_header(stream, ++stream->sequence, timestamp, now);
    header.marker = packet->tick != stream->tick + 1;
    header.level = packet->level;
    header.voice = packet->level < 127;
    const struct send_payload payload = {.data = packet->payload, .size = packet->size};
    if (!send_rtp(leg, stream, &header, &payload, batch, now))
        return false;
    stream->timestamp = timestamp;
    stream->tick = packet->tick;
    stream->sent_at = now;
    stream->packets++;
    stream->bytes += packet->size;
    return true;
}

int64_t mcu_plane_sent_sequence(struct mcu_plane *plane, int handle)
{
    plane_lock(plane);
    const struct leg *leg = plane_leg(plane, handle);
    const struct out_stream *stream = leg ? leg->out[MCU_AUDIO] : NULL;
    const int64_t sequence = stream && stream->packets ? stream->sequence : -1;
    plane_unlock(plane);
    errno = leg ? 0 : ENOENT;
    return sequence;
}
