/* Pictures of a leg that wait for their turn: they leave as fast as its line takes them. Sound
 * is never among them. */
#include "congestion.h"
#include "packets.h"
#include "send.h"

#define LONGEST_S                                                                             \
    0.6 /* of pictures at the estimate's rate; a key frame that begins may be more */
#define ASK_AGAIN_US 1000000
#define PADDING 224 /* bytes of a packet that is padding alone */

/* -- one stream's line -- */

static struct mcu_payloads *first_of(const struct paced *paced)
{
    return paced->count ? paced->ring[paced->first] : NULL;
}

static void drop_last(struct paced *paced)
{
    paced->count--;
    struct mcu_payloads *last = paced->ring[(paced->first + paced->count) % PACED_PICTURES];
    paced->bytes -= mcu_payloads_size(last);
    mcu_payloads_drop(last);
}

static void drop_first(struct paced *paced)
{
    mcu_payloads_drop(paced->ring[paced->first]);
    paced->first = (paced->first + 1) % PACED_PICTURES;
    paced->count--;
    paced->number = 0;
}

void paced_clear(struct paced *paced)
{
    while (paced->count)
        drop_first(paced);
    paced->bytes = 0;
}

/* So that no broken picture is sent: what has begun goes on, what has not is dropped. */
static void starve(struct mcu_plane *plane, struct leg *leg, struct paced *paced)
{
    while (paced->count > (paced->number > 0)) {
        drop_last(paced);
        plane_drop(plane, leg, MCU_DROP_PACED);
    }
    paced->starved = true;
    paced->asked = 0;
}

static bool fits(const struct paced *paced, const struct mcu_payloads *payloads, uint32_t rate)
{
    const struct mcu_payloads *first = first_of(paced);
    if (!first)
        return true;
    const double key = first->key ? (double)mcu_payloads_size(first) : 0;
    return paced->count < PACED_PICTURES &&
           (double)(paced->bytes + mcu_payloads_size(payloads)) <= LONGEST_S * rate / 8 + key;
}

static void ask(struct mcu_plane *plane, struct leg *leg, struct out_stream *stream,
                int64_t now)
{
    struct paced *paced = &stream->paced;
    if (!paced->starved || paced->count || (paced->asked && now - paced->asked < ASK_AGAIN_US))
        return;
    paced->asked = now;
    congestion_say_lower(plane, leg, now);
    plane_say(plane, MCU_EVENT_KEY_WANTED, leg->handle, stream->source);
}

bool paced_put(struct mcu_plane *plane, struct leg *leg, struct out_stream *stream,
               struct mcu_payloads *payloads, int64_t now)
{
    struct paced *paced = &stream->paced;
    const uint32_t rate = mcu_estimate_rate(leg->congestion->estimate);
    const bool use = !paced->starved || (payloads->key && !paced->count);
    if (use && !fits(paced, payloads, rate))
        starve(plane, leg, paced);
    else if (use)
        paced->starved = false;
    if (paced->starved) {
        plane_drop(plane, leg, MCU_DROP_PACED);
        ask(plane, leg, stream, now);
        return false;
    }
    mcu_payloads_hold(payloads);
    paced->ring[(paced->first + paced->count++) % PACED_PICTURES] = payloads;
    paced->bytes += mcu_payloads_size(payloads);
    return true;
}

/* -- sending -- */

static void follow_line(struct congestion *congestion, int64_t now)
{
    struct mcu_line line;
    mcu_estimate_line(congestion->estimate, &line, now);
    mcu_pace_at(&congestion->pace, &line, now);
}

/* How long the next packet of what waits is, on the wire. */
static size_t size_of_next(const struct paced *paced)
{
    size_t size;
    mcu_payloads_at(first_of(paced), paced->number, &size);
    return size + SEND_HEADERS;
}

static void send_next(struct leg *leg, struct out_stream *stream, struct udp_batch *batch,
                      int64_t now)
{
    struct paced *paced = &stream->paced;
    struct mcu_payloads *payloads = first_of(paced);
    size_t size;
    mcu_payloads_at(payloads, paced->number, &size);
    paced->bytes -= size;
    if (!send_picture_packet(leg, stream, payloads, paced->number, batch, now))
        stream->broken = true;
    if (++paced->number == payloads->count)
        drop_first(paced);
}

enum outcome { DONE, FULL, WAITS };

