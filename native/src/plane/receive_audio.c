/* Sound that came: decrypted if anybody could hear it, else only its place in time is noted.
 */
#include "packets.h"

#include <string.h>

static int format_of(const struct in_stream *stream, uint8_t type)
{
    for (size_t i = 0; i < stream->options.format_count; i++)
        if (stream->options.formats[i].payload_type == type)
            return stream->options.formats[i].codec;
    return -1;
}

static bool is_dtmf(const struct in_stream *stream, const struct mcu_rtp *packet)
{
    return stream->options.dtmf && packet->payload_type == stream->options.dtmf;
}

static bool is_loud(const struct sound_in *sound, const struct mcu_rtp *packet)
{
    return sound->bar >= 0 && (packet->level < 0 || packet->level < sound->bar);
}

/* Whether nobody would hear it. A level is believed where it says so: what is loud enough to
 * be heard is decrypted first. Keys that come as tones are heard wherever the leg is. */
static bool may_skip(const struct arrival *in, const struct leg *leg,
                     const struct in_stream *stream, const struct mcu_rtp *packet)
{
    return !stream->sound->tones && !is_dtmf(stream, packet) &&
           !is_loud(stream->sound, packet) && receive_may_skip(in, leg, stream, packet);
}

/* Counts a packet: its extended sequence number; its extended timestamp in *timestamp. */
static int64_t place(const struct arrival *in, struct in_stream *stream,
                     const struct mcu_rtp *packet, int64_t *timestamp)
{
    const int64_t sequence =
        mcu_reception_packet(&stream->reception, packet->sequence, packet->timestamp,
                             packet->payload_size, stream->clock, in->now);
    *timestamp = mcu_extend32(stream->timestamp, packet->timestamp);
    if (*timestamp > stream->timestamp)
        stream->timestamp = *timestamp;
    return sequence;
}

static void keep(struct sound_in *sound, const struct arrival *in, int64_t sequence,
                 int64_t timestamp)
{
    if (in->size > KEPT_BYTES)
        return;
    struct kept *kept = &sound->kept[sound->kept_next++ % KEPT_PACKETS];
    kept->sequence = sequence;
    kept->timestamp = timestamp;
    kept->size = (uint16_t)in->size;
    memcpy(kept->data, in->data, in->size);
}

static void skip(const struct arrival *in, struct leg *leg, struct in_stream *stream,
                 const struct mcu_rtp *packet)
{
    struct sound_in *sound = stream->sound;
    const int codec = format_of(stream, packet->payload_type);
    int64_t timestamp;
    const int64_t sequence = place(in, stream, packet, &timestamp);
    receive_skipped(in, leg, stream, packet);
    if (packet->level >= 0 && packet->level < sound->level)
        sound->level = packet->level;
    keep(sound, in, sequence, timestamp);
    if (codec >= 0)
        mcu_hearing_skipped(sound->hearing, (enum mcu_audio_codec)codec, sequence, timestamp,
                            in->now);
}

/* Whoever is to be heard from now on starts with a decoder that heard the last packets. */
static void warm(const struct arrival *in, struct leg *leg, struct in_stream *stream)
{
    struct sound_in *sound = stream->sound;
    for (unsigned i = 0; i < KEPT_PACKETS; i++) {
        struct kept *kept = &sound->kept[(sound->kept_next + i) % KEPT_PACKETS];
        size_t size = kept->size;
        struct mcu_rtp packet;
        kept->size = 0;
        if (!size || mcu_srtp_unprotect(leg->receiving, kept->data, &size) ||
            mcu_rtp_parse(&packet, kept->data, size, &stream->options.extensions, false))
            continue;
        const int codec = format_of(stream, packet.payload_type);
        if (codec >= 0)
            mcu_hearing_push(sound->hearing, (enum mcu_audio_codec)codec, kept->sequence,
                             kept->timestamp, packet.payload, packet.payload_size, in->now);
    }
}

