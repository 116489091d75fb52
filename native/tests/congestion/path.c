#include "path.h"

#include <mcu/rtcp.h>

#include <string.h>

#define SOUND_BYTES 180 /* with all headers: 72 kbit/s */
#define PACKET_BYTES 1200
#define PADDING_BYTES 300
#define HEADERS 70    /* of IP, UDP, RTP and SRTP */
#define SHARE 0.9     /* of what pictures may take of the line, that they are made for */
#define LONGEST_S 0.6 /* of pictures that wait */
#define STEP MS

void path_begin(struct path *path, double capacity, double start)
{
    memset(path, 0, sizeof *path);
    path->capacity = capacity;
    path->base = 20 * MS;
    path->queue = 300 * MS;
    path->now = 1000 * SECOND;
    path->estimate = mcu_estimate_new((uint32_t)start);
}

void path_end(struct path *path) { mcu_estimate_free(path->estimate); }

/* -- the line -- */

static void transmit(struct path *path, uint32_t size, bool sound, bool padding)
{
    const uint16_t number = mcu_estimate_number(path->estimate);
    if (path->blind)
        mcu_estimate_unnumbered(path->estimate, size, HEADERS, sound, path->now);
    else
        mcu_estimate_sent(path->estimate, size, sound, path->now);
    const int64_t leaves = path->now > path->stalled ? path->now : path->stalled;
    if (leaves > path->now)
        mcu_estimate_left(path->estimate, number, leaves);
    if (path->free_at < (double)leaves)
        path->free_at = (double)leaves;
    const double waits = path->free_at - (double)leaves;
    if (waits > (double)path->queue || (noise() % 10000) < path->loss * 10000) {
        path->sound_lost += sound;
        path->remb.lost++;
        return;
    }
    path->free_at += size * 8e6 / path->capacity;
    if (sound && (int64_t)waits > path->sound_late)
        path->sound_late = (int64_t)waits;
    const int64_t at = (int64_t)path->free_at;
    if (sound && path->sound_at && at - path->sound_at > path->sound_gap)
        path->sound_gap = at - path->sound_at;
    path->sound_at = sound ? at : path->sound_at;
    path->flights[path->sent++ % FLIGHT] =
        (struct flight){.number = number,
                        .size = size,
                        .waits = (int64_t)waits,
                        .arrives = (int64_t)path->free_at + path->base,
                        .picture = !sound && !padding};
}

static void arrive(struct path *path)
{
    while (path->received < path->sent) {
        const struct flight *flight = &path->flights[path->received % FLIGHT];
        if (flight->arrives > path->now)
            return;
        if (path->blind) {
            if (flight->picture || !path->narrowly)
                path->remb.slots[0] += flight->size - HEADERS;
            path->remb.arrived++;
            path->remb.waits = flight->waits;
        } else { /* their clock is another one */
            mcu_arrived_note(&path->arrived, flight->number, true,
                             flight->arrives + 77777 * SECOND);
        }
        if (flight->picture)
            path->delivered += flight->size - HEADERS;
        path->received++;
    }
}

/* A report each 100 ms, at the sender after the base delay. */
static void report(struct path *path)
{
    if (path->report.size && path->now >= path->report.at + path->base + path->late) {
        struct mcu_rtcp_reader reader = {.data = path->report.data, .size = path->report.size};
        struct mcu_rtcp_event event;
        CHECK(mcu_rtcp_next(&reader, &event) == 1);
        if (!path->mute)
            CHECK(mcu_estimate_feedback(path->estimate, event.body, event.body_size,
                                        path->now) == 0);
        path->report.size = 0;
    }
    if (path->now % (100 * MS) == 0 && !(path->late && path->report.size)) {
        path->report.size = 0;
        if (mcu_arrived_report(&path->arrived, path->report.data, &path->report.size, 1, 2,
                               path->now))
            path->report.size = 0;
        path->report.at = path->now;
    }
}

/* As receivers reckon: 0.85 of what comes while the queue grows, else 8 % a second more, up to
 * half as much again as comes. */
