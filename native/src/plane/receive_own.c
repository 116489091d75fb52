/* What comes to a leg's own ports: from where it may come, and what of it is looked at. */
#include "packets.h"
#include "ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* With keys packets are taken also from elsewhere, while nothing authentic comes from where it
 * should. */
static bool may_come(const struct arrival *in, const struct leg *leg, bool rtcp)
{
    if (!leg->connected)
        return leg->receiving != NULL;
    return ports_here(in, leg, rtcp) ||
           (leg->receiving && in->now - leg->heard_at >= MOVES_AFTER_US);
}

/* -- DTLS -- */

/* Who answers our offer may greet us before their answer is here (RFC 5763 section 6.1). */
static void keep_early(const struct arrival *in, struct leg *leg, bool rtcp)
{
    struct early *early = &leg->early[rtcp];
    uint8_t *copy = malloc(in->size);
    if (!copy)
        return;
    memcpy(copy, in->data, in->size);
    free(early->data);
    *early = (struct early){.from = *in->from, .data = copy, .size = in->size};
}

void receive_early(struct mcu_plane *plane, struct leg *leg)
{
    for (int rtcp = 0; rtcp < 2; rtcp++) {
        struct early *early = &leg->early[rtcp];
        const struct arrival in = {
            .plane = plane, .from = &early->from, .data = early->data, .size = early->size};
        if (!early->data || !ports_here(&in, leg, rtcp))
            continue;
        receive_dtls(&in, leg, rtcp, 0);
        free(early->data);
        early->data = NULL;
    }
}

/* Its number; a new one takes the place of the oldest. */
static int number_of(struct leg *leg, bool rtcp, const union udp_address *from)
{
    struct greeted *all = leg->greeted[rtcp];
    for (int i = 0; i < GREETED; i++)
        if (all[i].number && udp_address_equal(&all[i].from, from))
            return all[i].number;
    const int number = ++leg->greeted_last[rtcp];
    all[number % GREETED] = (struct greeted){.number = number, .from = *from};
    return number;
}

/* Whether it may be the far end's own, from behind a NAT: until there are keys, and where no
 * checks tell. */
static bool may_greet(const struct leg *leg, bool rtcp)
{
    const bool checks = leg->ice[0].ufrag[0] || leg->ice[1].ufrag[0];
    return leg->connected && !checks && !(rtcp ? leg->rtcp_receiving : leg->receiving) &&
           !(rtcp && leg->muxed) && leg->greeted_said < GREETED_MOST;
}

/* It is taken from where signalling, or a check of ICE, says; from elsewhere it proves nothing
 * yet, and is numbered. */
static void receive_greeting(const struct arrival *in, struct leg *leg, bool rtcp)
{
    if (leg->secret && ports_here(in, leg, rtcp)) {
        receive_dtls(in, leg, rtcp, 0);
    } else if (leg->secret && may_greet(leg, rtcp)) {
        leg->greeted_said++;
        receive_dtls(in, leg, rtcp, number_of(leg, rtcp, in->from));
    } else if (leg->secret && !leg->connected) {
        keep_early(in, leg, rtcp);
    } else {
        plane_drop(in->plane, leg, MCU_DROP_STRANGER);
    }
}

static const struct greeted *greeted_by(const struct leg *leg, bool rtcp, int number)
{
    const struct greeted *one = &leg->greeted[rtcp][(unsigned)number % GREETED];
    return !leg->webrtc && number > 0 && one->number == number ? one : NULL;
}

int mcu_plane_answer_greeting(struct mcu_plane *plane, int handle, bool rtcp, int number,
                              const uint8_t *data, size_t size)
{
    struct udp_batch batch;
    batch.count = 0;
    plane_lock(plane);
    const struct leg *leg = plane_leg(plane, handle);
    const struct greeted *one = leg ? greeted_by(leg, rtcp, number) : NULL;
    const int why = !one ? ENOENT : size > MCU_DATAGRAM_OUT ? EINVAL : 0;
    if (!why) {
        memcpy(udp_next(&batch), data, size);
        udp_add(&batch, rtcp ? leg->rtcp_socket : leg->socket, &one->from, size, handle);
    }
    plane_unlock(plane);
    plane_flush(plane, &batch, NULL);
    errno = why;
    return why ? -1 : 0;
}

int mcu_plane_believe(struct mcu_plane *plane, int handle, bool rtcp, int number)
{
    plane_lock(plane);
    struct leg *leg = plane_leg(plane, handle);
    const struct greeted *one = leg ? greeted_by(leg, rtcp, number) : NULL;
    if (one) {
        if (!rtcp)
            leg->remote = one->from;
        if (rtcp || leg->muxed)
            leg->rtcp_remote = one->from;
        leg->authentic_at = leg->heard_at = plane_now();
        leg->silent = false;
    }
    plane_unlock(plane);
    errno = one ? 0 : ENOENT;
    return one ? 0 : -1;
}

/* -- all -- */

void receive_own(const struct arrival *in, struct leg *leg, bool rtcp)
{
    const enum mcu_datagram kind = mcu_demux(in->data, in->size);
    if (leg->across)
        relay_receive(in, leg, rtcp);
    else if (in->size <= MCU_DATAGRAM && kind == MCU_IS_STUN)
        ice_receive(in, leg);
    else if (in->size <= MCU_DATAGRAM && kind == MCU_IS_DTLS)
        receive_greeting(in, leg, rtcp);
    else if (!may_come(in, leg, rtcp))
        plane_drop(in->plane, leg, MCU_DROP_STRANGER);
    else if (in->size > MCU_DATAGRAM || (kind != MCU_IS_RTP && kind != MCU_IS_RTCP) ||
             (rtcp && kind == MCU_IS_RTP))
        plane_drop(in->plane, leg, MCU_DROP_DATAGRAM);
    else
        receive_media(in, leg, kind);
}
