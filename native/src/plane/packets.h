/* What the packet thread's files share: one datagram on its way in, and what it leads to. All
 * of it is called with the plane's lock held. */
#ifndef MCU_PLANE_PACKETS_H
#define MCU_PLANE_PACKETS_H

#include "internal.h"

#include <mcu/demux.h>

#define MOVES_AFTER_US                                                                        \
    500000           /* a leg's address that is silent for so long yields to another one */
#define SKIP_MOST 63 /* packets of sound that are skipped before one is decrypted */
#define SKIP_FURTHEST                                                                         \
    3000 /* what is further from the last authentic packet is decrypted before it counts */
#define SAYS_MOST                                                                             \
    100 /* events a second that a leg's reports, requests, keys and moves make,               \
           and as many of DTLS */
#define GREETED_MOST 20 /* DTLS a second of a leg from where it has not said that it is */
#define NACKS_MOST 1000 /* items of NACKs a second of a leg, of 17 packets at most */
#define RESEND_ROOM 32  /* datagrams that one that came may lead to */

struct arrival {
    struct mcu_plane *plane;
    struct udp_socket *socket;
    const union udp_address *from;
    uint8_t *data;
    size_t size;
    int64_t now;
    struct udp_batch *out; /* has RESEND_ROOM */
};

/* ice.c: a STUN message came; `own`: to a port of this leg's own. */
void ice_receive(const struct arrival *in, const struct leg *own);

/* leg.c: something authentic came, or from where a plain leg is: consent, and where a leg with
 * ports of its own is now. */
void leg_authentic(struct leg *leg, const struct arrival *in);
/* Whether it came from where the leg is. */
bool leg_here(const struct leg *leg, const struct arrival *in);

/* leg.c: each second: says MCU_EVENT_SILENT when it is time. */
void leg_consent(struct mcu_plane *plane, struct leg *leg, int64_t now);

/* receive.c: a datagram came on one of the plane's own sockets; and what it is, of whichever
 * leg. */
void receive_shared(const struct arrival *in);
void receive_media(const struct arrival *in, struct leg *leg, enum mcu_datagram kind);
/* `greeted`: the number of where it is from, if not from where the leg is; else 0. */
void receive_dtls(const struct arrival *in, struct leg *leg, bool rtcp, int greeted);

/* receive_own.c: a datagram came on a leg's own port. */
void receive_own(const struct arrival *in, struct leg *leg, bool rtcp);
/* It is known where the leg is: DTLS that came from there before is handed over. */
void receive_early(struct mcu_plane *plane, struct leg *leg);
/* relay.c: likewise, on one of a pair. */
void relay_receive(const struct arrival *in, struct leg *leg, bool rtcp);

/* receive_audio.c, receive_video.c: a packet of a stream, header taken apart, not decrypted.
 */
struct mcu_rtp;
void receive_audio(const struct arrival *in, struct leg *leg, struct in_stream *stream,
                   struct mcu_rtp *packet);
void receive_video(const struct arrival *in, struct leg *leg, struct in_stream *stream,
                   struct mcu_rtp *packet);
/* Decrypts a packet in place, where the leg has keys, and takes its padding off. false: it is
 * not authentic or malformed; that is counted. */
bool receive_open(const struct arrival *in, struct leg *leg, struct mcu_rtp *packet);
/* Whether a packet of a stream that nobody hears or sees now can be counted without being
 * decrypted. One in 64 is decrypted all the same, and whatever would move the sequence numbers
 * far, so that nothing but authentic packets carries them on. */
bool receive_may_skip(const struct arrival *in, const struct leg *leg,
                      const struct in_stream *stream, const struct mcu_rtp *packet);
/* Counts it so. */
void receive_skipped(const struct arrival *in, struct leg *leg, struct in_stream *stream,
                     const struct mcu_rtp *packet);
/* The stream's packets are of this SSRC now. true: of another one than before. */
bool receive_latch(struct in_stream *stream, uint32_t ssrc);

/* rtcp_in.c */
void rtcp_receive(const struct arrival *in, struct leg *leg);
/* rtcp_out.c. `out` has room for one datagram each. */
void rtcp_report(struct leg *leg, struct udp_batch *out, int64_t now);
void rtcp_limit(struct leg *leg, struct udp_batch *out);
/* Answers a TMMBR for one of our streams (RFC 5104 section 4.2.2). */
void rtcp_notify(struct leg *leg, struct udp_batch *out, const struct mcu_rtcp_event *asked);
/* When the leg's packets arrived (mcu/feedback.h), as far as it is not reported yet. */
void rtcp_arrivals(struct leg *leg, struct udp_batch *out, int64_t now);
/* The leg is being removed: its streams end. */
void rtcp_bye(struct leg *leg, struct udp_batch *out);
/* What a stream of video misses: NACK; PLI or FIR; if it is time for that. */
void rtcp_ask_missing(struct leg *leg, struct in_stream *stream, struct udp_batch *out,
                      int64_t now);
void rtcp_ask_key(struct mcu_plane *plane, struct leg *leg, struct in_stream *stream,
                  struct udp_batch *out, int64_t now);
/* A 64-bit NTP time (RFC 3550 section 4), of now. */
uint64_t rtcp_ntp(void);

/* Says something that the far end caused: SAYS_MOST in a second, what is more is dropped. */
void leg_say(struct mcu_plane *plane, struct leg *leg, const struct mcu_event *event);

/* layers.c: the pictures of which layers are handed out, and which layers come. */
/* Whether the layer's packets are put together. */
bool layers_wanted(const struct leg *leg, const struct in_stream *stream);
/* A whole picture of a wanted layer: whether it is handed out. Switches at the first of a
 * layer, which is a key frame. */
bool layers_give(struct mcu_plane *plane, struct leg *leg, const struct in_stream *stream,
                 const struct mcu_picture *picture);
/* The layer's key frames have this size; those of the others follow in proportion. */
void layers_sized(struct leg *leg, struct in_stream *stream, uint32_t width, uint32_t height);
/* A packet of the layer came: says which layers come where that has changed. */
void layers_came(const struct arrival *in, struct leg *leg, struct in_stream *stream,
                 bool ends_picture);

/* receive_video.c: gives what is complete, asks for what is missing. */
void video_advance(struct mcu_plane *plane, struct leg *leg, struct in_stream *stream,
                   struct udp_batch *out, int64_t now);

#endif