static void say_remb(struct path *path)
{
    double came = 0;
    if (path->now % (100 * MS))
        return;
    for (int i = 0; i < 10; i++)
        came += 8.0 * path->remb.slots[i];
    const bool queue = path->remb.waits > 20 * MS && path->remb.waits > path->remb.waited;
    const bool grows = queue || path->falsely;
    const double most = 1.5 * came + 10e3;
    if (grows)
        path->remb.said = 0.85 * came;
    else if (path->remb.said < most)
        path->remb.said = path->remb.said > 0 ? 1.008 * path->remb.said : came;
    if (grows || path->now % (500 * MS) == 0)
        mcu_estimate_remb(path->estimate, (uint64_t)path->remb.said, !path->narrowly,
                          path->now);
    if (path->now % SECOND == 0) {
        mcu_estimate_loss(path->estimate,
                          (double)path->remb.lost / (path->remb.lost + path->remb.arrived + 1),
                          path->now);
        path->remb.lost = path->remb.arrived = 0;
    }
    path->remb.waited = path->remb.waits;
    memmove(path->remb.slots + 1, path->remb.slots, 9 * sizeof *path->remb.slots);
    path->remb.slots[0] = 0;
}

/* -- the sender -- */

/* 25 a second, each so large as may be, in packets of one size: as the plane cuts them. */
static void make_picture(struct path *path, const struct mcu_line *line)
{
    const double wish = path->wish * (PACKET_BYTES - HEADERS) / PACKET_BYTES;
    const double most = SHARE * line->pictures, rate = wish < most ? wish : most;
    const double size = rate / 8 / 25 * between(50, 150) / 100;
    const size_t packet = mcu_pace_packet(line->bits_per_second, PACKET_BYTES) - HEADERS;
    const unsigned count = (unsigned)(size / (double)packet) + 1;
    if (path->owed > rate / 8 * LONGEST_S) { /* what waits is dropped */
        path->left = path->cut;
        path->owed = 0;
    }
    for (unsigned i = 0; size > 0 && i < count; i++) {
        path->packets[path->cut++ % PATH_PACKETS] = (uint32_t)(size / count) + HEADERS;
        path->owed += (uint32_t)(size / count) + HEADERS;
    }
}

static void send_pictures(struct path *path)
{
    struct mcu_line line;
    mcu_estimate_line(path->estimate, &line, path->now);
    if (path->now % (40 * MS) == 0)
        make_picture(path, &line);
    mcu_pace_at(&path->pace, &line, path->now);
    while (path->left < path->cut && mcu_estimate_room(path->estimate, path->now) > 0) {
        const uint32_t size = path->packets[path->left % PATH_PACKETS];
        if (!mcu_pace_may(&path->pace, size))
            return;
        mcu_pace_spend(&path->pace, size);
        path->owed -= size;
        path->left++;
        transmit(path, size, false, false);
    }
}

static void send_sound(struct path *path)
{
    transmit(path, SOUND_BYTES, true, false);
    mcu_pace_sound(&path->pace, path->now);
}

static void probe(struct path *path)
{
    int64_t wake;
    if (path->now % (50 * MS) == 0)
        mcu_estimate_tick(path->estimate, path->now);
    size_t padding = mcu_estimate_probe(path->estimate, path->now, &wake);
    for (; padding > 0 && mcu_pace_may(&path->pace, PADDING_BYTES);
         padding = padding > PADDING_BYTES ? padding - PADDING_BYTES : 0) {
        mcu_pace_spend(&path->pace, PADDING_BYTES);
        transmit(path, PADDING_BYTES, false, true);
        path->padding += PADDING_BYTES;
    }
}

void path_run(struct path *path, int64_t time)
{
    for (const int64_t until = path->now + time; path->now < until; path->now += STEP) {
        if (path->now % (20 * MS) == 0)
            send_sound(path);
        send_pictures(path);
        probe(path);
        arrive(path);
        if (path->blind)
            say_remb(path);
        else
            report(path);
    }
}

uint32_t path_rate(struct path *path)
{
    struct mcu_line line;
    mcu_estimate_line(path->estimate, &line, path->now);
    return line.bits_per_second;
}

int64_t path_until_above(struct path *path, double rate, int64_t most)
{
    for (int64_t took = 0; took <= most; took += 20 * MS) {
        if (path_rate(path) >= rate)
            return took;
        path_run(path, 20 * MS);
    }
    return -1;
}

int64_t path_until_below(struct path *path, double rate, int64_t most)
{
    for (int64_t took = 0; took <= most; took += 20 * MS) {
        if (path_rate(path) <= rate)
            return took;
        path_run(path, 20 * MS);
    }
    return -1;
}
