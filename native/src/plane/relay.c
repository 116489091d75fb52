/* Pairs of legs with ports of their own, each of which sends on what comes to the other. */
#include "legs.h"
#include "packets.h"
#include "ports.h"

#include <mcu/demux.h>

#include <errno.h>
#include <string.h>

static void pair(struct mcu_plane *plane, const struct mcu_relay_side sides[2])
{
    plane_lock(plane);
    for (int i = 0; i < 2; i++) {
        struct leg *leg = plane_leg(plane, sides[i].leg);
        if (leg)
            leg->across = sides[1 - i].leg;
    }
    plane_unlock(plane);
}

int mcu_plane_add_relay(struct mcu_plane *plane, const struct sockaddr *one,
                        const struct sockaddr *other, struct mcu_relay_side sides[2])
{
    const struct sockaddr *const locals[2] = {one, other};
    struct mcu_relay_side made[2];
    for (int i = 0; i < 2; i++) {
        made[i].leg = ports_add(plane, ports_local(plane, locals[i]), &made[i].rtp_port,
                                &made[i].rtcp_port);
        if (made[i].leg < 0) {
            const int why = errno;
            if (i)
                mcu_plane_remove(plane, made[0].leg);
            errno = why;
            return -1;
        }
    }
    pair(plane, made);
    memcpy(sides, made, sizeof made);
    return 0;
}

/* Whether the far end encrypted it: in a copy, for what goes on is what came. */
static bool is_authentic(const struct arrival *in, const struct leg *leg,
                         enum mcu_datagram kind)
{
    uint8_t copy[MCU_DATAGRAM];
    size_t size = in->size;
    memcpy(copy, in->data, size);
    if (kind == MCU_IS_RTP)
        return mcu_srtp_unprotect(leg->receiving, copy, &size) == 0;
    return kind == MCU_IS_RTCP && mcu_srtp_unprotect_rtcp(leg->receiving, copy, &size) == 0;
}

static bool is_relayed(enum mcu_datagram kind)
{
    return kind == MCU_IS_RTP || kind == MCU_IS_RTCP || kind == MCU_IS_DTLS;
}

/* Of what comes from where the leg is known to be, nothing is looked into. */
static bool is_from_leg(const struct arrival *in, struct leg *leg, bool rtcp,
                        enum mcu_datagram kind)
{
    if (ports_here(in, leg, rtcp))
        return true;
    const bool is_elsewhere = leg->receiving && in->now - leg->came_at[rtcp] >= MOVES_AFTER_US;
    if (is_elsewhere && is_authentic(in, leg, kind))
        return true;
    plane_drop(in->plane, leg, is_elsewhere ? MCU_DROP_SRTP : MCU_DROP_STRANGER);
    return false;
}

void relay_receive(const struct arrival *in, struct leg *leg, bool rtcp)
{
    const enum mcu_datagram kind = mcu_demux(in->data, in->size);
    if (in->size > MCU_DATAGRAM || !is_relayed(kind)) {
        plane_drop(in->plane, leg, MCU_DROP_DATAGRAM);
        return;
    }
    if (!is_from_leg(in, leg, rtcp, kind))
        return;
    leg_authentic(leg, in);
    leg->came_at[rtcp] = in->now;
    const struct leg *to = plane_leg(in->plane, leg->across);
    if (!to || !to->connected) {
        plane_drop(in->plane, leg, MCU_DROP_RTP_UNKNOWN);
        return;
    }
    memcpy(udp_next(in->out), in->data, in->size);
    udp_add(in->out, rtcp ? to->rtcp_socket : to->socket,
            rtcp ? &to->rtcp_remote : &to->remote, in->size, to->handle);
}
