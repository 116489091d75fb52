/* A load of WebRTC legs, already connected: sends sound and pictures that were encoded
 * beforehand, keeps ICE consent fresh in both roles, reports by RTCP, asks for what is missing
 * of a picture and sends its own again, and counts what comes back. Only to a server of the
 * benchmark's own on this machine.
 *
 *     load SECONDS SETTLE RECORDING <legs.txt
 *
 * One line a leg: fd, its connected UDP socket, inherited; then "key=value" words:
 *   profile=AEAD_AES_128_GCM keys=<sending hex>:<receiving hex>   (none: plain RTP)
 *   ours=<ufrag>:<password> theirs=<ufrag>:<password>             (none: no ICE)
 *   ssrc=<ours> type=<payload type> step=<timestamp units a packet; none: 960>
 *   level=<extension id or 0>
 *   sound=<file> phase=<packets to begin at>
 *   loss=<per mille> every=<nth>              (of the sound, lost on its way)
 *   layer=<ssrc>:<payload type>:<h264 or vp8>:<rid or nothing>:<file>   (each layer of a
 * camera) mid=<extension id>:<of the camera's line> rid=<extension id> fps=<pictures a second>
 *   sees=<payload type of the composed picture> again=<of its retransmissions; 0: the same>
 *   rate=<bit/s to say that we can take: REMB> wide=<extension id of the transport-wide
 * number: each arrival is reported>
 *   far=<ms> lossy=<per mille>                (its line, each way: late, and lost by chance)
 *   jitter=<ms>                               (of what it sends: later by chance, by up to so
 * much, and maybe overtaken) pace=<kbit/s>    (at which its pictures leave)
 *   miss=<nth>                                (of the packets of it, lost on their way here)
 *   record=<1: keep each packet of sound that comes; 2: of pictures; 3: of both>
 * Then an empty line. A file of sound is packets: one byte of level (-dBov), two of size, the
 * payload. A file of pictures is pictures: four bytes of size, a picture as mcu/payload.h
 * has it; the first is a key frame. Both are repeated, and pictures begin anew when a key
 * frame is asked for.
 *
 * Prints "ready", begins at a line on standard input, and after SECONDS prints one JSON object
 * a leg; gaps and pictures of the first SETTLE seconds are not counted. RECORDING is written
 * as: u32 leg and flags, i64 microseconds (CLOCK_MONOTONIC), u16 sequence, u32 timestamp, u16
 * size, payload, decrypted. Of what is sent there is no payload; a picture that is sent has
 * its place in its file as its sequence; a sender report the NTP timestamp as its payload. */
#ifndef MCU_BENCHMARKS_LOAD_H
#define MCU_BENCHMARKS_LOAD_H

#include <mcu/feedback.h>
#include <mcu/payload.h>
#include <mcu/rtcp.h>
#include <mcu/rtp.h>
#include <mcu/srtp.h>
#include <mcu/stun.h>

#include <stdio.h>

#define LEGS_MAX 1024
#define TICK_US 20000
#define LAYERS_MAX 3
#define KEPT 512  /* packets of a layer that can be sent again */
#define HOLES 256 /* packets of a picture that are missing, at most */

enum record { RECORD_SOUND = 1, RECORD_PICTURES = 2 };
#define RECORDED_SENT (1u << 31)
#define RECORDED_PICTURE (1u << 30)
#define RECORDED_MARKER (1u << 29)
#define RECORDED_REPORT (1u << 28)

struct loop { /* packets of sound, or pictures */
    uint8_t *data;
    size_t size;
    size_t *at; /* of each */
    size_t count;
};

struct kept {
    bool is;
    uint16_t sequence;
    size_t size;
    uint8_t data[MCU_DATAGRAM + MCU_SRTP_TRAILER];
};

struct layer { /* of a camera; one that has no simulcast has one */
    uint32_t ssrc;
    uint8_t type;
    enum mcu_video_codec codec;
    char rid[MCU_MID_MAX + 1];
    struct loop pictures;
    size_t next; /* picture of the loop */
    uint16_t sequence, picture_id;
    uint32_t timestamp; /* of the last picture */
    uint64_t sent, packets, keys_asked, again;
    struct kept *kept;
};

struct hole {
    int64_t sequence, asked_at; /* us */
    int asked;
};

struct datagram {
    int64_t due; /* us */
    size_t size;
    uint8_t data[MCU_DATAGRAM + MCU_SRTP_TRAILER];
};

