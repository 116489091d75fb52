#include "link.h"

#include <mcu/rtcp.h>

#include <string.h>

#define SOUND_BYTES 180 /* with all headers: 72 kbit/s */
#define PACKET_BYTES 1200
#define PADDING_BYTES 300
#define STEP MS

void link_begin(struct link *link, double capacity, double start)
{
    memset(link, 0, sizeof *link);
    link->capacity = capacity;
    link->base = 20 * MS;
    link->queue = 300 * MS;
    link->now = 1000 * SECOND;
    link->estimate = mcu_estimate_new((uint32_t)start);
}

void link_end(struct link *link) { mcu_estimate_free(link->estimate); }

/* -- the line -- */

static void transmit(struct link *link, uint32_t size, bool sound)
{
    const uint16_t number = mcu_estimate_number(link->estimate);
    mcu_estimate_sent(link->estimate, size, sound, link->now);
    if (link->free_at < (double)link->now)
        link->free_at = (double)link->now;
    const double waits = link->free_at - (double)link->now;
    if (waits > (double)link->queue || (noise() % 10000) < link->loss * 10000) {
        link->sound_lost += sound;
        return;
    }
    link->free_at += size * 8e6 / link->capacity;
    if (sound && (int64_t)waits > link->sound_late)
        link->sound_late = (int64_t)waits;
    link->flights[link->sent++ % FLIGHT] =
        (struct flight){.number = number,
                        .size = size,
                        .arrives = (int64_t)link->free_at + link->base,
                        .sound = sound};
}

static void arrive(struct link *link)
{
    while (link->received < link->sent) {
        const struct flight *flight = &link->flights[link->received % FLIGHT];
        if (flight->arrives > link->now)
            return;
        /* their clock is another one */
        mcu_arrived_note(&link->arrived, flight->number, true,
                         flight->arrives + 77777 * SECOND);
        if (flight->size == PACKET_BYTES)
            link->delivered += flight->size;
        link->received++;
    }
}

/* A report each 100 ms, at the sender after the base delay. */
static void report(struct link *link)
{
    if (link->report.size && link->now >= link->report.at + link->base) {
        struct mcu_rtcp_reader reader = {.data = link->report.data, .size = link->report.size};
        struct mcu_rtcp_event event;
        CHECK(mcu_rtcp_next(&reader, &event) == 1);
        if (!link->mute)
            CHECK(mcu_estimate_feedback(link->estimate, event.body, event.body_size,
                                        link->now) == 0);
        link->report.size = 0;
    }
    if (link->now % (100 * MS) == 0) {
        link->report.size = 0;
        if (mcu_arrived_report(&link->arrived, link->report.data, &link->report.size, 1, 2,
                               link->now))
            link->report.size = 0;
        link->report.at = link->now;
    }
}

/* -- the sender -- */

static void send_pictures(struct link *link)
{
    struct mcu_line line;
    mcu_estimate_line(link->estimate, &line, link->now);
    if (link->now % (40 * MS) == 0) { /* 25 pictures a second, each so large as may be */
        const double rate = link->wish < line.pictures ? link->wish : line.pictures;
        const double noisy = (double)between(50, 150) / 100;
        if (link->owed < rate / 8 / 2)
            link->owed += rate / 8 / 25 * noisy;
    }
    mcu_pace_at(&link->pace, line.bits_per_second, link->now);
    while (link->owed >= PACKET_BYTES && mcu_pace_may(&link->pace) &&
           mcu_estimate_room(link->estimate, link->now) > 0) {
        mcu_pace_spend(&link->pace, PACKET_BYTES);
        link->owed -= PACKET_BYTES;
        transmit(link, PACKET_BYTES, false);
    }
}

static void probe(struct link *link)
{
    int64_t wake;
    if (link->now % (50 * MS) == 0)
        mcu_estimate_tick(link->estimate, link->now);
    size_t padding = mcu_estimate_probe(link->estimate, link->now, &wake);
    for (; padding > 0; padding = padding > PADDING_BYTES ? padding - PADDING_BYTES : 0) {
        transmit(link, PADDING_BYTES, false);
        link->padding += PADDING_BYTES;
    }
}

void link_run(struct link *link, int64_t time)
{
    for (const int64_t until = link->now + time; link->now < until; link->now += STEP) {
        if (link->now % (20 * MS) == 0)
            transmit(link, SOUND_BYTES, true);
        send_pictures(link);
        probe(link);
        arrive(link);
        report(link);
    }
}

uint32_t link_rate(struct link *link)
{
    struct mcu_line line;
    mcu_estimate_line(link->estimate, &line, link->now);
    return line.bits_per_second;
}

int64_t link_until_above(struct link *link, double rate, int64_t most)
{
    for (int64_t took = 0; took <= most; took += 20 * MS) {
        if (link_rate(link) >= rate)
            return took;
        link_run(link, 20 * MS);
    }
    return -1;
}

int64_t link_until_below(struct link *link, double rate, int64_t most)
{
    for (int64_t took = 0; took <= most; took += 20 * MS) {
        if (link_rate(link) <= rate)
            return took;
        link_run(link, 20 * MS);
    }
    return -1;
}
