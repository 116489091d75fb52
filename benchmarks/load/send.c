#include "load.h"

#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#define ARRIVALS_US 50000

void put_now(struct leg *leg, const uint8_t *data, size_t size)
{
    if (send(leg->fd, data, size, MSG_DONTWAIT) != (ssize_t)size)
        leg->send_failed++;
}

void put(struct leg *leg, const uint8_t *data, size_t size)
{
    if (!line_takes(leg, &leg->out, data, size, now_us()))
        put_now(leg, data, size);
}

void put_paced(struct leg *leg, const uint8_t *data, size_t size)
{
    const int64_t now = now_us();
    if (leg->paced < now)
        leg->paced = now;
    if (leg->pace)
        leg->paced += (int64_t)size * 8000 / leg->pace;
    if (!line_takes(leg, &leg->out, data, size, leg->paced))
        put_now(leg, data, size);
}

void put_rtcp(struct leg *leg, uint8_t *data, size_t size)
{
    if (!leg->sending || !mcu_srtp_protect_rtcp(leg->sending, data, &size))
        put(leg, data, size);
}

void record(FILE *recording, const struct leg *leg, uint32_t flags, int64_t at,
            uint16_t sequence, uint32_t timestamp, const uint8_t *payload, size_t size)
{
    const uint32_t number = leg->number | flags;
    const uint16_t size16 = (uint16_t)size;
    fwrite(&number, sizeof number, 1, recording);
    fwrite(&at, sizeof at, 1, recording);
    fwrite(&sequence, sizeof sequence, 1, recording);
    fwrite(&timestamp, sizeof timestamp, 1, recording);
    fwrite(&size16, sizeof size16, 1, recording);
    fwrite(payload, 1, size, recording);
}

uint32_t per_mille(struct leg *leg)
{
    leg->chance ^= leg->chance << 13;
    leg->chance ^= leg->chance >> 17;
    leg->chance ^= leg->chance << 5;
    return leg->chance % 1000;
}

/* Whether this packet is lost on its way: it is counted, protected, and not sent. */
static bool is_lost(struct leg *leg)
{
    const bool lost =
        per_mille(leg) < leg->loss || (leg->every && leg->sent % leg->every == leg->every - 1);
    leg->dropped += lost;
    return lost;
}

static void send_sound(struct leg *leg, int64_t now, FILE *recording)
{
    const uint8_t *packet = leg->sound.data + leg->sound.at[leg->next];
    leg->next = (leg->next + 1) % leg->sound.count;
    const size_t payload_size = little(packet + 1, 2);
    const struct mcu_rtp header = {.payload_type = leg->type,
                                   .sequence = leg->sequence++,
                                   .timestamp = leg->timestamp,
                                   .ssrc = leg->ssrc,
                                   .level = packet[0]};
    leg->timestamp += leg->step;
    uint8_t data[MCU_DATAGRAM + MCU_SRTP_TRAILER];
    size_t size = mcu_rtp_write(data, &header, &leg->extensions);
    memcpy(data + size, packet + 3, payload_size);
    size += payload_size;
    if (leg->sending && mcu_srtp_protect(leg->sending, data, &size)) {
        leg->send_failed++;
        return;
    }
    if (!is_lost(leg))
        put(leg, data, size);
    leg->sent++;
    if (leg->record & RECORD_SOUND)
        record(recording, leg, RECORDED_SENT, now, header.sequence, header.timestamp, NULL, 0);
}

static void send_consent(struct leg *leg)
{
    uint8_t transaction[12], data[MCU_STUN_MAX];
    if (getrandom(transaction, sizeof transaction, 0) != sizeof transaction)
        return;
    put(leg, data,
        mcu_stun_request(data, transaction, leg->user_there, strlen(leg->user_there),
                         leg->password_there, strlen(leg->password_there), 0x1122334455667788,
                         0x7e0000ff, true));
}

static void add_sender_reports(struct leg *leg, uint8_t *data, size_t *size, int64_t now)
{
    for (size_t i = 0; i < leg->layer_count; i++) {
        const struct layer *layer = &leg->layers[i];
        if (layer->sent)
            mcu_rtcp_sr(data, size, layer->ssrc, (uint64_t)now << 12, layer->timestamp,
                        (uint32_t)layer->packets, 0, NULL, 0);
    }
}

/* As a browser does each second: what it sent, and how it receives us. */
static void send_report(struct leg *leg, int64_t now)
{
    uint8_t data[MCU_RTCP_MAX + MCU_SRTP_TRAILER];
    size_t size = 0, count = leg->their_ssrc != 0;
    struct mcu_rtcp_block blocks[2] = {{
        .ssrc = leg->their_ssrc,
        .highest = (uint32_t)leg->last_sequence,
        .lost = (int32_t)leg->lost,
        .last_sr = leg->last_sr,
        .delay = leg->last_sr ? (uint32_t)((now - leg->last_sr_at) * 65536 / 1000000) : 0,
    }};
    if (leg->seen.reception.begun)
        mcu_reception_report(&leg->seen.reception, leg->seen.ssrc, now, &blocks[count++]);
    mcu_rtcp_sr(data, &size, leg->ssrc, (uint64_t)now << 12, leg->timestamp,
                (uint32_t)leg->sent, 0, blocks, count);
    add_sender_reports(leg, data, &size, now);
    mcu_rtcp_sdes(data, &size, leg->ssrc, "load");
    if (leg->rate && leg->seen.reception.begun)
        mcu_rtcp_remb(data, &size, leg->ssrc, leg->rate, &leg->seen.ssrc, 1);
    put_rtcp(leg, data, size);
}

/* Of each packet when it came: as often as a browser does on a line like ours. */
static void send_arrivals(struct leg *leg, int64_t now)
{
    uint8_t data[MCU_RTCP_MAX + MCU_SRTP_TRAILER];
    size_t size = 0;
    if (now - leg->arrived.reported_at < ARRIVALS_US ||
        mcu_arrived_report(&leg->arrived, data, &size, leg->ssrc, leg->seen.ssrc, now))
        return;
    put_rtcp(leg, data, size);
}

void send_due(struct leg *leg, int64_t now, FILE *recording)
{
    while (leg->due <= now) {
        send_sound(leg, now, recording);
        leg->due += TICK_US;
    }
    if (leg->ice && leg->consent_due <= now) {
        send_consent(leg);
        leg->consent_due += 2000000;
    }
    if (leg->report_due <= now) {
        send_report(leg, now);
        leg->report_due += 1000000;
    }
    while (leg->picture_due <= now) {
        send_pictures(leg, now, recording);
        leg->picture_due += leg->picture_every;
    }
    ask_again(leg, now);
    send_arrivals(leg, now);
    line_moves(leg, now, recording);
}