struct way { /* one direction of a line: a ring of what is on it, by when it is due */
    struct datagram *ring;
    size_t first, count;
};

struct seen {            /* the composed picture */
    uint8_t type, again; /* again: of retransmissions (RFC 4588); 0: they are as before */
    uint32_t ssrc;
    struct mcu_reception reception;
    struct hole holes[HOLES];
    size_t hole_count;
    int64_t last_at, longest_gap, key_wanted_at;
    int64_t takes; /* us from asking for a packet until it came, lately; 0: not known */
    uint64_t packets, bytes, pictures, missed, asked, keys_wanted;
};

struct leg {
    int fd;
    uint32_t number;
    struct mcu_srtp *sending, *receiving; /* NULL: plain */
    uint32_t ssrc;
    uint8_t type;
    struct mcu_rtp_extensions extensions;
    struct loop sound;
    size_t next;   /* packet of the sound */
    uint32_t step; /* timestamp units a packet */
    char user_there[2 * MCU_UFRAG_MAX + 2], password_there[MCU_PASSWORD_MAX];
    char password_here[MCU_PASSWORD_MAX];
    bool ice;
    unsigned record; /* of enum record */
    struct layer layers[LAYERS_MAX];
    size_t layer_count;
    char mid[MCU_MID_MAX + 1];          /* of the camera's line */
    int64_t picture_every, picture_due; /* us */
    struct seen seen;
    uint64_t rate;
    struct mcu_arrived arrived;
    int64_t far, jitter; /* us */
    uint32_t lossy, pace;
    int64_t paced; /* when the last picture has left */
    struct way out, in;
    uint32_t loss, every, miss, chance; /* chance: the state of xorshift32 */

    int64_t due, consent_due, report_due; /* us */
    uint16_t sequence;
    uint32_t timestamp;

    uint64_t sent, dropped, received, unauthentic, send_failed, lost;
    int64_t last_sequence, last_at, longest_gap;
    uint32_t their_ssrc;
    uint32_t last_sr;
    int64_t last_sr_at;
};

int64_t now_us(void);

/* legs.c: a number, the least byte first. */
size_t little(const uint8_t *at, size_t bytes);
/* Reads the legs; exits with a message for a line that makes no sense. */
size_t read_legs(struct leg *legs, size_t room);

/* receive.c: has the kernel say when each packet came. */
void time_packets(const struct leg *leg);
/* Takes all that waits at a leg. */
void receive(struct leg *leg, FILE *recording);
void take(struct leg *leg, uint8_t *data, size_t size, int64_t now, FILE *recording);

/* send.c: sends what is due by `now`. */
void send_due(struct leg *leg, int64_t now, FILE *recording);
void put(struct leg *leg, const uint8_t *data, size_t size);
void put_paced(struct leg *leg, const uint8_t *data, size_t size); /* of a picture */
void put_now(struct leg *leg, const uint8_t *data, size_t size);   /* past its line */
void put_rtcp(struct leg *leg, uint8_t *data, size_t size); /* MCU_SRTP_TRAILER to spare */
void record(FILE *recording, const struct leg *leg, uint32_t flags, int64_t at,
            uint16_t sequence, uint32_t timestamp, const uint8_t *payload, size_t size);

uint32_t per_mille(struct leg *leg); /* the next number by chance, 0 … 999 */

/* line.c: false: the leg has no line of its own, and the datagram goes at once. `from`: when
 * it is on its way. */
bool line_takes(struct leg *leg, struct way *way, const uint8_t *data, size_t size,
                int64_t from);
/* What has come to either end by `now`. */
void line_moves(struct leg *leg, int64_t now, FILE *recording);

/* camera.c: the next picture of each layer. */
void send_pictures(struct leg *leg, int64_t now, FILE *recording);
/* The far end asks for a key frame, or for packets again. */
void camera_asked(struct leg *leg, const struct mcu_rtcp_event *event);

/* seen.c: whether a packet of the composed picture, which is no repeat, is to be lost here. */
bool is_missed(struct leg *leg, const struct mcu_rtp *packet);
/* One has come. */
void see(struct leg *leg, const struct mcu_rtp *packet, int64_t now, FILE *recording);
/* A retransmission of one has come, opened (RFC 4588 section 4); or padding. */
void see_again(struct leg *leg, struct mcu_rtp *packet, int64_t now, FILE *recording);
/* Asks again for what is still missing. */
void ask_again(struct leg *leg, int64_t now);

#endif
