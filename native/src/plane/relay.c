/* Pairs of legs with ports of their own, each of which sends on what comes to the other: as it
 * came, or opened. */
#include "legs.h"
#include "opened.h"
#include "packets.h"
#include "ports.h"

#include <errno.h>
#include <string.h>

/* false: no memory. */
static bool pair(struct mcu_plane *plane, const struct mcu_relay_side sides[2], bool opened)
{
    bool whole = true;
    plane_lock(plane);
    for (int i = 0; i < 2; i++) {
        struct leg *leg = plane_leg(plane, sides[i].leg);
        if (!leg)
            continue;
        leg->across = sides[1 - i].leg;
        leg->opened = opened ? opened_new() : NULL;
        whole = whole && (leg->opened || !opened);
    }
    plane_unlock(plane);
    return whole;
}

static int give_up(struct mcu_plane *plane, const struct mcu_relay_side *made, int count,
                   int why)
{
    while (count)
        mcu_plane_remove(plane, made[--count].leg);
    errno = why;
    return -1;
}

int mcu_plane_add_relay(struct mcu_plane *plane, const struct sockaddr *one,
                        const struct sockaddr *other, bool opened,
                        struct mcu_relay_side sides[2])
{
    const struct sockaddr *const locals[2] = {one, other};
    struct mcu_relay_side made[2];
    for (int i = 0; i < 2; i++) {
        made[i].leg = ports_add(plane, ports_local(plane, locals[i]), &made[i].rtp_port,
                                &made[i].rtcp_port);
        if (made[i].leg < 0)
            return give_up(plane, made, i, errno);
    }
    if (!pair(plane, made, opened))
        return give_up(plane, made, 2, ENOMEM);
    memcpy(sides, made, sizeof made);
    return 0;
}

static bool is_relayed(const struct leg *leg, enum mcu_datagram kind)
{
    return kind == MCU_IS_RTP || kind == MCU_IS_RTCP || (kind == MCU_IS_DTLS && !leg->opened);
}

/* Decrypts it where it goes on encrypted anew; else what came goes on. */
static bool is_authentic(const struct arrival *in, struct leg *leg, enum mcu_datagram kind,
                         uint8_t *data, size_t *size)
{
    if ((kind != MCU_IS_RTP && kind != MCU_IS_RTCP) || !opened_take(leg, kind, data, size))
        return false;
    if (!leg->opened)
        memcpy(data, in->data, *size = in->size);
    return true;
}

/* Puts what goes on of it there: what came, or what was encrypted in it. Where the leg is not
 * opened, nothing is looked into of what comes from where it is known to be. */
static bool take(const struct arrival *in, struct leg *leg, bool rtcp, enum mcu_datagram kind,
                 uint8_t *data, size_t *size)
{
    const bool here = ports_here(in, leg, rtcp);
    const bool moves =
        !here && leg->receiving && in->now - leg->came_at[rtcp] >= MOVES_AFTER_US;
    enum mcu_drop why = MCU_DROPS;
    *size = in->size;
    if (in->size > MCU_DATAGRAM || !is_relayed(leg, kind))
        why = MCU_DROP_DATAGRAM;
    else if (!here && !moves)
        why = MCU_DROP_STRANGER;
    else
        memcpy(data, in->data, in->size);
    if (why == MCU_DROPS && (moves || leg->opened) && !is_authentic(in, leg, kind, data, size))
        why = leg->receiving ? MCU_DROP_SRTP : MCU_DROP_RTP_NO_KEYS;
    if (why != MCU_DROPS)
        plane_drop(in->plane, leg, why);
    return why == MCU_DROPS;
}

void relay_receive(const struct arrival *in, struct leg *leg, bool rtcp)
{
    const enum mcu_datagram kind = mcu_demux(in->data, in->size);
    uint8_t *data = udp_next(in->out);
    size_t size;
    if (!take(in, leg, rtcp, kind, data, &size))
        return;
    leg_authentic(leg, in);
    leg->came_at[rtcp] = in->now;
    const struct leg *to = plane_leg(in->plane, leg->across);
    if (!to || !to->connected) {
        plane_drop(in->plane, leg, MCU_DROP_RTP_UNKNOWN);
        return;
    }
    if (leg->opened && !opened_give(leg, to, kind, data, &size)) {
        plane_drop(in->plane, leg,
                   to->sending ? MCU_DROP_RTP_MALFORMED : MCU_DROP_RTP_NO_KEYS);
        return;
    }
    udp_add(in->out, rtcp ? to->rtcp_socket : to->socket,
            rtcp ? &to->rtcp_remote : &to->remote, size, to->handle);
}
