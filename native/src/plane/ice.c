/* ICE-lite (RFC 8445 section 2.5): checks are answered, never sent. What a check proves is
 * where its leg is. */
#include "leg.h"
#include "legs.h"
#include "link.h"
#include "packets.h"

#include <errno.h>
#include <string.h>

/* An address that another leg proved is not taken from it while that leg is there: whoever may
 * join could else name anybody's address as the source of a check. */
#define HELD_FOR_US 2000000

/* What a check must name: our ufrag, a colon, theirs. `own`: the leg whose port it came to;
 * NULL: it came to the one that all browsers share. */
static struct leg *named(struct mcu_plane *plane, const struct leg *own,
                         const struct mcu_stun *check, int *credentials)
{
    const char *colon =
        check->username ? memchr(check->username, ':', check->username_size) : NULL;
    if (!colon)
        return NULL;
    const size_t size = (size_t)(colon - check->username);
    struct leg *leg =
        size ? legs_named(plane->legs, check->username, size, credentials) : NULL;
    return leg && (own ? leg == own : leg->webrtc) ? leg : NULL;
}

static bool names_remote(const struct mcu_stun *check, const struct credentials *credentials)
{
    const size_t ours = strlen(credentials->ufrag) + 1;
    const size_t wanted = strlen(credentials->remote_ufrag);
    return !wanted || (check->username_size - ours == wanted &&
                       memcmp(check->username + ours, credentials->remote_ufrag, wanted) == 0);
}

static void refuse(const struct arrival *in, const struct leg *leg,
                   const struct mcu_stun *check, uint16_t code, const char *password)
{
    uint8_t *out = udp_next(in->out);
    const size_t size =
        mcu_stun_error(out, check, code, password, password ? strlen(password) : 0);
    udp_add(in->out, in->socket, in->from, size, leg->handle);
}

static void come_to(struct leg *leg, const struct arrival *in)
{
    udp_hold(in->socket);
    udp_drop(leg->socket);
    leg->socket = in->socket;
    leg->remote = *in->from;
}

/* A check with USE-CANDIDATE nominates its address, at once and for as long as none nominates
 * another. Without it, it still shows where a leg is that is no more where it was: a browser
 * whose network changed goes on checking before it nominates. */
static void locate(const struct arrival *in, struct leg *leg, bool nominates)
{
    const bool left = leg->connected &&
                      (in->now - leg->heard_at >= MOVES_AFTER_US || link_gone(leg->socket));
    if (!leg_here(leg, in) && (nominates || left || !leg->socket)) {
        come_to(leg, in);
        if (leg->connected)
            leg_say(in->plane, leg,
                    &(struct mcu_event){.kind = MCU_EVENT_MOVED, .leg = leg->handle});
    }
    if (nominates && !leg->connected) {
        leg->connected = true;
        plane_say(in->plane, MCU_EVENT_PROVED, leg->handle, 0);
    }
    leg_authentic(leg, in);
}

/* The same for a leg with ports of its own, each of which is a component (RFC 8445
 * section 5.1) and where its packets go to. */
static void locate_own(const struct arrival *in, struct leg *leg, bool nominates)
{
    const bool rtcp = in->socket == leg->rtcp_socket;
    union udp_address *remote = rtcp ? &leg->rtcp_remote : &leg->remote;
    const bool left = in->now - leg->heard_at >= MOVES_AFTER_US;
    if (nominates || left || !leg->connected)
        *remote = *in->from;
    if (udp_address_equal(remote, in->from)) {
        leg->authentic_at = leg->heard_at = in->now;
        leg->silent = false;
    }
    if (nominates && !rtcp && !leg->connected) {
        leg->connected = true;
        plane_say(in->plane, MCU_EVENT_PROVED, leg->handle, 0);
    }
    if (nominates && leg->connected)
        receive_early(in->plane, leg);
}

/* The credentials of a restart are in force: those before are no more. */
static void restarted(struct mcu_plane *plane, struct leg *leg)
{
    legs_unname(plane->legs, leg, leg->ice[0].ufrag);
    leg->ice[0] = leg->ice[1];
    memset(&leg->ice[1], 0, sizeof leg->ice[1]);
}

