#include "load.h"

#include <mcu/demux.h>

#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 32

/* A server that is a full ICE agent asks us, too. */
static void answer_check(struct leg *leg, const uint8_t *data, size_t size)
{
    struct mcu_stun message;
    if (!leg->ice || mcu_stun_parse(&message, data, size) ||
        message.class != MCU_STUN_REQUEST ||
        !mcu_stun_verify(&message, leg->password_here, strlen(leg->password_here)))
        return;
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    if (getpeername(leg->fd, (struct sockaddr *)&peer, &length))
        return;
    uint8_t response[MCU_STUN_MAX];
    const size_t response_size =
        mcu_stun_success(response, &message, (const struct sockaddr *)&peer,
                         leg->password_here, strlen(leg->password_here));
    put(leg, response, response_size);
}

/* Loss is counted when it shows: a later packet has come. */
static void count(struct leg *leg, const struct mcu_rtp *packet, int64_t now)
{
    leg->received++;
    leg->their_ssrc = packet->ssrc;
    const int64_t sequence = mcu_extend16(leg->last_sequence, packet->sequence);
    if (leg->last_sequence >= 0) {
        if (sequence > leg->last_sequence + 1)
            leg->lost += (uint64_t)(sequence - leg->last_sequence - 1);
        if (now - leg->last_at > leg->longest_gap)
            leg->longest_gap = now - leg->last_at;
    }
    if (sequence > leg->last_sequence)
        leg->last_sequence = sequence;
    leg->last_at = now;
}

/* Only what is recorded is decrypted, and retransmissions, which say of what inside: what the
 * load costs would slow nobody down but itself. */
static bool open_packet(struct leg *leg, struct mcu_rtp *packet, uint8_t *data, size_t size)
{
    if (leg->receiving && mcu_srtp_unprotect(leg->receiving, data, &size)) {
        leg->unauthentic++;
        return false;
    }
    return !mcu_rtp_parse(packet, data, size, &leg->extensions, false);
}

static void take_packet(struct leg *leg, uint8_t *data, size_t size, int64_t now,
                        FILE *recording)
{
    struct mcu_rtp packet;
    if (mcu_rtp_parse(&packet, data, size, &leg->extensions, leg->receiving != NULL))
        return;
    if (packet.has_wide_sequence)
        mcu_arrived_note(&leg->arrived, packet.wide_sequence, true, now);
    const bool again = leg->seen.again && packet.payload_type == leg->seen.again;
    const bool picture = again || (leg->seen.type && packet.payload_type == leg->seen.type);
    const bool kept = leg->record & (picture ? RECORD_PICTURES : RECORD_SOUND);
    if ((picture && !again && is_missed(leg, &packet)) ||
        ((kept || again) && !open_packet(leg, &packet, data, size)))
        return;
    if (again) {
        see_again(leg, &packet, now, kept ? recording : NULL);
    } else if (picture) {
        see(leg, &packet, now, kept ? recording : NULL);
    } else if (packet.payload_type == leg->type) {
        count(leg, &packet, now);
        if (kept)
            record(recording, leg, 0, now, packet.sequence, packet.timestamp, packet.payload,
                   packet.payload_size);
    }
}

/* By which what is heard and what is seen are of one moment, or not. */
static void record_report(const struct leg *leg, const struct mcu_rtcp_event *event,
                          int64_t now, FILE *recording)
{
    const bool picture = event->ssrc == leg->seen.ssrc;
    if ((picture || event->ssrc == leg->their_ssrc) &&
        leg->record & (picture ? RECORD_PICTURES : RECORD_SOUND))
        record(recording, leg, RECORDED_REPORT | (picture ? RECORDED_PICTURE : 0), now, 0,
               event->timestamp, (const uint8_t *)&event->ntp, sizeof event->ntp);
}

static void take_event(struct leg *leg, const struct mcu_rtcp_event *event, int64_t now,
                       FILE *recording)
{
    switch (event->kind) {
    case MCU_RTCP_SENDER:
        record_report(leg, event, now, recording);
        if (event->ssrc == leg->their_ssrc) {
            leg->last_sr = (uint32_t)(event->ntp >> 16);
            leg->last_sr_at = now;
        } else if (event->ssrc == leg->seen.ssrc) {
            leg->seen.reception.last_sr = (uint32_t)(event->ntp >> 16);
            leg->seen.reception.last_sr_at = now;
        }
        break;
    case MCU_RTCP_PLI:
    case MCU_RTCP_FIR:
    case MCU_RTCP_NACK:
        camera_asked(leg, event);
        break;
    default:
        break;
    }
}

static void take_report(struct leg *leg, uint8_t *data, size_t size, int64_t now,
                        FILE *recording)
{
    if (leg->receiving && mcu_srtp_unprotect_rtcp(leg->receiving, data, &size)) {
        leg->unauthentic++;
        return;
    }
    struct mcu_rtcp_reader reader = {.data = data, .size = size};
    struct mcu_rtcp_event event;
    while (mcu_rtcp_next(&reader, &event) > 0)
        take_event(leg, &event, now, recording);
}

void take(struct leg *leg, uint8_t *data, size_t size, int64_t now, FILE *recording)
{
    switch (mcu_demux(data, size)) {
    case MCU_IS_STUN:
        answer_check(leg, data, size);
        break;
    case MCU_IS_RTP:
        take_packet(leg, data, size, now, recording);
        break;
    case MCU_IS_RTCP:
        take_report(leg, data, size, now, recording);
        break;
    default:
        break;
    }
}

/* When the kernel had a datagram, by the clock of `now_us`: how late the load program comes to
 * read it is the load's affair. */
static int64_t came_at(struct msghdr *message, int64_t now, const struct timespec *today)
{
    const struct cmsghdr *said = CMSG_FIRSTHDR(message);
    struct timespec at;
    if (!said || said->cmsg_level != SOL_SOCKET || said->cmsg_type != SCM_TIMESTAMPNS)
        return now;
    memcpy(&at, CMSG_DATA(said), sizeof at);
    return now - (int64_t)(today->tv_sec - at.tv_sec) * 1000000 -
           (today->tv_nsec - at.tv_nsec) / 1000;
}

void time_packets(const struct leg *leg)
{
    const int on = 1;
    if (setsockopt(leg->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on))
        perror("load: SO_TIMESTAMPNS");
}

void receive(struct leg *leg, FILE *recording)
{
    static uint8_t buffers[BATCH][MCU_DATAGRAM];
    _Alignas(struct cmsghdr) char said[BATCH][CMSG_SPACE(sizeof(struct timespec))];
    struct iovec pieces[BATCH];
    struct mmsghdr messages[BATCH] = {0};
    for (int i = 0; i < BATCH; i++) {
        pieces[i] = (struct iovec){buffers[i], sizeof buffers[i]};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i],
                                              .msg_iovlen = 1,
                                              .msg_control = said[i],
                                              .msg_controllen = sizeof said[i]};
    }
    const int some = recvmmsg(leg->fd, messages, BATCH, MSG_DONTWAIT, NULL);
    const int64_t now = now_us();
    struct timespec today;
    clock_gettime(CLOCK_REALTIME, &today);
    for (int i = 0; i < some; i++) {
        const int64_t at = came_at(&messages[i].msg_hdr, now, &today);
        if (!line_takes(leg, &leg->in, buffers[i], messages[i].msg_len, at))
            take(leg, buffers[i], messages[i].msg_len, at, recording);
    }
}
