/* The media plane of one worker: its sockets, its legs, and two threads that need no Python.
 *
 * A browser's leg comes by UDP, or by TCP where its network lets nothing else pass (RFC 6544
 * passive candidates, RFC 4571 framing, with or without the false TLS greeting of
 * mcu/framing.h), and may move between them like between two addresses.
 *
 * The packet thread receives (epoll, recvmmsg), answers STUN, drops what has not proved
 * itself, decrypts, keeps RTCP, assembles pictures, and files audio packets at their legs. The
 * sound thread does, once a tick and when told, two steps: `mcu_plane_collect` decodes the
 * loudest legs of each room; `mcu_plane_send` encodes each stream that somebody listens to,
 * once for each codec in use, and sends it to all its listeners. The caller mixes in between.
 * Nothing is decided here of who may hear or be heard: a leg hears the stream it is routed to,
 * and starts on none.
 *
 * One mutex guards all legs and is held for a batch of packets or one leg's step, never while
 * something is encoded or a system call sleeps. Every function may be called from any thread
 * and none waits for the network. What the plane has to say is put in a bounded queue of
 * events; `mcu_plane_fd` is readable while there are any but a few MCU_EVENT_REPORT and
 * MCU_EVENT_LOSS, which wait for the next of another kind.
 *
 * Times are microseconds of CLOCK_MONOTONIC. Handles are positive and are not used again while
 * the plane lives. Functions that fail return -1, change nothing, and say why in errno: ENOENT
 * a handle that is gone; EINVAL a wrong argument; EEXIST what is there already; EAGAIN the
 * sound thread is too far behind; ENOSPC too many legs, streams, or ports in use; ENOMEM. */
#ifndef MCU_PLANE_H
#define MCU_PLANE_H

#include <mcu/codec.h>
#include <mcu/estimate.h>
#include <mcu/payload.h>
#include <mcu/rtp.h>
#include <mcu/srtp.h>

#include <netinet/in.h>

#define MCU_PLANE_LEGS 4096
#define MCU_PLANE_STREAMS 8192
#define MCU_PLANE_EVENTS                                                                      \
    4096 /* waiting at most; what is more is dropped and counted, pictures first */
#define MCU_PLANE_EVENT_BYTES (16 << 20) /* and this many bytes of them */
#define MCU_PLANE_BEFORE 16 /* DTLS datagrams of a leg that wait for the caller at most */
#define MCU_CONSENT_US                                                                        \
    5000000 /* a WebRTC leg that says nothing authentic for so long is lost */

struct mcu_plane;

struct mcu_plane_options {
    const struct sockaddr_storage
        *addresses; /* local addresses, one socket each, all with the same port */
    size_t address_count;
    uint16_t port;     /* 0: any that is free on all of them */
    uint16_t tcp_port; /* 0: the same number if it is free, else there is no TCP */
    uint16_t range_first, range_last; /* of legs with ports of their own; 0: none */
    int complexity, bits_per_second;  /* of the Opus that is sent */
    int64_t
        rtp_silent_us; /* a leg on ports of its own that says nothing for so long is lost */
    int loss_percent;  /* that its FEC is made for, to listeners who report any loss */
};

/* NULL with errno set where a socket cannot be had. Starts the threads. */
struct mcu_plane *mcu_plane_new(const struct mcu_plane_options *options);
/* Ends the threads and frees everything. */
void mcu_plane_free(struct mcu_plane *plane);
uint16_t mcu_plane_port(const struct mcu_plane *plane);
uint16_t mcu_plane_tcp_port(const struct mcu_plane *plane); /* 0: there is no TCP */
int mcu_plane_fd(const struct mcu_plane *plane);

/* -- events -- */

