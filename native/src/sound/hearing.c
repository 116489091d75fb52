#include <mcu/hearing.h>

#include "arrivals.h"
#include "pace.h"
#include "supply.h"

#include <stdlib.h>
#include <string.h>

enum {
    DEEPEST = MCU_HEARING_DEEPEST_MS * MCU_RATE / 1000,
    ASTRAY = 300 * MCU_RATE / 1000 /* all packets are too late for so long: another time */
};
/* Share of packets that are lost from which on sound waits for the next packet's FEC too, and
 * up to which it does so then. */
static const double lossy = 0.02, lossless = 0.01;

struct mcu_hearing {
    struct mcu_hearing_stats stats;
    uint32_t rate;        /* Hz of the stream's timestamps */
    bool awake;           /* the last tick was decoded */
    bool anchored;        /* the supply's time is the stream's */
    bool waits;           /* for the next packet's FEC */
    int64_t astray_since; /* when the first came of those that were all too late; 0: none */
    struct mcu_pace pace;
    struct mcu_arrivals arrivals;
    struct mcu_supply supply; /* large: last */
};

static int64_t samples_of(int64_t us) { return us * (MCU_RATE / 1000) / 1000; }

struct mcu_hearing *mcu_hearing_new(enum mcu_audio_codec codec)
{
    struct mcu_hearing *hearing = calloc(1, sizeof *hearing);
    if (!hearing)
        return NULL;
    hearing->supply.stats = &hearing->stats;
    mcu_weave_restart(&hearing->supply.weave);
    mcu_hearing_restart(hearing, codec);
    return hearing;
}

void mcu_hearing_free(struct mcu_hearing *hearing)
{
    if (!hearing)
        return;
    mcu_weave_free(&hearing->supply.weave);
    free(hearing);
}

/* The stream goes on at another time, or is another: what waits is still played. */
static void begin_anew(struct mcu_hearing *hearing)
{
    mcu_arrivals_forget(&hearing->arrivals);
    mcu_supply_restart(&hearing->supply);
    hearing->anchored = false;
    hearing->astray_since = 0;
}

void mcu_hearing_restart(struct mcu_hearing *hearing, enum mcu_audio_codec codec)
{
    begin_anew(hearing);
    hearing->arrivals = (struct mcu_arrivals){0};
    hearing->pace.drift_ppm = 0;
    hearing->rate = mcu_codec_clock(codec);
    hearing->waits = false;
}

/* -- packets -- */

/* Whether a packet is past; if all have been for long, the stream's time is another. */
static bool is_late(struct mcu_hearing *hearing, const struct mcu_packet *packet, int64_t now)
{
    if (!hearing->awake || !hearing->anchored ||
        packet->timestamp + packet->duration > hearing->supply.next) {
        hearing->astray_since = 0;
        return false;
    }
    if (!hearing->astray_since)
        hearing->astray_since = now;
    if (now - hearing->astray_since < ASTRAY)
        return true;
    begin_anew(hearing);
    mcu_arrivals_came(&hearing->arrivals, packet->timestamp, now);
    return false;
}

static void file(struct mcu_hearing *hearing, const struct mcu_packet *packet,
                 const uint8_t *payload, int64_t now)
{
    struct mcu_supply *supply = &hearing->supply;
    if (packet->size && mcu_queue_complete(&supply->queue, packet, payload))
        return;
    if (!mcu_queue_is_new(&supply->queue, packet->sequence)) {
        hearing->stats.drops[MCU_HEARING_DUPLICATE]++;
        return;
    }
    mcu_arrivals_came(&hearing->arrivals, packet->timestamp, now);
    if (is_late(hearing, packet, now)) {
        mcu_supply_late(supply, packet->duration);
        return;
    }
    if (supply->queue.count == MCU_HEARING_PACKETS)
        mcu_supply_shed(supply);
    mcu_queue_put(&supply->queue, packet, payload);
}

/* A packet's place in the stream's time, which is another where its unit is. */
static struct mcu_packet packet_of(struct mcu_hearing *hearing, enum mcu_audio_codec codec,
                                   int64_t sequence, int64_t timestamp)
{
    const uint32_t rate = mcu_codec_clock(codec);
    if (rate != hearing->rate)
        begin_anew(hearing);
    hearing->rate = rate;
    return (struct mcu_packet){.sequence = sequence,
                               .timestamp = timestamp * (MCU_RATE / rate),
                               .duration = hearing->supply.last_duration,
                               .codec = (uint8_t)codec};
}

