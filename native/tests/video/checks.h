/* The parts of the tests of native/src/video. */
#ifndef MCU_TESTS_VIDEO_CHECKS_H
#define MCU_TESTS_VIDEO_CHECKS_H

#include <mcu/frames.h>

void payload_tests(void);
void frames_tests(void);
void frames_key_tests(void);
void lips_tests(void);
void resend_tests(void);

/* Puts a picture of `size` bytes, noise without start codes, behind `head`; the caller frees.
 */
uint8_t *noise_picture(const uint8_t *head, size_t head_size, size_t size);

/* A received VP8 stream, of packets made here. */
struct stream {
    struct mcu_frames *frames;
    int64_t now;
    unsigned given, keys;
    size_t last_size; /* of the last picture given */
    uint32_t last_timestamp;
};
enum { KEY = 1, BEGIN = 2, END = 4, WHOLE_KEY = KEY | BEGIN | END, WHOLE = BEGIN | END };
struct stream stream_new(void);
void stream_end(struct stream *stream);
/* A packet of 20 bytes of picture, and all pictures that it completes. */
void send(struct stream *stream, int64_t sequence, uint32_t timestamp, int flags);
void send_payload(struct stream *stream, enum mcu_video_codec codec, int64_t sequence,
                  uint32_t timestamp, bool marker, const void *payload, size_t size);
/* As a caller does when time has passed: how many are asked for, and what is given. */
size_t wait_us(struct stream *stream, int64_t time, int64_t *missing);
uint64_t dropped(const struct stream *stream, enum mcu_frames_drop why);

#endif
