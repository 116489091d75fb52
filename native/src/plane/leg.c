/* A leg's life. */
#include "leg.h"

#include "legs.h"
#include "opened.h"
#include "packets.h"
#include "ports.h"
#include "waiting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>

uint32_t leg_random(void)
{
    uint32_t value = 0;
    while (!value)
        if (getrandom(&value, sizeof value, 0) != sizeof value)
            value = 0;
    return value;
}

struct leg *leg_new(bool webrtc)
{
    struct leg *leg = calloc(1, sizeof *leg);
    if (!leg)
        return NULL;
    leg->webrtc = leg->muxed = leg->secret = webrtc;
    leg->rtt = -1;
    leg->ssrc = leg_random();
    for (int i = 0; i < MCU_SOURCES; i++)
        leg->choices[i] = (struct choice){.wanted = -1, .given = -1};
    return leg;
}

void leg_free(struct leg *leg)
{
    if (!leg)
        return;
    for (int i = 0; i < MCU_SOURCES; i++) {
        in_stream_free(leg->in[i]);
        out_stream_free(leg->out[i]);
    }
    congestion_free(leg->congestion);
    mcu_srtp_free(leg->sending);
    mcu_srtp_free(leg->receiving);
    mcu_srtp_free(leg->rtcp_sending);
    mcu_srtp_free(leg->rtcp_receiving);
    free(leg->early[0].data);
    free(leg->early[1].data);
    udp_drop(leg->socket);
    udp_drop(leg->rtcp_socket);
    free(leg->opened);
    explicit_bzero(leg->ice, sizeof leg->ice);
    free(leg);
}

int leg_begin(struct mcu_plane *plane, struct leg *leg)
{
    leg->authentic_at = leg->heard_at = plane_now();
    const int handle = legs_add(plane->legs, leg);
    if (handle < 0)
        errno = ENOSPC;
    else
        eventfd_write(plane->wake, 1); /* the packet thread may wait for nothing at all */
    return handle;
}

bool leg_here(const struct leg *leg, const struct arrival *in)
{
    return leg->socket == in->socket && udp_address_equal(&leg->remote, in->from);
}

void leg_authentic(struct leg *leg, const struct arrival *in)
{
    if (leg->webrtc && !leg_here(leg, in))
        return;
    leg->authentic_at = leg->heard_at = in->now;
    leg->silent = false;
    if (leg->webrtc)
        return;
    leg->connected = true;
    if (in->socket == leg->socket)
        leg->remote = *in->from;
    else
        leg->rtcp_remote = *in->from;
}

void leg_consent(struct mcu_plane *plane, struct leg *leg, int64_t now)
{
    const int64_t most = leg->webrtc ? MCU_CONSENT_US : plane->options.rtp_silent_us;
    leg->said = leg->dtls_said = leg->greeted_said = leg->nacked = 0;
    if (leg->congestion)
        leg->congestion->reports = 0;
    if (leg->silent || leg->held || leg->across || !leg->connected ||
        now - leg->authentic_at < most)
        return;
    leg->silent = true;
    plane_say(plane, MCU_EVENT_SILENT, leg->handle, 0);
}

void leg_say(struct mcu_plane *plane, struct leg *leg, const struct mcu_event *event)
{
    if (leg->said++ < SAYS_MOST)
        plane_event(plane, event);
    else
        plane_drop(plane, leg, MCU_DROP_EVENT);
}

/* -- streams -- */

/* Sound has no RTX: what is lost is recovered in band or concealed. */
static bool formats_known(const struct mcu_stream_options *options)
{
    const bool sound = options->source == MCU_AUDIO;
    const int codecs = sound ? MCU_AUDIO_CODECS : MCU_H264_MODE0 + 1;
    for (size_t i = 0; i < options->format_count; i++) {
        const struct mcu_format *format = &options->formats[i];
        if (format->codec < 0 || format->codec >= codecs || (sound && format->rtx))
            return false;
    }
    return true;
}

/* A simulcast is of pictures; its layers have names, all different. */
static bool layers_known(const struct mcu_stream_options *options)
{
    if (options->rid_count > (options->source == MCU_AUDIO ? 0 : MCU_LAYERS))
        return false;
    for (size_t i = 0; i < options->rid_count; i++) {
        const char *rid = options->rids[i];
        if (!rid[0] || !memchr(rid, 0, sizeof options->rids[i]))
            return false;
        for (size_t before = 0; before < i; before++)
            if (strcmp(rid, options->rids[before]) == 0)
                return false;
    }
    return true;
}

static int stream_error(const struct mcu_stream_options *options)
{
    const bool known = options->source < MCU_SOURCES && options->format_count >= 1 &&
                       options->format_count <= 8 && options->ssrc_count <= 4 &&
                       layers_known(options) && formats_known(options) &&
                       memchr(options->mid, 0, sizeof options->mid) &&
                       memchr(options->cname, 0, sizeof options->cname);
    return known ? 0 : EINVAL;
}

/* Gives the leg what it needs once. */
static void attach_congestion(struct mcu_plane *plane, struct leg *leg,
                              struct congestion **congestion)
{
    if (leg->congestion || !*congestion)
        return;
    leg->congestion = *congestion;
    leg->congestion->leg = leg->handle;
    plane->congested++;
    *congestion = NULL;
    eventfd_write(plane->wake, 1); /* the packet thread looks after it more often */
}