void mcu_hearing_push(struct mcu_hearing *hearing, enum mcu_audio_codec codec,
                      int64_t sequence, int64_t timestamp, const uint8_t *payload, size_t size,
                      int64_t now)
{
    const int duration = mcu_codec_duration(codec, payload, size);
    if (duration <= 0 || size > MCU_DATAGRAM) {
        hearing->stats.drops[MCU_HEARING_MALFORMED]++;
        return;
    }
    struct mcu_packet packet = packet_of(hearing, codec, sequence, timestamp);
    packet.duration = duration;
    packet.size = (uint16_t)size;
    file(hearing, &packet, payload, samples_of(now));
}

void mcu_hearing_skipped(struct mcu_hearing *hearing, enum mcu_audio_codec codec,
                         int64_t sequence, int64_t timestamp, int64_t now)
{
    const struct mcu_packet packet = packet_of(hearing, codec, sequence, timestamp);
    file(hearing, &packet, NULL, samples_of(now));
}

/* -- ticks -- */

/* Our time less the stream's, of what is to be played now. */
static int64_t wanted_offset(struct mcu_hearing *hearing)
{
    const struct mcu_supply *supply = &hearing->supply;
    hearing->waits = supply->without_fec < MCU_SUPPLY_NO_FEC &&
                     supply->loss > (hearing->waits ? lossless : lossy);
    return mcu_arrivals_offset(&hearing->arrivals) +
           (hearing->waits ? supply->last_duration : 0);
}

/* After a tick: what was played in it is a tick back. */
static void tell_delay(struct mcu_hearing *hearing, int64_t offset)
{
    const int64_t fastest = hearing->arrivals.zero + hearing->arrivals.fastest;
    const int64_t delay =
        hearing->pace.clock + MCU_TICK - mcu_supply_played(&hearing->supply) - fastest;
    hearing->stats.delay = delay > 0 ? (uint32_t)delay : 0;
    hearing->stats.target = (uint32_t)(offset - fastest);
    hearing->stats.drift_ppm = hearing->pace.drift_ppm;
}

static enum mcu_heard nothing(struct mcu_hearing *hearing, int16_t *out)
{
    mcu_pace_silence(&hearing->pace);
    if (out)
        memset(out, 0, MCU_TICK * sizeof *out);
    return MCU_HEARD_NOTHING;
}

/* Whether the next packet begins in this tick. */
static bool begins(const struct mcu_supply *supply)
{
    const struct mcu_packet *head = mcu_queue_head(&supply->queue);
    return head && head->timestamp < supply->next + MCU_TICK;
}

static enum mcu_heard play(struct mcu_hearing *hearing, int64_t time, int16_t *out)
{
    struct mcu_supply *supply = &hearing->supply;
    if (mcu_weave_is_silent(&supply->weave)) {
        mcu_supply_move(supply, time);
        if (!begins(supply)) {
            supply->next += MCU_TICK;
            return nothing(hearing, out);
        }
    }
    const struct mcu_packet *newest = mcu_queue_last(&supply->queue);
    const int64_t played = mcu_supply_played(supply);
    if (newest && newest->timestamp + newest->duration - played > DEEPEST)
        mcu_supply_cut(supply, time - played);
    mcu_pace_play(&hearing->pace, supply, time - mcu_supply_played(supply), out);
    return MCU_HEARD_SOUND;
}

static enum mcu_heard sleep_through(struct mcu_hearing *hearing, int64_t time, int16_t *out)
{
    mcu_supply_sleep(&hearing->supply, time);
    hearing->supply.next += MCU_TICK;
    return nothing(hearing, out);
}

/* Whoever begins to listen, or a stream that has begun anew, is put to its time. */
static void anchor(struct mcu_hearing *hearing, bool known, int64_t time)
{
    if (!hearing->awake) {
        mcu_supply_sleep(&hearing->supply, time);
        mcu_supply_wake(&hearing->supply);
    } else if (known && !hearing->anchored) {
        mcu_supply_anchor(&hearing->supply, time);
    }
    hearing->anchored = known;
}

enum mcu_heard mcu_hearing_tick(struct mcu_hearing *hearing, bool decode, int64_t now,
                                int16_t *out)
{
    mcu_pace_tick(&hearing->pace, samples_of(now));
    const bool known = hearing->arrivals.count > 0; /* else what waits is played to its end */
    const int64_t offset = wanted_offset(hearing);
    const int64_t time =
        known ? hearing->pace.clock - offset : mcu_supply_played(&hearing->supply);
    enum mcu_heard heard;
    if (decode) {
        anchor(hearing, known, time);
        heard = play(hearing, time, out);
    } else {
        heard = sleep_through(hearing, time, out);
    }
    hearing->awake = decode;
    if (known)
        tell_delay(hearing, offset);
    return heard;
}

const struct mcu_hearing_stats *mcu_hearing_stats(const struct mcu_hearing *hearing)
{
    return &hearing->stats;
}
