/* Step two of a tick: routes, then each stream encoded once for each codec and sent. */
#include "sounding.h"

/* Sorts those who hear a stream by the codec in which they are sent it. */
static void gather(struct mcu_plane *plane, const struct crowd *listeners)
{
    struct sounding *sounding = plane->sounding;
    const int64_t now = plane_now();
    sounding->lossy = false;
    for (int codec = 0; codec < MCU_AUDIO_CODECS; codec++)
        sounding->listening[codec].count = 0;
    for (size_t at = 0; at < listeners->count; at++) {
        const struct leg *leg = listeners->each[at];
        const int codec = plane_sound_codec(leg);
        (void)handles_add(codec < 0 ? &sounding->unsendable : &sounding->listening[codec],
                          leg->handle);
        if (codec >= 0 && leg->out[MCU_AUDIO]->lossy_until > now)
            sounding->lossy = true;
    }
}

static void flush(struct mcu_plane *plane, int64_t tick)
{
    int unsent[UDP_BATCH];
    const size_t count = plane_flush(plane, &plane->sounding->batch, unsent);
    for (size_t at = 0; at < count; at++)
        plane_say(plane, MCU_EVENT_UNSENT, unsent[at], tick);
}

/* Fills the batch with a packet for each of these legs from `at` on. Returns how far it came:
 * the batch is full, or they are all done. */
static size_t fill(struct mcu_plane *plane, const struct handles *legs, size_t at,
                   const struct sound_packet *packet, int64_t now)
{
    struct sounding *sounding = plane->sounding;
    plane_lock(plane);
    for (; at < legs->count && udp_next(&sounding->batch); at++) {
        struct leg *leg = plane_leg(plane, legs->each[at]);
        if (leg && plane_send_sound(leg, &sounding->batch, packet, now))
            paced_follow_sound(plane, leg, &sounding->batch, now);
        else if (leg)
            (void)handles_add(&sounding->unsendable, leg->handle);
    }
    plane_unlock(plane);
    return at;
}

static void send_to(struct mcu_plane *plane, const struct handles *legs,
                    const struct sound_packet *packet)
{
    const int64_t now = plane_now();
    size_t at = 0;
    while ((at = fill(plane, legs, at, packet, now)) < legs->count)
        flush(plane, packet->tick);
}

static void say_unsent(struct mcu_plane *plane, const struct handles *legs, int64_t tick)
{
    for (size_t at = 0; at < legs->count; at++)
        plane_say(plane, MCU_EVENT_UNSENT, legs->each[at], tick);
}

/* -- streams -- */

static void count_encodes(struct mcu_plane *plane, unsigned encodes, bool failed)
{
    plane_lock(plane);
    plane->audio_encodes += encodes;
    if (failed)
        plane_drop(plane, NULL, MCU_DROP_ENCODE);
    plane_unlock(plane);
}

static void send_in_codec(struct mcu_plane *plane, struct sound *sound, int codec,
                          const int16_t *samples, int level, int64_t tick)
{
    const struct handles *legs = &plane->sounding->listening[codec];
    uint8_t payload[MCU_AUDIO_PACKET];
    unsigned encodes = 0;
    if (!legs->count)
        return;
    const int size = sounding_encode(plane, sound, codec, samples, payload, &encodes);
    count_encodes(plane, encodes, size < 0);
    if (size < 0)
        say_unsent(plane, legs, tick);
    else
        send_to(plane, legs,
                &(struct sound_packet){
                    .tick = tick, .payload = payload, .size = (size_t)size, .level = level});
}

/* The stream of a mix; NULL: it was gone when the step was asked for. Locked. */
static struct sound *sound_of_mix(const struct sounding *sounding, const struct step *step,
                                  size_t at)
{
    return (struct sound *)shelf_find(&sounding->sounds, step->sounds[at]);
}

/* The same, with those who hear it in `listening`; NULL also if it has had its mix. */
static struct sound *open_sound(struct mcu_plane *plane, const struct step *step, size_t at)
{
    struct sounding *sounding = plane->sounding;
    plane_lock(plane);
    struct sound *sound = sound_of_mix(sounding, step, at);
    if (sound && sound->sent == sounding->sends)
        sound = NULL;
    if (sound)
        gather(plane, &sound->listeners);
    plane_unlock(plane);
    return sound;
}

static void send_mix(struct mcu_plane *plane, const struct step *step, size_t at)
{
    const int16_t *samples = &step->samples[at * MCU_TICK];
    struct sound *sound = open_sound(plane, step, at);
    if (!sound)
        return;
    sound->sent = plane->sounding->sends;
    const int level = mcu_level(samples, MCU_TICK);
    for (int codec = 0; codec < MCU_AUDIO_CODECS; codec++)
        send_in_codec(plane, sound, codec, samples, level, step->tick);
}

static void send_silence(struct mcu_plane *plane, int64_t tick)
{
    struct sounding *sounding = plane->sounding;
    plane_lock(plane);
    gather(plane, &sounding->unspoken);
    plane_unlock(plane);
    for (int codec = 0; codec < MCU_AUDIO_CODECS; codec++) {
        struct sound_packet packet = {.tick = tick, .level = 127};
        if (!sounding->listening[codec].count)
            continue;
        packet.payload = sounding_silence(plane, codec, &packet.size);
        if (packet.size)
            send_to(plane, &sounding->listening[codec], &packet);
        else
            say_unsent(plane, &sounding->listening[codec], tick);
    }
}

/* -- the step -- */

static void apply_routes(struct mcu_plane *plane, const struct step *step)
{
    plane_lock(plane);
    for (size_t at = 0; at < step->route_count; at++)
        sounding_route(plane, &step->routes[at]);
    plane_unlock(plane);
}

/* What was mixed is kept once all is encoded: a stream that starts is primed by what another
 * had in the tick before. */
static void remember_mixes(struct mcu_plane *plane, const struct step *step)
{
    struct sounding *sounding = plane->sounding;
    for (size_t at = 0; at < step->mix_count; at++) {
        plane_lock(plane);
        struct sound *sound = sound_of_mix(sounding, step, at);
        plane_unlock(plane);
        if (sound)
            sounding_remember(sounding, sound, &step->samples[at * MCU_TICK]);
    }
}

static void put_idle_back(struct mcu_plane *plane)
{
    struct sounding *sounding = plane->sounding;
    plane_lock(plane);
    for (size_t at = 0; at < sounding->sounds.count; at++)
        sounding_put_back(sounding, (struct sound *)sounding->sounds.each[at], false);
    plane_unlock(plane);
}

void sounding_deliver(struct mcu_plane *plane, const struct step *step)
{
    struct sounding *sounding = plane->sounding;
    sounding->sends++;
    sounding->unsendable.count = 0;
    apply_routes(plane, step);
    for (size_t at = 0; at < step->mix_count; at++)
        send_mix(plane, step, at);
    send_silence(plane, step->tick);
    flush(plane, step->tick);
    say_unsent(plane, &sounding->unsendable, step->tick);
    remember_mixes(plane, step);
    if (sounding->sends % IDLE_SENDS == 0)
        put_idle_back(plane);
}