/* Puts what was made at the leg, and takes what is not needed back. */
static int attach(struct mcu_plane *plane, int handle, enum mcu_source source,
                  struct in_stream **in, struct out_stream **out)
{
    struct leg *leg = plane_leg(plane, handle);
    if (!leg)
        return ENOENT;
    if (leg->in[source] || leg->out[source])
        return EEXIST;
    size_t count = *out != NULL;
    for (struct in_stream *layer = *in; layer; layer = layer->next) {
        layer->leg = handle;
        count++;
    }
    if (plane->streams + count > MCU_PLANE_STREAMS)
        return ENOSPC;
    plane->streams += count;
    leg->in[source] = *in;
    leg->out[source] = *out;
    *in = NULL;
    *out = NULL;
    return 0;
}

int mcu_plane_add_stream(struct mcu_plane *plane, int handle,
                         const struct mcu_stream_options *options)
{
    errno = stream_error(options);
    if (errno)
        return -1;
    struct in_stream *in = options->receives ? in_stream_new(options) : NULL;
    struct out_stream *out = options->sends ? out_stream_new(options) : NULL;
    const bool needs = congestion_needed(out, in);
    struct congestion *congestion = needs ? congestion_new() : NULL;
    int why = ENOMEM;
    if ((in || !options->receives) && (out || !options->sends) && (congestion || !needs)) {
        plane_lock(plane);
        why = attach(plane, handle, options->source, &in, &out);
        if (!why)
            attach_congestion(plane, plane_leg(plane, handle), &congestion);
        plane_unlock(plane);
    }
    congestion_free(congestion);
    in_stream_free(in);
    out_stream_free(out);
    errno = why;
    return why ? -1 : 0;
}

/* -- keys -- */

/* The same keys again, as each re-INVITE brings them: their counters and replay window go on.
 * true: they are others. */
static bool use_key(struct mcu_srtp **now, struct mcu_srtp **fresh,
                    enum mcu_srtp_profile profile, const uint8_t *key)
{
    struct mcu_srtp *const before = *now;
    if (before && mcu_srtp_has(before, profile, key))
        return false;
    *now = *fresh;
    *fresh = before;
    return true;
}

static int set_keys(struct mcu_plane *plane, int handle, bool rtcp,
                    enum mcu_srtp_profile profile, const uint8_t *sending,
                    const uint8_t *receiving)
{
    if ((unsigned)profile >= MCU_SRTP_PROFILES) {
        errno = EINVAL;
        return -1;
    }
    struct mcu_srtp *out = mcu_srtp_new(profile, sending, true);
    struct mcu_srtp *in = mcu_srtp_new(profile, receiving, false);
    int why = out && in ? 0 : ENOMEM;
    plane_lock(plane);
    struct leg *leg = why ? NULL : plane_leg(plane, handle);
    if (leg) {
        use_key(rtcp ? &leg->rtcp_sending : &leg->sending, &out, profile, sending);
        if (use_key(rtcp ? &leg->rtcp_receiving : &leg->receiving, &in, profile, receiving) &&
            leg->opened)
            opened_forget(leg->opened);
    } else if (!why) {
        why = ENOENT;
    }
    plane_unlock(plane);
    mcu_srtp_free(out);
    mcu_srtp_free(in);
    errno = why;
    return why ? -1 : 0;
}

int mcu_plane_set_keys(struct mcu_plane *plane, int handle, enum mcu_srtp_profile profile,
                       const uint8_t *sending, const uint8_t *receiving)
{
    return set_keys(plane, handle, false, profile, sending, receiving);
}

int mcu_plane_set_rtcp_keys(struct mcu_plane *plane, int handle, enum mcu_srtp_profile profile,
                            const uint8_t *sending, const uint8_t *receiving)
{
    return set_keys(plane, handle, true, profile, sending, receiving);
}

/* -- the end -- */

/* What the leg shares with others, while they are locked out. What its parts counted is added
 * to the plane's sums, which outlive it. */
static void settle(struct mcu_plane *plane, struct leg *leg)
{
    leg_add_totals(leg, &plane->gone);
    if (leg->congestion) {
        plane->congested--;
        paced_wake(plane, leg->congestion, INT64_MAX);
    }
    for (struct in_stream *in = NULL; (in = plane_next_in(leg, in));) {
        plane->streams--;
        waiting_set(plane, in, false);
    }
    for (int i = 0; i < MCU_SOURCES; i++)
        if (leg->out[i]) {
            plane->streams--;
            out_stream_clear(leg->out[i]);
        }
}

int mcu_plane_remove(struct mcu_plane *plane, int handle)
{
    struct udp_batch batch;
    batch.count = 0;
    plane_lock(plane);
    struct leg *leg = plane_leg(plane, handle);
    if (leg) {
        sounding_leg_gone(plane, leg);
        ports_unwatch(plane, leg);
        rtcp_bye(leg, &batch);
        settle(plane, leg);
        legs_take(plane->legs, leg);
    }
    plane_unlock(plane);
    plane_flush(plane, &batch, NULL);
    leg_free(leg);
    errno = leg ? 0 : ENOENT;
    return leg ? 0 : -1;
}
