/* The media plane from within: what its files share. mcu/plane.h is what it promises.
 *
 * Locking. `plane->lock` guards the table of legs, all that a leg points to, and the plane's
 * counters. It is taken by the packet thread for each batch it received, by the sound thread
 * for one leg's decoding or for one batch of packets to be sent, and by every public function.
 * It is not held over encoding, sendmmsg, recvmmsg, or the making of keys and streams. Leaves,
 * taken with or without it: the locks of the events and of a link; a socket's reference count.
 * A pointer to a leg is worth nothing once the lock was let go: keep the handle, and ask
 * `plane_leg` again.
 *
 * Sending: write into a batch (udp.h) of your own under the lock, let the lock go, then
 * `plane_flush`. Batches hold references to sockets, so a leg may go in between.
 *
 * Threads: packet_thread.c and sound_thread.c. */
#ifndef MCU_PLANE_INTERNAL_H
#define MCU_PLANE_INTERNAL_H

#include "congestion.h"
#include "list.h"
#include "tick.h"
#include "udp.h"

#include <mcu/dtmf.h>
#include <mcu/frames.h>
#include <mcu/hearing.h>
#include <mcu/lips.h>
#include <mcu/loudest.h>
#include <mcu/plane.h>
#include <mcu/resend.h>
#include <mcu/rtcp.h>
#include <mcu/stun.h>
#include <mcu/tones.h>

#include <pthread.h>

#define PLANE_SOCKETS 16                /* local addresses */
#define IN_STREAMS (1 + 2 * MCU_LAYERS) /* that a leg sends at most: sound, two pictures */

/* -- what comes from a leg -- */

#define KEPT_PACKETS 3
#define KEPT_BYTES 512 /* an encrypted audio packet that is longer is not kept */

struct kept {                    /* an audio packet as it came, not decrypted */
    int64_t sequence, timestamp; /* extended */
    uint16_t size;               /* 0: none */
    uint8_t data[KEPT_BYTES];
};

/* The sound of a leg. Made with its audio stream if that is received. The packet thread
 * pushes, the sound thread takes ticks. */
struct sound_in {
    struct mcu_hearing *hearing;
    struct mcu_standing standing; /* the sound thread's */
    bool levelled; /* the RFC 6464 level was negotiated: packets can be skipped */
    int level; /* -dBov, the loudest since the sound thread looked, which sets it back to 127.
                  Of packets that were not decrypted never louder than `bar`. -1: a packet
                  without a level came: only decoding tells */
    int bar;   /* set by the sound thread in each tick: what is not louder (lower) than this
                  is not decrypted. -1: nothing is (in no room, the default); 128: all is
                  (chosen, or the room has fewer than it decodes) */
    struct mcu_tones *tones; /* NULL: keys do not come as tones */
    unsigned kept_next;
    struct kept kept[KEPT_PACKETS]; /* the last that were skipped, a ring */
    struct mcu_dtmf dtmf;
};

/* Of a stream: how much it carries. */
struct rate {
    int64_t since;            /* us: when it had */
    uint64_t bytes, pictures; /* so many */
    uint64_t bits_per_second;
    double frame_rate;
};

/* One RTP stream: sound, or a layer of a picture. */
struct in_stream {
    struct links waiting; /* video: in plane->waiting: has something to do although nothing
                             comes */
    enum mcu_source source;
    int layer;                 /* its number among those of its source */
    struct in_stream *next;    /* the next of them */
    bool latched, rtx_latched; /* packets came, of: */
    uint32_t ssrc, rtx_ssrc;   /* the far end's */
    int codec;                 /* of the last packet; -1: none yet */
    uint32_t clock;
    struct mcu_reception reception;
    uint64_t packets_before, bytes_before; /* of SSRCs before this one */
    int64_t lost_before;
    int64_t timestamp;      /* extended, of the highest; -1: none yet */
    int64_t authentic;      /* the highest sequence number that was decrypted; -1: none yet */
    struct sound_in *sound; /* audio */
    unsigned skipped;       /* packets since the last that was decrypted */
    int leg;                /* its leg's handle */
    struct mcu_stream_options options;
    int64_t base;              /* video: of sequence numbers; more with each new SSRC */
    struct mcu_frames *frames; /* video */
    struct mcu_lips lips;      /* likewise */
    uint32_t width, height; /* of the last key frame, or as it follows from another layer's */
    bool told_comes;        /* as MCU_EVENT_LAYER said last; and */
    uint32_t told_width, told_height;
    int64_t came_at;  /* a layer's last packet, us; and */
    uint64_t came_of; /* choice.pictures then */
    uint64_t pictures, nacks, keys_asked;
    uint8_t fir_command; /* of the last FIR that we sent */
    double loss;         /* of the last interval that we reported */
    struct rate rate;
};