static void say_digit(const struct arrival *in, struct leg *leg, int key)
{
    leg_say(in->plane, leg,
            &(struct mcu_event){.kind = MCU_EVENT_DIGIT, .leg = leg->handle, .a = key});
}

static void digit(const struct arrival *in, struct leg *leg, struct in_stream *stream,
                  const struct mcu_rtp *packet, int64_t timestamp)
{
    const int key = mcu_dtmf_packet(&stream->sound->dtmf, timestamp, packet->payload,
                                    packet->payload_size);
    if (key > 0)
        say_digit(in, leg, key);
    else if (key < 0)
        plane_drop(in->plane, leg, MCU_DROP_MALFORMED);
}

static void hear_tones(const struct arrival *in, struct leg *leg, struct in_stream *stream,
                       const struct mcu_rtp *packet, int64_t timestamp)
{
    char digits[MCU_TONES_MOST];
    if (stream->codec != stream->options.formats[0].codec)
        return;
    const size_t told = mcu_tones_packet(stream->sound->tones, timestamp, packet->payload,
                                         packet->payload_size, digits);
    for (size_t i = 0; i < told; i++)
        say_digit(in, leg, digits[i]);
}

/* As the packet says, or as it is where that is soon known: a hundred telephones need not all
 * be decoded, to 48 kHz, to find that they are silent. */
static int level_of(const struct in_stream *stream, const struct mcu_rtp *packet)
{
    return packet->level >= 0 || stream->codec < 0
               ? packet->level
               : mcu_level_of_payload((enum mcu_audio_codec)stream->codec, packet->payload,
                                      packet->payload_size);
}

static void hear(const struct arrival *in, struct leg *leg, struct in_stream *stream,
                 const struct mcu_rtp *packet, int64_t sequence, int64_t timestamp)
{
    struct sound_in *sound = stream->sound;
    stream->codec = format_of(stream, packet->payload_type);
    const int level = level_of(stream, packet);
    if (level < sound->level) /* -1, none, before all levels */
        sound->level = level;
    mcu_hearing_push(sound->hearing, (enum mcu_audio_codec)stream->codec, sequence, timestamp,
                     packet->payload, packet->payload_size, in->now);
    if (sound->tones)
        hear_tones(in, leg, stream, packet, timestamp);
}

/* The codec of the first packet tells the clock of the reports; a key of a telephone tells of
 * none. Nothing of another SSRC goes on. */
static void begin(struct in_stream *stream, const struct mcu_rtp *packet)
{
    struct sound_in *sound = stream->sound;
    const int told = format_of(stream, packet->payload_type);
    const int codec = told >= 0 ? told : stream->options.formats[0].codec;
    stream->clock = mcu_codec_clock((enum mcu_audio_codec)codec);
    if (!receive_latch(stream, packet->ssrc))
        return;
    stream->skipped = 0;
    memset(sound->kept, 0, sizeof sound->kept);
    memset(&sound->dtmf, 0, sizeof sound->dtmf);
    mcu_hearing_restart(sound->hearing, (enum mcu_audio_codec)codec);
    if (sound->tones)
        mcu_tones_restart(sound->tones);
}

void receive_audio(const struct arrival *in, struct leg *leg, struct in_stream *stream,
                   struct mcu_rtp *packet)
{
    if (may_skip(in, leg, stream, packet)) {
        skip(in, leg, stream, packet);
        return;
    }
    if (!receive_open(in, leg, packet))
        return;
    if (!stream->latched || stream->ssrc != packet->ssrc)
        begin(stream, packet);
    int64_t timestamp;
    const int64_t sequence = place(in, stream, packet, &timestamp);
    if (sequence > stream->authentic)
        stream->authentic = sequence;
    if (stream->skipped && is_loud(stream->sound, packet))
        warm(in, leg, stream);
    stream->skipped = 0;
    if (is_dtmf(stream, packet))
        digit(in, leg, stream, packet, timestamp);
    else
        hear(in, leg, stream, packet, sequence, timestamp);
}
