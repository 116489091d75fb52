/* Video that came: decrypted, unwrapped where it was sent again, whole pictures handed on. */
#include "packets.h"

#include "../wire/bytes.h"
#include "sounding.h"
#include "waiting.h"

#include <stdlib.h>
#include <string.h>

/* Sequence numbers leap so far when another SSRC begins, that nothing of the old one is
 * awaited any more. */
#define LEAP (4 * MCU_FRAMES_PACKETS)

static const struct mcu_format *format_of(const struct in_stream *stream, uint8_t type,
                                          bool *again)
{
    for (size_t i = 0; i < stream->options.format_count; i++) {
        const struct mcu_format *format = &stream->options.formats[i];
        *again = format->rtx && format->rtx == type;
        if (*again || format->payload_type == type)
            return format;
    }
    return NULL;
}

/* A packet as it was sent first: its extended sequence number, or -1 where it tells nothing.
 */
static int64_t place(const struct arrival *in, struct in_stream *stream,
                     const struct mcu_rtp *packet)
{
    if (!stream->latched || stream->ssrc != packet->ssrc) {
        stream->base += stream->latched ? stream->reception.highest + LEAP : 0;
        receive_latch(stream, packet->ssrc);
    }
    return stream->base + mcu_reception_packet(&stream->reception, packet->sequence,
                                               packet->timestamp, packet->payload_size,
                                               stream->clock, in->now);
}

/* RFC 4588 section 4: the original sequence number, then the original payload. */
static int64_t unwrap(struct in_stream *stream, struct mcu_rtp *packet)
{
    stream->rtx_latched = true;
    stream->rtx_ssrc = packet->ssrc;
    if (!stream->latched || packet->payload_size <= 2) /* padding that probes the path */
        return -1;
    const uint16_t original = get16(packet->payload);
    packet->payload += 2;
    packet->payload_size -= 2;
    return stream->base + mcu_extend16(stream->reception.highest, original);
}

/* From when the fastest packets of a leg's sound come until they are played, us; 0: nothing is
 * heard of it, or the picture is none of a face. */
static int64_t sound_waits(const struct leg *leg, enum mcu_source source)
{
    const struct sound_in *sound = sound_in_of(leg);
    if (source != MCU_CAMERA || !sound || leg->sounding.idle > ABSENT_AFTER)
        return 0;
    return (int64_t)mcu_hearing_stats(sound->hearing)->delay * 1000000 / MCU_RATE;
}

static void give(struct mcu_plane *plane, struct leg *leg, struct in_stream *stream,
                 const struct mcu_picture *picture, int64_t now)
{
    uint8_t *copy = malloc(picture->size ? picture->size : 1);
    if (!copy)
        return;
    memcpy(copy, picture->data, picture->size);
    stream->pictures++;
    if (picture->key)
        layers_sized(leg, stream, picture->width, picture->height);
    const struct mcu_event event = {.kind = MCU_EVENT_PICTURE,
                                    .leg = leg->handle,
                                    .a = stream->source,
                                    .b = mcu_lips_wait(&stream->lips, picture->timestamp,
                                                       sound_waits(leg, stream->source), now),
                                    .c = picture->timestamp,
                                    .width = picture->width,
                                    .height = picture->height,
                                    .key = picture->key,
                                    .data = copy,
                                    .size = picture->size};
    if (!plane_event(plane, &event)) /* what follows it is of no use */
        mcu_frames_want_key(stream->frames);
}

/* In the order that mcu/frames.h wants. */
void video_advance(struct mcu_plane *plane, struct leg *leg, struct in_stream *stream,
                   struct udp_batch *out, int64_t now)
{
    struct mcu_picture picture;
    const bool due = mcu_frames_wake(stream->frames) <= now;
    if (due && stream->latched)
        rtcp_ask_missing(leg, stream, out, now);
    while (mcu_frames_pop(stream->frames, &picture))
        if (layers_give(plane, leg, stream, &picture))
            give(plane, leg, stream, &picture, now);
    if (stream->latched && (due || mcu_frames_wake(stream->frames) <= now))
        rtcp_ask_key(plane, leg, stream, out, now);
    /* of whom nothing ever came, nothing can be asked */
    waiting_set(plane, stream, stream->latched && mcu_frames_wake(stream->frames) < INT64_MAX);
}

/* The size of a layer that nobody wants yet is in the first packet of a key frame. */
static void look_at_size(struct leg *leg, struct in_stream *stream,
                         const struct mcu_rtp *packet)
{
    uint8_t picture[MCU_PAYLOAD_ADDS(MCU_DATAGRAM)];
    size_t used = 0;
    struct mcu_size claimed;
    const enum mcu_video_codec codec = (enum mcu_video_codec)stream->codec;
    if (mcu_payload_append(codec, packet->payload, packet->payload_size, true, picture,
                           sizeof picture, &used) == 0 &&
        mcu_picture_size(codec, picture, used, &claimed) == 1)
        layers_sized(leg, stream, claimed.width, claimed.height);
}

static bool may_skip(const struct arrival *in, const struct leg *leg,
                     const struct in_stream *stream, const struct mcu_rtp *packet)
{
    return !layers_wanted(leg, stream) && (stream->width || !stream->options.rid_count) &&
           receive_may_skip(in, leg, stream, packet);
}

static void skip(const struct arrival *in, struct leg *leg, struct in_stream *stream,
                 const struct mcu_rtp *packet)
{
    place(in, stream, packet);
    receive_skipped(in, leg, stream, packet);
    layers_came(in, leg, stream, packet->marker);
}

/* A packet as it was sent first, decrypted: its place, or -1 where it tells nothing. */
static int64_t take(const struct arrival *in, struct leg *leg, struct in_stream *stream,
                    const struct mcu_rtp *packet)
{
    const int64_t sequence = place(in, stream, packet);
    const int64_t own = sequence - stream->base;
    stream->authentic = own > stream->authentic ? own : stream->authentic;
    stream->skipped = 0;
    if (!layers_wanted(leg, stream) && stream->options.rid_count && !stream->width)
        look_at_size(leg, stream, packet);
    layers_came(in, leg, stream, packet->marker);
    return sequence;
}

/* Repairs are always decrypted: of what is not wanted there are none, but what probes the
 * path. */
void receive_video(const struct arrival *in, struct leg *leg, struct in_stream *stream,
                   struct mcu_rtp *packet)
{
    bool again = false;
    const struct mcu_format *format = format_of(stream, packet->payload_type, &again);
    if (!again && may_skip(in, leg, stream, packet)) {
        skip(in, leg, stream, packet);
        return;
    }
    if (!receive_open(in, leg, packet) || !format)
        return;
    stream->codec = format->codec;
    const int64_t sequence = again ? unwrap(stream, packet) : take(in, leg, stream, packet);
    if (sequence < 0 || !layers_wanted(leg, stream))
        return;
    mcu_frames_push(stream->frames, (enum mcu_video_codec)format->codec, sequence,
                    packet->timestamp, packet->marker, packet->payload, packet->payload_size,
                    in->now);
    video_advance(in->plane, leg, stream, in->out, in->now);
}
