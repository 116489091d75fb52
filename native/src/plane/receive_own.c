/* What comes to a leg's own ports: from where it may come, and what of it is looked at. */
#include "packets.h"
#include "ports.h"

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
        receive_dtls(&in, leg, rtcp);
        free(early->data);
        early->data = NULL;
    }
}

/* It is taken from where signalling, or a check of ICE, says alone: whoever else greets us is
 * nobody. */
static void receive_greeting(const struct arrival *in, struct leg *leg, bool rtcp)
{
    if (leg->secret && ports_here(in, leg, rtcp))
        receive_dtls(in, leg, rtcp);
    else if (leg->secret && !leg->connected)
        keep_early(in, leg, rtcp);
    else
        plane_drop(in->plane, leg, MCU_DROP_STRANGER);
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