enum mcu_event_kind {
    MCU_EVENT_PROVED = 1, /* first authenticated check with USE-CANDIDATE: DTLS can begin */
    MCU_EVENT_MOVED,   /* an authenticated check from another address: the leg is there now */
    MCU_EVENT_SILENT,  /* nothing authentic for MCU_CONSENT_US or `rtp_silent_us`: the leg is
                          sent nothing until something comes */
    MCU_EVENT_DTLS,    /* data: a datagram from the proved or the remote address; a: 1: to
                          RTCP's own port, 0: all else; b: 0, or the number of where it is from,
                          which is elsewhere (mcu_plane_answer_greeting) */
    MCU_EVENT_PICTURE, /* a: source, b: us that it is to wait for its sound, c: RTP timestamp,
                          width, height (0 if unknown), key; data */
    MCU_EVENT_KEY_WANTED, /* a: source. PLI or FIR for what we send */
    MCU_EVENT_BANDWIDTH,  /* a: bit/s that pictures may take of the leg's line now
                             (mcu/estimate.h): where that has changed, ten times a second at
                             most. 2,000,000 before the first */
    MCU_EVENT_REPORT, /* on our audio: a: extended highest sequence number, b: lost so far */
    MCU_EVENT_LOSS, /* on a picture that we send, where it changed: a: source, b: 256ths of its
                       packets that were lost lately. 0 before the first */
    MCU_EVENT_DIGIT,  /* a: character of a DTMF key */
    MCU_EVENT_BYE,    /* RTCP BYE for the leg's audio */
    MCU_EVENT_UNSENT, /* a tick of sound could not be sent to a leg that is routed: a: the tick
                       */
    MCU_EVENT_LAYER,  /* of a simulcast: a: source, b: layer, c: 1: it comes, 0: it has stopped
                         while others come; width, height of its key frames, 0: not known */
    MCU_EVENT_KEY_UNASKED, /* a: source. A key frame is needed, and the far end understands
                              neither PLI nor FIR: its signalling may ask (RFC 5168) */
    MCU_EVENT_COLLECTED,   /* leg 0. a: the tick: mcu_plane_talkers has its samples; b: since
                              when */
};
struct mcu_event {
    enum mcu_event_kind kind;
    int leg;
    int64_t a, b, c;
    uint32_t width, height;
    bool key;
    uint8_t *data;
    size_t size;
};
/* Takes the oldest event: 1, or 0. Its data is the caller's to free. */
int mcu_plane_event(struct mcu_plane *plane, struct mcu_event *event);

/* -- legs -- */

enum mcu_source { MCU_AUDIO, MCU_CAMERA, MCU_SCREEN, MCU_SOURCES };
#define MCU_LAYERS 3 /* of a source that is received */

/* A browser's leg on the one port. Credentials as in SDP, terminated; ours are what its checks
 * must prove. */
int mcu_plane_add_webrtc(struct mcu_plane *plane, const char *ufrag, const char *password,
                         const char *remote_ufrag);
/* New credentials (ICE restart, RFC 8445 section 9): the old ones end when a check proves the
 * new. */
int mcu_plane_restart_ice(struct mcu_plane *plane, int leg, const char *ufrag,
                          const char *password, const char *remote_ufrag);
/* A leg with ports of its own from the range: RTP on an even one, RTCP on the next. Its
 * packets are taken from where `mcu_plane_set_remote` says only, or, with keys, from where one
 * that is authentic came. */
int mcu_plane_add_rtp(struct mcu_plane *plane, int family, uint16_t *rtp_port,
                      uint16_t *rtcp_port);
/* `rtcp` NULL: on the same port (RFC 5761). */
int mcu_plane_set_remote(struct mcu_plane *plane, int leg, const struct sockaddr *rtp,
                         const struct sockaddr *rtcp);
/* From now on nothing of a leg with ports of its own passes in the clear, and DTLS from where
 * its remote address is, or will turn out to be, is handed over. */
int mcu_plane_require_keys(struct mcu_plane *plane, int leg);
/* A leg with ports of its own has ICE, in place of mcu_plane_set_remote, or restarts it: where
 * it is, and where its RTCP, checks say, each to its own port; MCU_EVENT_PROVED when the first
 * is known. */
int mcu_plane_use_ice(struct mcu_plane *plane, int leg, bool muxed, const char *ufrag,
                      const char *password, const char *remote_ufrag);
/* A leg with ports of its own is on hold, or not: it is sent RTCP alone, and that nothing
 * comes of it for however long is no loss. */
int mcu_plane_hold(struct mcu_plane *plane, int leg, bool held);
/* Keys (master key, then salt) of both directions. Without them an RTP leg is plain, and a
 * WebRTC leg mute and deaf. A direction that has this key already goes on with its counters
 * and replay window: a nonce is never used twice, and no packet is taken twice. */
int mcu_plane_set_keys(struct mcu_plane *plane, int leg, enum mcu_srtp_profile profile,
                       const uint8_t *sending, const uint8_t *receiving);
/* The same for RTCP alone, where that has a DTLS association of its own (RFC 5764
 * section 4.1).
 */
int mcu_plane_set_rtcp_keys(struct mcu_plane *plane, int leg, enum mcu_srtp_profile profile,
                            const uint8_t *sending, const uint8_t *receiving);