/* What is wanted of a leg's camera or screen. */
struct choice {
    int wanted;        /* the layer whose pictures are to be handed out; -1: none */
    int given;         /* and whose are; -1: none yet */
    bool thin;         /* the highest temporal layer is left out */
    int top, temporal; /* the highest that came, and that is handed out */
    uint64_t pictures; /* that ended, of all layers */
};

/* -- what goes to a leg -- */

struct out_stream {
    enum mcu_source source;
    int codec;
    size_t mid_size;
    uint32_t ssrc, rtx_ssrc;
    int64_t sequence,
        rtx_sequence;   /* extended, of the last packet (before the first: random) */
    uint32_t offset;    /* audio: the timestamp of tick 0 */
    uint32_t timestamp; /* of the last packet */
    int64_t sent_at;    /* its time, us */
    int64_t tick;       /* audio: its tick */
    uint64_t packets, bytes;
    int64_t lossy_until; /* us: audio is sent with FEC, for loss was reported */
    bool numbered;       /* its packets have transport-wide numbers */
    struct mcu_stream_options options;
    uint64_t pictures, nacks, resent, keys_asked;
    int64_t lost; /* as the far end reports */
    double loss, jitter_ms;
    uint8_t loss_said;     /* by MCU_EVENT_LOSS */
    struct mcu_sent *sent; /* video, if NACKs are understood */
    uint16_t picture_id;
    struct paced paced; /* video: what waits for its turn */
    bool broken;        /* video: a packet of the present picture was not sent, */
    bool refused;       /* or all of it, for the line is too thin */
    int fir_command;    /* of the last FIR that came; -1: none yet */
    struct rate rate;
};

/* -- a leg -- */

struct credentials {
    char ufrag[MCU_UFRAG_MAX + 1], password[MCU_PASSWORD_MAX + 1];
    char remote_ufrag[MCU_UFRAG_MAX + 1];
};

/* Addresses of one leg that an authentic check came from: what it sends from there is looked
 * at. One more takes the place of the oldest. */
#define PROVEN 8
struct proven {
    struct udp_socket *socket; /* one of the plane's, or a link; NULL: none */
    union udp_address address;
};

/* DTLS that came before it is known where from it may come: the last datagram. */
struct early {
    union udp_address from;
    uint8_t *data; /* NULL: none */
    size_t size;
};

/* From where a leg with ports of its own was greeted by DTLS, though it said that it is
 * elsewhere: the last of each port, by number. */
#define GREETED 4
struct greeted {
    int number; /* 0: none */
    union udp_address from;
};

struct leg {
    int handle;
    bool webrtc;
    bool secret;    /* nothing of it passes in the clear; a WebRTC leg's never does */
    bool connected; /* WebRTC: a check with USE-CANDIDATE was authentic; RTP: has a remote */
    bool silent;    /* MCU_EVENT_SILENT was said and nothing came since: it is sent nothing */
    bool held;      /* it is sent no RTP, and nothing is expected of it */
    bool muxed;     /* RTCP comes and goes on the RTP port */
    int across;     /* the leg to whose far end what comes goes on, and nothing else is sent to
                       this one (relay.c); 0: none */
    struct udp_socket *socket, *rtcp_socket; /* references; by which it is reached */
    union udp_address remote, rtcp_remote;
    int64_t authentic_at; /* the last check or SRTP packet from the present address: consent */
    int64_t heard_at; /* the same, or a packet that was skipped: it has not gone elsewhere */
    int64_t rtt;      /* us; -1: not known */
    struct mcu_srtp *sending, *receiving; /* NULL: no keys */
    struct in_stream *in[MCU_SOURCES];    /* the first layer of each */
    struct out_stream *out[MCU_SOURCES];
    struct congestion *congestion; /* NULL: it sends no pictures, and nothing is numbered */
    struct leg_sounding sounding;  /* the sound thread's (tick.h) */
    uint64_t drops[MCU_DROPS];
    struct proven proven[PROVEN];
    unsigned proven_next;
    /* From here on, what no packet of sound touches. */
    struct mcu_srtp *rtcp_sending, *rtcp_receiving; /* of RTCP's own; NULL: those */
    struct opened *opened;     /* of one with `across`, where its packets are decrypted and
                                  encrypted anew for the other (opened.c); NULL: they go on as they
                                  came */
    int64_t came_at[2];        /* of such a leg: when its last RTP and RTCP came, us */
    struct credentials ice[2]; /* [0] in force, [1] of a restart that no check proved yet */
    uint32_t ssrc;             /* of our RTCP while we send nothing */
    struct greeted greeted[2][GREETED];
    int greeted_last[2];   /* number */
    unsigned greeted_said; /* in this second */
    struct early early[2]; /* by ports of its own: RTP's, RTCP's */
    struct choice choices[MCU_SOURCES];
    uint32_t limit; /* bit/s that we ask for, 0: none */
    unsigned dtls_waiting;
    unsigned dtls_said; /* DTLS in this second; and other */
    unsigned said;      /* events that the far end caused; */
    unsigned nacked;    /* and items of its NACKs */
};