static enum outcome send_stream(struct leg *leg, struct out_stream *stream,
                                struct udp_batch *batch, int64_t now)
{
    struct congestion *congestion = leg->congestion;
    while (stream->paced.count) {
        if (!mcu_pace_may(&congestion->pace, size_of_next(&stream->paced)) ||
            !mcu_estimate_room(congestion->estimate, now))
            return WAITS;
        if (!udp_next(batch))
            return FULL;
        send_next(leg, stream, batch, now);
    }
    return DONE;
}

static struct out_stream *padded(const struct leg *leg)
{
    for (int i = MCU_CAMERA; i < MCU_SOURCES; i++)
        if (leg->out[i] && leg->out[i]->numbered && leg->out[i]->packets)
            return leg->out[i];
    return NULL;
}

/* A probe's padding, on the stream of retransmissions, where nothing is disturbed by it.
 * Returns when more is due. */
static int64_t send_padding(struct leg *leg, struct udp_batch *batch, int64_t now)
{
    int64_t wake;
    size_t bytes = mcu_estimate_probe(leg->congestion->estimate, now, &wake);
    struct out_stream *stream = bytes ? padded(leg) : NULL;
    while (stream && udp_next(batch) &&
           mcu_pace_may(&leg->congestion->pace, PADDING + SEND_HEADERS)) {
        send_padding_packet(leg, stream, PADDING, batch, now);
        if (bytes <= PADDING)
            break;
        bytes -= PADDING;
    }
    return wake;
}

/* Nothing can be sent to the leg now. It comes back with a key frame. */
static void let_go(struct mcu_plane *plane, struct leg *leg)
{
    for (int i = MCU_CAMERA; i < MCU_SOURCES; i++) {
        struct paced *paced = leg->out[i] ? &leg->out[i]->paced : NULL;
        for (unsigned waiting = paced ? paced->count : 0; waiting; waiting--)
            plane_drop(plane, leg, MCU_DROP_PACED);
        if (paced)
            paced_clear(paced);
    }
    paced_wake(plane, leg->congestion, INT64_MAX);
}

bool paced_send(struct mcu_plane *plane, struct leg *leg, struct udp_batch *batch, int64_t now)
{
    struct congestion *congestion = leg->congestion;
    enum outcome outcome = DONE;
    if (!send_media(leg)) {
        let_go(plane, leg);
        return false;
    }
    follow_line(congestion, now);
    for (int i = MCU_CAMERA; outcome == DONE && i < MCU_SOURCES; i++)
        if (leg->out[i]) {
            outcome = send_stream(leg, leg->out[i], batch, now);
            ask(plane, leg, leg->out[i], now);
        }
    int64_t wake = send_padding(leg, batch, now);
    if (outcome == WAITS) {
        const int64_t due = mcu_pace_due(&congestion->pace);
        const int64_t next = due > now ? due : now + CONGESTION_WAIT_US;
        wake = next < wake ? next : wake;
    }
    paced_wake(plane, congestion, outcome == FULL ? now : wake);
    return outcome == FULL;
}

void paced_follow_sound(struct mcu_plane *plane, struct leg *leg, struct udp_batch *batch,
                        int64_t now)
{
    const struct congestion *congestion = leg->congestion;
    if (congestion && list_has(&congestion->paced) && mcu_pace_narrow(&congestion->pace))
        (void)paced_send(plane, leg, batch, now); /* what does not fit goes with the next */
}

bool paced_may_repair(struct leg *leg, size_t size, int64_t now)
{
    struct congestion *congestion = leg->congestion;
    follow_line(congestion, now);
    return mcu_pace_may_repair(&congestion->pace, size + SEND_HEADERS) &&
           mcu_estimate_room(congestion->estimate, now);
}

/* -- who has something to send -- */

void paced_wake(struct mcu_plane *plane, struct congestion *congestion, int64_t wake)
{
    congestion->wake = wake;
    list_set(&plane->paced, &congestion->paced, wake < INT64_MAX);
}

int64_t paced_first(const struct mcu_plane *plane)
{
    int64_t first = INT64_MAX;
    for (const struct links *at = plane->paced.after; at != &plane->paced; at = at->after) {
        const int64_t wake = ((const struct congestion *)at)->wake;
        first = wake < first ? wake : first;
    }
    return first;
}