int mcu_plane_remove(struct mcu_plane *plane, int leg);

/* Two legs with ports of their own, on two of the plane's addresses (their ports do not
 * matter), each of which sends on what comes to the other: RTP, RTCP and DTLS, by the like
 * port, as it came. Nothing of it is decrypted, and nothing of the plane's own is said to
 * either. Each takes packets from where `mcu_plane_set_remote` says alone; once
 * `mcu_plane_set_keys` was told with what its far end encrypts (`receiving`), also from where
 * an authentic one came, while nothing comes from where it should (RTP and RTCP each for
 * itself). Neither is ever told of as silent, and they are removed one by one.
 *
 * `opened`: nothing goes on as it came. RTP and RTCP, and nothing else, are decrypted by the
 * one leg's keys and encrypted by the other's, whose SSRCs are all made up; without the keys
 * of both nothing passes. Of a far end 32 SSRCs are known; what it sends by more is dropped.
 *
 * EINVAL: an address that is not the plane's. */
struct mcu_relay_side {
    int leg;
    uint16_t rtp_port, rtcp_port;
};
int mcu_plane_add_relay(struct mcu_plane *plane, const struct sockaddr *one,
                        const struct sockaddr *other, bool opened,
                        struct mcu_relay_side sides[2]);

struct mcu_format {
    uint8_t payload_type;
    int codec;   /* enum mcu_audio_codec or enum mcu_video_codec, by the stream's source */
    uint8_t rtx; /* its RTX payload type, 0: none */
};
struct mcu_stream_options {
    enum mcu_source source;
    char mid[MCU_MID_MAX + 1];    /* "": none */
    struct mcu_format formats[8]; /* that are received; the first is what is sent */
    size_t format_count;
    uint8_t dtmf;      /* payload type of telephone-event, 0: none */
    bool tones;        /* sound: a DTMF tone in it is a digit, for the far end has no events */
    uint32_t ssrcs[4]; /* that the offer announces (RTX ones too); packets are matched by mid,
                          SSRC, then payload type */
    size_t ssrc_count;
    struct mcu_rtp_extensions extensions;
    bool sends, receives;    /* ours */
    bool nack, pli, fir;     /* what the far end understands or sends */
    bool tmmbr;              /* it is asked for less by that (RFC 5104), not by REMB */
    uint32_t ssrc, rtx_ssrc; /* ours; 0: one is made up */
    char cname[64];
    uint32_t pixels_max;                    /* of a received key frame */
    char rids[MCU_LAYERS][MCU_MID_MAX + 1]; /* of the layers of a simulcast (RFC 8853), which
                                               packets name by `rid` and `repaired` */
    size_t rid_count; /* 0: no simulcast, the one layer that comes is number 0 */
};
/* Adds one of a leg's streams, before its keys or its remote address. EEXIST: there is one of
 * that source already. */
int mcu_plane_add_stream(struct mcu_plane *plane, int leg,
                         const struct mcu_stream_options *options);

/* MCU_DATAGRAM_OUT bytes at most, to where the leg is, or where its RTCP is that has a port of
 * its own. EINVAL: that is not known. */
int mcu_plane_send_dtls(struct mcu_plane *plane, int leg, bool rtcp, const uint8_t *data,
                        size_t size);
/* DTLS that came to a leg's own ports, before it has keys, from elsewhere than where it is
 * (MCU_EVENT_DTLS with `b`, the number of that place; the last four of each port are known) is
 * answered there by this; who answers sees to it that no stranger is sent more than it has
 * sent (RFC 6347 section 4.2.1). ENOENT: it is known no more. */
int mcu_plane_answer_greeting(struct mcu_plane *plane, int leg, bool rtcp, int number,
                              const uint8_t *data, size_t size);
/* Whoever is there has proved to be the far end: the leg is there from now on, by this port.
 */
int mcu_plane_believe(struct mcu_plane *plane, int leg, bool rtcp, int number);
/* One picture to many legs, on their stream of this source (the composed picture goes as
 * MCU_CAMERA, shared content on its own as MCU_SCREEN): cut once for each codec, sent with
 * each leg's own header and keys, by GSO where the kernel has it, as fast as each leg's line
 * takes it (mcu/pace.h). Returns how many of the legs have it whole or in line; legs that lost
 * a part get MCU_EVENT_KEY_WANTED of that source, and legs whose line had no room do when it
 * has.
 */