/* -- the plane -- */

struct totals { /* of streams */
    uint64_t lost_in, lost_out, concealed_ms, recovered_ms;
    uint64_t drops[MCU_DROPS]; /* of hearing and frames, which count their own */
};

struct legs;   /* legs.c: the table, by handle, by ufrag, by address */
struct events; /* events.c */
struct tcp;    /* tcp.c: those who come by TCP */

struct mcu_plane {
    pthread_mutex_t lock;
    struct legs *legs;
    struct events *events;
    struct sounding *sounding;        /* the sound thread's (tick.h) */
    struct mcu_plane_options options; /* without the addresses */
    uint16_t range_next;              /* where the search for free ports goes on */
    struct udp_socket *sockets[PLANE_SOCKETS];
    size_t socket_count;
    uint16_t port;
    struct tcp *tcp;
    int epoll, wake; /* wake: an eventfd for the packet thread */
    pthread_t packet_thread;
    struct packet_thread *packets;
    atomic_bool ending;
    struct links waiting;      /* waiting.h: of struct in_stream */
    struct links paced;        /* of struct congestion: those that have something to send */
    size_t congested;          /* legs that have one */
    size_t streams;            /* in and out */
    uint64_t drops[MCU_DROPS]; /* without those of totals */
    struct totals gone;        /* of legs that are no more */
    struct udp_sent sent;
    uint64_t packets_in, bytes_in, receive_calls;
    uint64_t audio_encodes, audio_decodes; /* the sound thread counts them, locked, */
    int64_t audio_coding_ns;               /* and its CPU time for them */
    size_t rooms;                          /* likewise */
};

/* us of CLOCK_MONOTONIC. */
int64_t plane_now(void);
static inline void plane_lock(struct mcu_plane *plane) { pthread_mutex_lock(&plane->lock); }
static inline void plane_unlock(struct mcu_plane *plane)
{
    pthread_mutex_unlock(&plane->lock);
}

/* The leg of a handle, or NULL. Locked. */
struct leg *plane_leg(struct mcu_plane *plane, int handle);
/* All that a leg sends, each layer for itself: the one after `stream`, NULL to begin; NULL: no
 * more. Locked. */
struct in_stream *plane_next_in(const struct leg *leg, const struct in_stream *stream);
/* All legs: the one at or after `*at`, which moves on (0 to begin), or NULL. Locked. */
struct leg *plane_next_leg(struct mcu_plane *plane, size_t *at);

/* Counts a drop, of a leg where there is one. Locked. */
void plane_drop(struct mcu_plane *plane, struct leg *leg, enum mcu_drop why);

/* Puts an event in the queue, and takes its data over; false: the queue is full, the data was
 * freed, and it is counted. Locked or not. */
bool plane_event(struct mcu_plane *plane, const struct mcu_event *event);
/* One without data. */
void plane_say(struct mcu_plane *plane, enum mcu_event_kind kind, int leg, int64_t a);

/* Sends a batch and counts it. NOT locked. Returns how many were not sent, and their legs in
 * `unsent` (may be NULL); those are counted as MCU_DROP_UNSENT. */
size_t plane_flush(struct mcu_plane *plane, struct udp_batch *batch, int unsent[UDP_BATCH]);

/* -- sending, for the sound thread -- */

/* The codec in which a leg is sent sound; -1: it cannot be sent any now (no such stream, not
 * connected, no keys yet). Locked. */
int plane_sound_codec(const struct leg *leg);

struct sound_packet {
    int64_t tick;
    const uint8_t *payload;
    size_t size;
    int level; /* -dBov of what was encoded, for the RFC 6464 extension */
};
/* Adds one packet of sound for a leg to a batch that has room (udp_next is not NULL): header
 * with mid, level and abs-send-time as negotiated, its own sequence number, the timestamp of
 * the tick (8,000 or 48,000 Hz), marker where the tick before was not sent, and SRTP. false:
 * it could not be (as plane_sound_codec -1, or SRTP refused); nothing was added. Locked. */
bool plane_send_sound(struct leg *leg, struct udp_batch *batch,
                      const struct sound_packet *packet, int64_t now);

#endif
