/* One video stream, received: packets in any order, whole pictures out in order, and what must
 * be asked for again. Pure: `now` in microseconds is given. Memory is bounded:
 * MCU_FRAMES_PACKETS packets and MCU_PICTURE_MAX bytes of a picture.
 *
 * A picture is complete at its marker, without waiting for the next one; or, where the marker
 * is missing in its last packet, when the next one begins. After a picture that cannot be
 * completed nothing is given until the next key frame, which is asked for; once that has
 * begun, what is missing before it is not waited for.
 *
 * After each push, and when mcu_frames_wake says so, in this order: nacks, pop until 0,
 * key_due. */
#ifndef MCU_FRAMES_H
#define MCU_FRAMES_H

#include <mcu/payload.h>

#define MCU_FRAMES_PACKETS                                                                    \
    1024 /* sequence numbers from the oldest that is held to the newest; a power of two */
#define MCU_PICTURE_MAX (2 * 1024 * 1024)
#define MCU_NACK_TIMES 10 /* a packet is asked for at most so often */

struct mcu_frames; /* opaque: about 25 kB, and what the packets hold */

/* `pixels_max`: a key frame that claims more is dropped before any decoder sees it. NULL: no
 * memory. */
struct mcu_frames *mcu_frames_new(uint32_t pixels_max);
void mcu_frames_free(struct mcu_frames *frames);

/* Nobody wants its pictures now: forgets what it holds, asks for nothing, and begins anew,
 * with a key frame, at the next push. */
void mcu_frames_rest(struct mcu_frames *frames);

enum mcu_frames_drop { /* why packets or pictures were dropped, for counting */
                       MCU_FRAMES_DUPLICATE,
                       MCU_FRAMES_LATE, /* of a picture that was given, or given up */
                       MCU_FRAMES_MALFORMED,
                       MCU_FRAMES_TOO_FAR,    /* MCU_FRAMES_PACKETS ahead, or 3,000 behind (a
                                                 sender that began anew): everything before
                                                 it is given up, and it is the next */
                       MCU_FRAMES_TOO_LARGE,  /* a picture over MCU_PICTURE_MAX, or over
                                                 pixels_max */
                       MCU_FRAMES_INCOMPLETE, /* pictures given up */
                       MCU_FRAMES_NO_KEY, /* pictures that came while a key frame was awaited
                                           */
                       MCU_FRAMES_DROPS
};
const uint64_t *mcu_frames_drops(const struct mcu_frames *frames);

/* A packet came. `sequence` is extended and never wraps. The payload is copied; an empty one
 * (padding) belongs to no picture. One that is malformed, or of a datagram over MCU_DATAGRAM,
 * keeps its place, so that it is not asked for, and spoils its picture. */
void mcu_frames_push(struct mcu_frames *frames, enum mcu_video_codec codec, int64_t sequence,
                     uint32_t timestamp, bool marker, const uint8_t *payload, size_t size,
                     int64_t now);

struct mcu_picture {
    enum mcu_video_codec codec;
    const uint8_t *data; /* valid until the next call on these frames */
    size_t size;
    uint32_t timestamp;
    bool key;
    uint32_t width, height; /* after cropping, of a key frame; else 0 */
    int temporal;           /* VP8: TID, -1: none */
    bool layer_sync;        /* and Y */
};
/* The next whole picture in order: 1, or 0. Call until 0 after each push and each poll. */
int mcu_frames_pop(struct mcu_frames *frames, struct mcu_picture *picture);

/* What to ask for now: extended sequence numbers in rising order that are missing and due, at
 * most `room`. A packet is asked for when it has been overtaken for 10 ms or by 3 packets,
 * then each max(rtt, 20 ms), MCU_NACK_TIMES at most, then given up. `rtt` in us. */
size_t mcu_frames_nacks(struct mcu_frames *frames, int64_t now, int64_t rtt, int64_t *missing,
                        size_t room);
/* Whether a key frame is to be asked for now: at first, after a picture was given up, or on
 * mcu_frames_want_key; repeated each max(2 rtt, 500 ms) until one comes. One that
 * begins before it was asked for is waited for as if it had been, once. */
bool mcu_frames_key_due(struct mcu_frames *frames, int64_t now, int64_t rtt);
void mcu_frames_want_key(struct mcu_frames *frames);
/* When to call again for nacks, pop and key_due although nothing comes (the past: at once);
 * INT64_MAX: never. */
int64_t mcu_frames_wake(const struct mcu_frames *frames);

#endif
