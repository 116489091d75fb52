/* Phones for the tests of the sound thread: plain or SRTP-keyed RTP over loopback to legs of a
 * real plane, and a test that mixes as Python does. */
#ifndef MCU_TESTS_TICK_PHONES_H
#define MCU_TESTS_TICK_PHONES_H

#include <mcu/plane.h>

#define PHONES 64
#define HEARD_TICKS 400

struct phone {
    int leg, fd;
    uint16_t port; /* the leg's */
    enum mcu_audio_codec codec;
    struct mcu_encoder *encoder;
    struct mcu_decoder *decoder;
    struct mcu_srtp *sending, *receiving; /* NULL: plain */
    uint16_t sequence;
    uint32_t timestamp;
    double hertz, phase;   /* the tone that it says */
    int amplitude, claims; /* claims: its level, -1: as loud as it is */
    /* what it heard: a row for each packet that came, in order */
    int16_t *heard;
    int64_t ticks[HEARD_TICKS]; /* by the timestamp, from the first packet's, as 0 */
    uint16_t sequences[HEARD_TICKS];
    int levels[HEARD_TICKS]; /* of the header */
    size_t heard_count;
    uint32_t first_timestamp;
};

struct studio {
    struct mcu_plane *plane;
    struct phone phones[PHONES];
    size_t count;
    int64_t tick;
    int64_t next; /* ns: when the next is due */
    int unsent;   /* events */
    struct mcu_talker talkers[PHONES];
    int16_t samples[PHONES][MCU_TICK];
    size_t talking;
    struct mcu_plane_stats stats; /* when `collect` was last done, and all sends before it */
};

struct studio *open_studio(void);
void close_studio(struct studio *studio);
/* `levelled`: the level extension is agreed. */
struct phone *add_phone(struct studio *studio, enum mcu_audio_codec codec, bool levelled,
                        bool keyed);
/* What a phone says in the next tick, as a packet. */
void speak_tick(struct phone *phone);
/* Waits for the next 20 ms; not at all where the machine kept us from it: all that is due is
 * said and collected. */
void wait_tick(struct studio *studio);
/* Collects a tick, and waits until it is collected. */
void collect(struct studio *studio);
/* Asks for a tick to be sent. */
void send_tick(struct studio *studio, const struct mcu_mix *mixes, size_t mix_count,
               const struct mcu_route *routes, size_t route_count);
/* Takes what came to the phones. */
void listen_all(struct studio *studio);
/* The same, until a phone has heard so many packets, or for a second. */
void listen_until(struct studio *studio, const struct phone *phone, size_t count);
/* Amplitude of a tone in the last `ticks` ticks that a phone heard: the median of pairs of
 * them, so that what a busy machine made up for a while does not count. */
double strength(const struct phone *phone, double hertz, size_t ticks);
void tone(int16_t *samples, double hertz, int amplitude, double *phase);

#endif