int mcu_plane_send_picture(struct mcu_plane *plane, enum mcu_source source, const int *legs,
                           size_t count, bool h264, const uint8_t *data, size_t size,
                           uint32_t timestamp, bool key);
/* Which layer of a camera or screen has its pictures handed out (MCU_EVENT_PICTURE); -1, which
 * is how each begins: none. Of a change, the former layer's pictures go on until a key frame
 * of the new one, which is asked for, is complete. What is not wanted is counted, but neither
 * decrypted nor put together, nor is anything of it asked for again; of a layer whose size is
 * not known the first key frame is looked at. `thin`: pictures of the highest temporal layer
 * (RFC 7741), every other one, are not handed out. EINVAL: there is no such layer. */
int mcu_plane_choose(struct mcu_plane *plane, int leg, enum mcu_source source, int layer,
                     bool thin);
/* Of a source that has a layer chosen. */
int mcu_plane_want_key(struct mcu_plane *plane, int leg, enum mcu_source source);
/* Asks for no more than this in all (REMB, or TMMBR for each source), now and with each
 * report. 0: no limit. */
int mcu_plane_limit(struct mcu_plane *plane, int leg, uint32_t bits_per_second);

/* There is use for so much in all on a leg's line: probes look for it (mcu/estimate.h). 0, as
 * at first: for no more than there is. */
int mcu_plane_aim(struct mcu_plane *plane, int leg, uint32_t bits_per_second);

/* -- sound -- */

/* A room: `loudest` legs are decoded at a time. */
int mcu_plane_add_room(struct mcu_plane *plane, int loudest);
int mcu_plane_remove_room(struct mcu_plane *plane, int room);
/* In which room a leg may be heard; 0: in none, and nothing of it is decoded. Only economy:
 * the caller decides in each tick whom it mixes. */
int mcu_plane_hear(struct mcu_plane *plane, int leg, int room);

/* A stream of sound that legs are routed to. `primed`: an encoder of it that starts while legs
 * come to it from another stream first encodes what they heard last, so that the change makes
 * no click. Never so for streams of those who are outside: nothing of the room may be in them.
 */
int mcu_plane_add_sound(struct mcu_plane *plane, bool primed);
/* Mixes of it that were given before are still sent. */
int mcu_plane_remove_sound(struct mcu_plane *plane, int sound);

/* Step one of a tick: decode, not before `at`; so no thread of the caller's has to wake for
 * it. MCU_EVENT_COLLECTED says when it is done. -1: the sound thread is more than
 * MCU_PLANE_BEHIND steps behind, the tick is counted as dropped. */
#define MCU_PLANE_BEHIND 4
int mcu_plane_collect(struct mcu_plane *plane, int64_t tick, int64_t at);

struct mcu_talker {
    int room, leg;
    int level; /* -dBov of its samples */
};
/* Who was decoded in the last collected tick, by room: copies at most `room` of them, and a
 * row of MCU_TICK samples for each, and returns how many there are. A leg that has just lost
 * its place among the loudest is in it once more and fades to nothing. Legs that are heard and
 * not in it are silent. */
size_t mcu_plane_talkers(struct mcu_plane *plane, struct mcu_talker *talkers, int16_t *samples,
                         size_t room);

struct mcu_mix {
    int sound;
    const int16_t *samples; /* MCU_TICK; copied */
};
struct mcu_route {
    int leg, sound; /* sound 0: nothing is sent, only time passes; -1: silence is sent */
};
/* Step two: from this tick on these legs hear these streams; then each stream's sound is
 * encoded and sent. A routed leg whose stream has no mix in this tick is sent nothing, and its
 * time passes. Legs and sounds that are gone are passed over; a leg that is routed to one
 * hears nothing. -1 as mcu_plane_collect; then the routes have not changed either. */
int mcu_plane_send(struct mcu_plane *plane, int64_t tick, const struct mcu_mix *mixes,
                   size_t mix_count, const struct mcu_route *routes, size_t route_count);
/* A tick that is let go: time passes for all, stale sound is dropped. */
int mcu_plane_skip(struct mcu_plane *plane, int64_t tick);
/* The extended sequence number of the last packet of sound that was sent to a leg; -1 with
 * errno 0: none yet. */
int64_t mcu_plane_sent_sequence(struct mcu_plane *plane, int leg);

/* -- counting -- */

