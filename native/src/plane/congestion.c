#include "congestion.h"

#include "packets.h"
#include "send.h"

#include <stdlib.h>

#define UDP_IPV4 28 /* bytes of headers below RTP's */
#define UDP_IPV6 48
#define REPORTS_MOST 50 /* that are read in a second */

/* Reports of arrivals: when so many came, or after so long; less often of sound alone, so that
 * they are a twentieth of what they report on. */
#define REPORT_PACKETS 16
#define REPORT_PICTURES_US 100000
#define REPORT_SOUND_US 250000

#define SAY_CHANGE 0.06 /* of what was said last */
#define SAY_LOWER_US 100000
#define SAY_HIGHER_US 300000

bool congestion_needed(const struct out_stream *out, const struct in_stream *in)
{
    const bool pictures = out && out->source != MCU_AUDIO;
    return pictures || (out && out->options.extensions.sequence) ||
           (in && in->options.extensions.sequence);
}

struct congestion *congestion_new(void)
{
    struct congestion *congestion = calloc(1, sizeof *congestion);
    if (!congestion)
        return NULL;
    congestion->said = CONGESTION_START;
    congestion->estimate = mcu_estimate_new(CONGESTION_START);
    if (congestion->estimate)
        return congestion;
    free(congestion);
    return NULL;
}

void congestion_free(struct congestion *congestion)
{
    if (congestion)
        mcu_estimate_free(congestion->estimate);
    free(congestion);
}

/* -- what came -- */

void congestion_arrived(struct leg *leg, const struct mcu_rtp *packet, bool authentic,
                        int64_t now)
{
    if (leg->congestion && packet->has_wide_sequence)
        mcu_arrived_note(&leg->congestion->arrived, packet->wide_sequence, authentic, now);
}

int congestion_feedback(struct leg *leg, const uint8_t *body, size_t size, int64_t now)
{
    struct congestion *congestion = leg->congestion;
    if (!congestion || congestion->reports++ >= REPORTS_MOST)
        return 0;
    if (list_has(&congestion->paced)) /* there may be room now */
        congestion->wake = now;
    return mcu_estimate_feedback(congestion->estimate, body, size, now);
}

static bool report_due(const struct leg *leg, int64_t now)
{
    const struct mcu_arrived *arrived = &leg->congestion->arrived;
    const int64_t since = now - arrived->reported_at;
    if (!arrived->waiting)
        return false;
    const bool pictures = leg->in[MCU_CAMERA] || leg->in[MCU_SCREEN];
    return arrived->waiting >= REPORT_PACKETS ||
           since >= (pictures ? REPORT_PICTURES_US : REPORT_SOUND_US);
}

/* -- what goes -- */

void congestion_sent(struct leg *leg, const struct out_stream *stream, size_t size,
                     size_t payload, int64_t now)
{
    struct congestion *congestion = leg->congestion;
    if (!congestion)
        return;
    const bool sound = stream->source == MCU_AUDIO;
    size += leg->remote.any.sa_family == AF_INET6 ? UDP_IPV6 : UDP_IPV4;
    if (stream->numbered)
        mcu_estimate_sent(congestion->estimate, size, sound, now);
    else
        mcu_estimate_unnumbered(congestion->estimate, size, size - payload, sound, now);
    if (sound)
        mcu_pace_sound(&congestion->pace, now);
    else
        mcu_pace_spend(&congestion->pace, size);
}

void congestion_left(struct leg *leg, uint16_t number, int64_t now)
{
    if (leg->congestion)
        mcu_estimate_left(leg->congestion->estimate, number, now);
}

/* -- what is said -- */

/* What pictures may take, where it has become less, or more, by enough to be said so long
 * after the last time; INT64_MAX: never. */
static void say(struct mcu_plane *plane, struct leg *leg, int64_t lower, int64_t higher,
                int64_t now)
{
    struct congestion *congestion = leg->congestion;
    struct mcu_line line;
    if (!leg->out[MCU_CAMERA] && !leg->out[MCU_SCREEN])
        return;
    mcu_estimate_line(congestion->estimate, &line, now);
    const double change = SAY_CHANGE * congestion->said;
    const double off = (double)line.pictures - congestion->said;
    const int64_t since = now - congestion->said_at;
    if ((off > -change || since < lower) && (off < change || since < higher))
        return;
    congestion->said = line.pictures;
    congestion->said_at = now;
    plane_say(plane, MCU_EVENT_BANDWIDTH, leg->handle, line.pictures);
}

void congestion_say_lower(struct mcu_plane *plane, struct leg *leg, int64_t now)
{
    if (leg->congestion)
        say(plane, leg, 0, INT64_MAX, now);
}

void congestion_turn(struct mcu_plane *plane, struct leg *leg, struct udp_batch *out,
                     int64_t now)
{
    struct congestion *congestion = leg->congestion;
    if (!congestion || !send_ready(leg))
        return;
    if (report_due(leg, now))
        rtcp_arrivals(leg, out, now);
    mcu_estimate_tick(congestion->estimate, now);
    if (mcu_estimate_probes(congestion->estimate))
        paced_wake(plane, congestion, now);
    say(plane, leg, SAY_LOWER_US, SAY_HIGHER_US, now);
}
