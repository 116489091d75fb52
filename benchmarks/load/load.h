/* A load of WebRTC legs, already connected: sends sound that was encoded beforehand, keeps ICE
 * consent fresh in both roles, reports by RTCP, and counts what comes back. Only to a server
 * of the benchmark's own on loopback.
 *
 *     load SECONDS RECORDING <legs.txt
 *
 * One line a leg: fd, its connected UDP socket, inherited; then "key=value" words:
 *   profile=AEAD_AES_128_GCM keys=<sending hex>:<receiving hex>   (none: plain RTP)
 *   ssrc=<ours> type=<payload type> level=<extension id or 0> sound=<file> phase=<packets to
 * begin at> ours=<ufrag>:<password> theirs=<ufrag>:<password>             (none: no ICE)
 *   record=1                                                      (keep each packet that
 * comes) Then an empty line. A sound file is packets: one byte of level (-dBov), two of size,
 * the Opus packet; it is repeated.
 *
 * Prints "ready", begins at a line on standard input, and after SECONDS prints one JSON object
 * a leg. RECORDING is written as: u32 leg, i64 microseconds (CLOCK_MONOTONIC), u16 sequence,
 * u32 timestamp, u16 size, payload, decrypted; and for each packet of a recorded leg that was
 * sent, the same with bit 31 of the leg set and no payload. */
#ifndef MCU_BENCHMARKS_LOAD_H
#define MCU_BENCHMARKS_LOAD_H

#include <mcu/rtp.h>
#include <mcu/srtp.h>
#include <mcu/stun.h>

#include <stdio.h>

#define LEGS_MAX 1024
#define TICK_US 20000

struct sound {
    uint8_t *data;
    size_t size;
    size_t *at; /* of each packet */
    size_t count;
};

struct leg {
    int fd;
    uint32_t number;
    struct mcu_srtp *sending, *receiving; /* NULL: plain */
    uint32_t ssrc;
    uint8_t type;
    struct mcu_rtp_extensions extensions;
    struct sound sound;
    size_t next; /* packet of the sound */
    char user_there[2 * MCU_UFRAG_MAX + 2], password_there[MCU_PASSWORD_MAX];
    char password_here[MCU_PASSWORD_MAX];
    bool ice, record;
    uint32_t loss, every, chance; /* chance: the state of xorshift32 */

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

/* legs.c: reads the legs; exits with a message for a line that makes no sense. */
size_t read_legs(struct leg *legs, size_t room);

/* receive.c: takes all that waits at a leg. */
void receive(struct leg *leg, FILE *recording);

/* send.c: sends what is due by `now`. */
void send_due(struct leg *leg, int64_t now, FILE *recording);
void record(FILE *recording, const struct leg *leg, bool sent, int64_t at, uint16_t sequence,
            uint32_t timestamp, const uint8_t *payload, size_t size);

#endif