static void proved(const struct arrival *in, struct leg *leg, const struct mcu_stun *check,
                   int credentials)
{
    const struct leg *holder = legs_proved(in->plane->legs, in->socket, in->from);
    if (holder && holder != leg && in->now - holder->heard_at < HELD_FOR_US) {
        plane_drop(in->plane, leg, MCU_DROP_STUN_FORGED);
        return;
    }
    if (in->socket->link && !link_make_room(in->socket))
        return;
    const char *password = leg->ice[credentials].password;
    uint8_t *out = udp_next(in->out);
    const size_t size =
        mcu_stun_success(out, check, &in->from->any, password, strlen(password));
    udp_add(in->out, in->socket, in->from, size, leg->handle);
    if (credentials == 1)
        restarted(in->plane, leg);
    if (!leg->webrtc) {
        locate_own(in, leg, check->use_candidate);
        return;
    }
    legs_prove(in->plane->legs, leg, in->socket, in->from);
    locate(in, leg, check->use_candidate);
}

/* A Binding request that names a leg of ours. Who names none is not answered at all. */
static void receive_check(const struct arrival *in, struct leg *leg,
                          const struct mcu_stun *check, int credentials)
{
    const struct credentials *ours = &leg->ice[credentials];
    if (!check->integrity) {
        plane_drop(in->plane, leg, MCU_DROP_STUN_FORGED);
        refuse(in, leg, check, 400, NULL);
    } else if (!names_remote(check, ours) ||
               !mcu_stun_verify(check, ours->password, strlen(ours->password))) {
        plane_drop(in->plane, leg, MCU_DROP_STUN_FORGED);
        refuse(in, leg, check, 401, NULL);
    } else if (check->unknown) {
        refuse(in, leg, check, 420, ours->password);
    } else if (check->has_controlled) { /* so are we, always: RFC 8445 section 7.3.1.1 */
        refuse(in, leg, check, 487, ours->password);
    } else {
        proved(in, leg, check, credentials);
    }
}

void ice_receive(const struct arrival *in, const struct leg *own)
{
    struct mcu_stun check;
    if (mcu_stun_parse(&check, in->data, in->size)) {
        plane_drop(in->plane, NULL, MCU_DROP_STUN_MALFORMED);
        return;
    }
    int credentials = 0;
    const bool request = check.class == MCU_STUN_REQUEST && check.method == 1;
    struct leg *leg = request ? named(in->plane, own, &check, &credentials) : NULL;
    if (leg)
        receive_check(in, leg, &check, credentials);
    else
        plane_drop(in->plane, NULL, MCU_DROP_STUN_UNKNOWN);
}

/* -- legs -- */

static bool set_credentials(struct credentials *to, const char *ufrag, const char *password,
                            const char *remote_ufrag)
{
    if (!ufrag[0] || strlen(ufrag) > MCU_UFRAG_MAX || strlen(password) > MCU_PASSWORD_MAX ||
        strlen(remote_ufrag) > MCU_UFRAG_MAX)
        return false;
    strcpy(to->ufrag, ufrag);
    strcpy(to->password, password);
    strcpy(to->remote_ufrag, remote_ufrag);
    return true;
}

int mcu_plane_add_webrtc(struct mcu_plane *plane, const char *ufrag, const char *password,
                         const char *remote_ufrag)
{
    struct leg *leg = leg_new(true);
    if (!leg || !set_credentials(&leg->ice[0], ufrag, password, remote_ufrag)) {
        errno = leg ? EINVAL : ENOMEM;
        leg_free(leg);
        return -1;
    }
    plane_lock(plane);
    const int handle = leg_begin(plane, leg);
    if (handle > 0)
        legs_name(plane->legs, leg, ufrag);
    plane_unlock(plane);
    if (handle < 0)
        leg_free(leg);
    return handle;
}

int mcu_plane_use_ice(struct mcu_plane *plane, int handle, bool muxed, const char *ufrag,
                      const char *password, const char *remote_ufrag)
{
    plane_lock(plane);
    struct leg *leg = plane_leg(plane, handle);
    if (leg && !leg->webrtc)
        leg->muxed = muxed;
    plane_unlock(plane);
    return mcu_plane_restart_ice(plane, handle, ufrag, password, remote_ufrag);
}

int mcu_plane_restart_ice(struct mcu_plane *plane, int handle, const char *ufrag,
                          const char *password, const char *remote_ufrag)
{
    struct credentials credentials;
    if (!set_credentials(&credentials, ufrag, password, remote_ufrag)) {
        errno = EINVAL;
        return -1;
    }
    plane_lock(plane);
    struct leg *leg = plane_leg(plane, handle);
    if (leg) {
        if (leg->ice[1].ufrag[0])
            legs_unname(plane->legs, leg, leg->ice[1].ufrag);
        leg->ice[1] = credentials;
        legs_name(plane->legs, leg, ufrag);
    }
    plane_unlock(plane);
    errno = leg ? 0 : ENOENT;
    return leg ? 0 : -1;
}
