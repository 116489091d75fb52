/* A browser as far as its packets go, by real sockets on the loopback: checks, SRTP, RTCP. */
#ifndef MCU_PLANE_TESTS_CLIENT_H
#define MCU_PLANE_TESTS_CLIENT_H

#include "harness.h"

#include <mcu/plane.h>
#include <mcu/rtcp.h>
#include <mcu/stun.h>

#include <netinet/in.h>

#define PATIENCE_MS 2000 /* for what must come */
#define QUIET_MS 60      /* for what must not */

#define AUDIO_TYPE 111
#define DTMF_TYPE 126
#define VIDEO_TYPE 96
#define RTX_TYPE 97
#define LEVEL_ID 1
#define SEND_TIME_ID 2
#define MID_ID 3
#define SEQUENCE_ID 9

struct client {
    struct mcu_plane *plane;
    int leg;
    int fd;
    bool stream; /* fd is a TCP connection: each datagram after its length */
    struct sockaddr_in local, server;
    char ufrag[32], password[32], remote_ufrag[32];
    uint8_t ours[MCU_SRTP_KEY_MAX], theirs[MCU_SRTP_KEY_MAX];
    struct mcu_srtp *out, *in; /* by these keys */
    uint16_t sequence, video_sequence;
    uint32_t timestamp;
    uint32_t ssrc, video_ssrc; /* what it sends */
};

struct packet { /* what a client received */
    uint8_t data[2048];
    size_t size;
    uint16_t from; /* port */
    struct mcu_rtp rtp;
};

/* A plane on 127.0.0.1, with 20 ports for legs of their own, other ones in each process. */
uint16_t first_port(void);
struct mcu_plane *new_plane(void);

/* A UDP socket on the loopback; *local is where. */
int open_socket(struct sockaddr_in *local);

/* Another client on the same leg, by a TCP connection to the plane. */
void connect_stream(struct client *client, const struct client *of);

/* A leg of a browser with sound, and with video where `rtx` >= 0 (its RTX payload type, 0:
 * none); not proved, no keys. */
void add_client(struct client *client, struct mcu_plane *plane, int rtx);
/* What such a leg's camera has, for one that adds it by itself. */
struct mcu_stream_options camera_options(int rtx);
/* Proves a leg and gives it keys. */
void enter(struct client *client);
/* Both. */
void join(struct client *client, struct mcu_plane *plane, int rtx);
void leave(struct client *client);
void forget(struct client *client); /* whose plane may be gone */

/* Into a room of its own, that decodes so many. */
void be_heard(struct client *client, int loudest);
/* The sound thread decides whom it decodes: a tick. */
void tick(struct mcu_plane *plane);
void set_keys(struct client *client);
/* Those that were set, once more. */
void set_keys_again(const struct client *client);
/* Sends a check; with the answer, if one comes, its class and code: 0 none, 200, or the error.
 */
int check(struct client *client, bool nominates);
int check_as(struct client *client, const char *username, const char *password,
             bool nominates);

void send_raw(struct client *client, const void *data, size_t size);
/* The next packet of sound, 20 ms after the last: level < 0: without one. */
void say(struct client *client, int level);
/* Makes it, protected, without sending it. */
size_t make_sound(struct client *client, int level, uint8_t *out);
/* A packet with this header, protected: its size. */
size_t make(struct client *client, const struct mcu_rtp *header, const uint8_t *payload,
            size_t payload_size, uint8_t *out);
/* A packet of video, any sequence number, protected. */
void show(struct client *client, uint8_t type, uint32_t ssrc, uint16_t sequence, bool marker,
          const uint8_t *payload, size_t size);
void send_report(struct client *client, uint8_t *data, size_t size);

/* The next datagram; false: none came in time. */
bool receive(struct client *client, struct packet *packet, int patience_ms);
/* The next RTP packet of this payload type, decrypted; others are passed over. */
bool receive_rtp(struct client *client, uint8_t type, struct packet *packet, int patience_ms);
/* The next event of RTCP of this kind. */
bool receive_rtcp(struct client *client, enum mcu_rtcp_kind kind, struct mcu_rtcp_event *event,
                  int patience_ms);

/* Waits for an event of this kind and leg (0: any), and throws others away. Its data is the
 * caller's. */
bool await(struct mcu_plane *plane, enum mcu_event_kind kind, int leg, struct mcu_event *event,
           int patience_ms);
/* The same, without its data. */
bool said(struct mcu_plane *plane, enum mcu_event_kind kind, int leg, int patience_ms);

uint64_t dropped(struct mcu_plane *plane, enum mcu_drop why);
/* Waits until so many were dropped. */
bool drops(struct mcu_plane *plane, enum mcu_drop why, uint64_t count);
/* Waits until the leg received so many packets of a source. */
bool received(struct client *client, enum mcu_source source, uint64_t count);
/* One stream's sums. */
struct mcu_stream_stats stream_stats(struct mcu_plane *plane, int leg, enum mcu_source source,
                                     bool sending);

#endif
