#include "load.h"

enum {
    AGAIN = 100000,  /* us after which is asked again, until it is known how long it takes */
    SOONEST = 20000, /* us */
    GIVE_UP = 10,    /* times; then a key frame is asked for */
    KEY_EVERY = 300000, /* us, at most */
    CLOCK = 90000       /* Hz */
};

static void want_key(struct leg *leg, int64_t now)
{
    struct seen *seen = &leg->seen;
    seen->hole_count = 0;
    if (now - seen->key_wanted_at < KEY_EVERY)
        return;
    uint8_t data[MCU_RTCP_MAX + MCU_SRTP_TRAILER];
    size_t size = 0;
    mcu_rtcp_pli(data, &size, leg->ssrc, seen->ssrc);
    put_rtcp(leg, data, size);
    seen->key_wanted_at = now;
    seen->keys_wanted++;
}

/* Asks for what was never asked for, or long ago. */
static void ask(struct leg *leg, int64_t now)
{
    struct seen *seen = &leg->seen;
    const int64_t again = seen->takes ? seen->takes + SOONEST : AGAIN;
    int64_t due[HOLES];
    size_t count = 0;
    for (size_t i = 0; i < seen->hole_count; i++) {
        struct hole *hole = &seen->holes[i];
        if (hole->asked && now - hole->asked_at < again)
            continue;
        if (hole->asked++ == GIVE_UP) {
            want_key(leg, now);
            return;
        }
        hole->asked_at = now;
        due[count++] = hole->sequence;
    }
    if (!count)
        return;
    uint8_t data[MCU_RTCP_MAX + MCU_SRTP_TRAILER];
    size_t size = 0;
    mcu_rtcp_nack(data, &size, leg->ssrc, seen->ssrc, due, count);
    put_rtcp(leg, data, size);
    seen->asked += count;
}

/* What was asked for once tells how long it takes. */
static void fill(struct seen *seen, int64_t sequence, int64_t now)
{
    for (size_t i = 0; i < seen->hole_count; i++)
        if (seen->holes[i].sequence == sequence) {
            if (seen->holes[i].asked == 1)
                seen->takes = now - seen->holes[i].asked_at;
            seen->hole_count--;
            for (; i < seen->hole_count; i++)
                seen->holes[i] = seen->holes[i + 1];
        }
}

static void note_holes(struct leg *leg, int64_t from, int64_t until, int64_t now)
{
    struct seen *seen = &leg->seen;
    if (until - from > HOLES - (int64_t)seen->hole_count) {
        want_key(leg, now);
        return;
    }
    for (int64_t sequence = from; sequence < until; sequence++)
        seen->holes[seen->hole_count++] = (struct hole){.sequence = sequence};
    ask(leg, now);
}

static void count_picture(struct seen *seen, int64_t now)
{
    if (seen->last_at && now - seen->last_at > seen->longest_gap)
        seen->longest_gap = now - seen->last_at;
    seen->last_at = now;
    seen->pictures++;
}

bool is_missed(struct leg *leg, const struct mcu_rtp *packet)
{
    struct seen *seen = &leg->seen;
    if (!leg->miss || !seen->reception.begun)
        return false;
    const int64_t highest = seen->reception.highest;
    return mcu_extend16(highest, packet->sequence) > highest &&
           ++seen->missed % leg->miss == 0;
}

static void keep(struct leg *leg, const struct mcu_rtp *packet, int64_t now, FILE *recording)
{
    leg->seen.packets++;
    leg->seen.bytes += packet->payload_size;
    if (packet->marker)
        count_picture(&leg->seen, now);
    if (recording)
        record(recording, leg, RECORDED_PICTURE | (packet->marker ? RECORDED_MARKER : 0), now,
               packet->sequence, packet->timestamp, packet->payload, packet->payload_size);
}

void see(struct leg *leg, const struct mcu_rtp *packet, int64_t now, FILE *recording)
{
    struct seen *seen = &leg->seen;
    const bool begun = seen->reception.begun;
    const int64_t highest = seen->reception.highest;
    seen->ssrc = packet->ssrc;
    const int64_t sequence =
        mcu_reception_packet(&seen->reception, packet->sequence, packet->timestamp,
                             packet->payload_size, CLOCK, now);
    if (begun && sequence > highest + 1)
        note_holes(leg, highest + 1, sequence, now);
    else if (sequence <= highest)
        fill(seen, sequence, now);
    keep(leg, packet, now, recording);
}

void see_again(struct leg *leg, struct mcu_rtp *packet, int64_t now, FILE *recording)
{
    if (packet->payload_size < 2 || !leg->seen.reception.begun)
        return;
    packet->sequence = (uint16_t)(packet->payload[0] << 8 | packet->payload[1]);
    packet->payload += 2;
    packet->payload_size -= 2;
    fill(&leg->seen, mcu_extend16(leg->seen.reception.highest, packet->sequence), now);
    keep(leg, packet, now, recording);
}

void ask_again(struct leg *leg, int64_t now)
{
    if (leg->seen.hole_count)
        ask(leg, now);
}