/* One stream of a leg, one way. Sums since it began. */
struct mcu_stream_stats {
    enum mcu_source source;
    bool sending;
    int layer;               /* of a simulcast that is received */
    bool chosen;             /* its pictures are handed out */
    int codec;               /* -1: not known yet */
    uint64_t packets, bytes; /* RTP packets, and payload bytes */
    int64_t lost;            /* sending: as the far end reports */
    double loss;             /* of the last report interval, 0 … 1 */
    double jitter_ms;
    uint32_t width, height;   /* of the last key frame received */
    uint64_t frames;          /* pictures */
    uint64_t bits_per_second; /* of payload, in the last second that was looked at; and */
    double frame_rate;        /* pictures a second. 0 in the first one */
    uint64_t nacks, resent, keys_asked;
    uint64_t concealed_ms, recovered_ms;
    uint32_t delay_ms; /* of the jitter buffer */
};
enum mcu_drop { /* why packets and sound were dropped; names by mcu_drop_name */
                MCU_DROP_STRANGER, /* not STUN, from an address that has proved nothing */
                MCU_DROP_STUN_MALFORMED,
                MCU_DROP_STUN_UNKNOWN, /* a check for no leg of ours */
                MCU_DROP_STUN_FORGED,  /* MESSAGE-INTEGRITY is wrong */
                MCU_DROP_DATAGRAM,     /* of no protocol, or too long */
                MCU_DROP_DTLS, /* more than MCU_PLANE_BEFORE waiting, or 100 in a second */
                MCU_DROP_RTP_MALFORMED,
                MCU_DROP_RTP_UNKNOWN, /* of no stream that was agreed */
                MCU_DROP_RTP_NO_KEYS,
                MCU_DROP_SRTP, /* not authentic, or replayed */
                MCU_DROP_RTCP_MALFORMED,
                MCU_DROP_SKIPPED, /* what was not decrypted: nobody would have heard or seen
                                     it. Not an error */
                MCU_DROP_LATE,
                MCU_DROP_DUPLICATE,
                MCU_DROP_MALFORMED, /* audio that cannot be decoded */
                MCU_DROP_OVERFLOW,
                MCU_DROP_PICTURE, /* pictures that could not be completed, or were too large */
                MCU_DROP_EVENT,   /* the queue of events was full */
                MCU_DROP_UNSENT,  /* the socket did not take it */
                MCU_DROP_TICK,    /* the sound thread was too far behind */
                MCU_DROP_ENCODE,  /* an encoder refused */
                MCU_DROP_CONNECTION, /* TCP that no check proved: too many, for too long, too
                                        much said, or nothing of ours */
                MCU_DROP_SLOW,       /* TCP that was ended, for it took not even its sound */
                MCU_DROP_PACED,      /* pictures for which a leg's line had no room */
                MCU_DROPS
};
const char *mcu_drop_name(enum mcu_drop drop);
struct mcu_leg_stats {
    double rtt_ms;        /* < 0: not known */
    struct mcu_line line; /* zero where it sends no pictures and has no numbers */
    size_t stream_count;
    struct mcu_stream_stats streams[1 + 2 * MCU_LAYERS + MCU_SOURCES];
    uint64_t drops[MCU_DROPS];
};
int mcu_plane_leg_stats(struct mcu_plane *plane, int leg, struct mcu_leg_stats *stats);

/* What tells how good a leg's network is: sums over its streams, for little. */
struct mcu_leg_traffic {
    uint64_t received, sent;     /* packets */
    int64_t lost, unreceived;    /* of what it sent; of what it was sent, as it reports */
    uint64_t spoken, made_up_ms; /* packets of sound that came, and sound that did not */
    double rtt_ms;               /* < 0: not known */
    uint64_t bits_per_second;    /* that its line carries; 0: not known */
    bool silent;                 /* it answers nothing at all */
};
int mcu_plane_leg_traffic(struct mcu_plane *plane, int leg, struct mcu_leg_traffic *traffic);

struct mcu_plane_stats {
    uint64_t packets_in, packets_out, bytes_in, bytes_out;
    uint64_t receive_calls, send_calls;
    uint64_t audio_encodes, audio_decodes;
    double audio_coding_seconds; /* CPU time of the sound thread in codecs */
    uint64_t drops[MCU_DROPS];   /* of legs that are gone too */
    uint64_t lost_in, lost_out, concealed_ms, recovered_ms; /* likewise */
    double jitter_ms_in, jitter_ms_out, rtt_ms; /* means of what is there now; 0: nothing */
    size_t legs, rooms;
};
void mcu_plane_stats(struct mcu_plane *plane, struct mcu_plane_stats *stats);

#endif
