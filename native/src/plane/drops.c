/* What was dropped, and why. */
#include "leg.h"

const char *mcu_drop_name(enum mcu_drop drop)
{
    static const char *const names[MCU_DROPS] = {
        [MCU_DROP_STRANGER] = "stranger",
        [MCU_DROP_STUN_MALFORMED] = "stun_malformed",
        [MCU_DROP_STUN_UNKNOWN] = "stun_unknown",
        [MCU_DROP_STUN_FORGED] = "stun_forged",
        [MCU_DROP_DATAGRAM] = "datagram",
        [MCU_DROP_DTLS] = "dtls",
        [MCU_DROP_RTP_MALFORMED] = "rtp_malformed",
        [MCU_DROP_RTP_UNKNOWN] = "rtp_unknown",
        [MCU_DROP_RTP_NO_KEYS] = "rtp_no_keys",
        [MCU_DROP_SRTP] = "srtp",
        [MCU_DROP_RTCP_MALFORMED] = "rtcp_malformed",
        [MCU_DROP_SKIPPED] = "skipped",
        [MCU_DROP_LATE] = "late",
        [MCU_DROP_DUPLICATE] = "duplicate",
        [MCU_DROP_MALFORMED] = "malformed",
        [MCU_DROP_OVERFLOW] = "overflow",
        [MCU_DROP_PICTURE] = "picture",
        [MCU_DROP_EVENT] = "event",
        [MCU_DROP_UNSENT] = "unsent",
        [MCU_DROP_TICK] = "tick",
        [MCU_DROP_ENCODE] = "encode",
        [MCU_DROP_CONNECTION] = "connection",
        [MCU_DROP_SLOW] = "slow_connection",
        [MCU_DROP_PACED] = "paced",
    };
    return (unsigned)drop < MCU_DROPS ? names[drop] : "unknown";
}

void plane_drop(struct mcu_plane *plane, struct leg *leg, enum mcu_drop why)
{
    plane->drops[why]++;
    if (leg)
        leg->drops[why]++;
}

static void add_hearing(const struct mcu_hearing *hearing, uint64_t drops[MCU_DROPS])
{
    static const enum mcu_drop reasons[MCU_HEARING_DROPS] = {
        [MCU_HEARING_LATE] = MCU_DROP_LATE,
        [MCU_HEARING_DUPLICATE] = MCU_DROP_DUPLICATE,
        [MCU_HEARING_MALFORMED] = MCU_DROP_MALFORMED,
        [MCU_HEARING_OVERFLOW] = MCU_DROP_OVERFLOW,
    };
    for (int i = 0; i < MCU_HEARING_DROPS; i++)
        drops[reasons[i]] += mcu_hearing_stats(hearing)->drops[i];
}

static void add_frames(const struct mcu_frames *frames, uint64_t drops[MCU_DROPS])
{
    static const enum mcu_drop reasons[MCU_FRAMES_DROPS] = {
        [MCU_FRAMES_DUPLICATE] = MCU_DROP_DUPLICATE,
        [MCU_FRAMES_LATE] = MCU_DROP_LATE,
        [MCU_FRAMES_MALFORMED] = MCU_DROP_MALFORMED,
        [MCU_FRAMES_TOO_FAR] = MCU_DROP_OVERFLOW,
        [MCU_FRAMES_TOO_LARGE] = MCU_DROP_PICTURE,
        [MCU_FRAMES_INCOMPLETE] = MCU_DROP_PICTURE,
        [MCU_FRAMES_NO_KEY] = MCU_DROP_PICTURE,
    };
    for (int i = 0; i < MCU_FRAMES_DROPS; i++)
        drops[reasons[i]] += mcu_frames_drops(frames)[i];
}

void leg_part_drops(const struct leg *leg, uint64_t drops[MCU_DROPS])
{
    for (const struct in_stream *stream = NULL; (stream = plane_next_in(leg, stream));) {
        if (stream->sound)
            add_hearing(stream->sound->hearing, drops);
        if (stream->frames)
            add_frames(stream->frames, drops);
    }
}
