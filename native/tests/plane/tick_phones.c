#include "tick_phones.h"

#include "harness.h"

#include <arpa/inet.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LEVEL_ID 3
static const struct mcu_rtp_extensions extensions = {.level = LEVEL_ID};

/* -- opening -- */

static struct sockaddr_storage loopback(uint16_t port)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

struct studio *open_studio(void)
{
    struct studio *studio = calloc(1, sizeof *studio);
    const struct sockaddr_storage address = loopback(0);
    const struct mcu_plane_options options = {.addresses = &address,
                                              .address_count = 1,
                                              .range_first = 42000,
                                              .range_last = 42999,
                                              .complexity = 5,
                                              .bits_per_second = 32000,
                                              .rtp_silent_us = 30000000,
                                              .loss_percent = 5};
    studio->plane = mcu_plane_new(&options);
    CHECK(studio->plane);
    return studio;
}

void close_studio(struct studio *studio)
{
    mcu_plane_free(studio->plane);
    for (size_t at = 0; at < studio->count; at++) {
        struct phone *phone = &studio->phones[at];
        close(phone->fd);
        mcu_encoder_free(phone->encoder);
        mcu_decoder_free(phone->decoder);
        if (phone->sending) {
            mcu_srtp_free(phone->sending);
            mcu_srtp_free(phone->receiving);
        }
        free(phone->heard);
    }
    free(studio);
}

static uint16_t open_socket(struct phone *phone)
{
    struct sockaddr_storage address = loopback(0);
    socklen_t size = sizeof(struct sockaddr_in);
    phone->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CHECK(bind(phone->fd, (struct sockaddr *)&address, size) == 0);
    CHECK(getsockname(phone->fd, (struct sockaddr *)&address, &size) == 0);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static void key(struct studio *studio, struct phone *phone)
{
    uint8_t in[28], out[28];
    for (size_t at = 0; at < sizeof in; at++) {
        in[at] = (uint8_t)(at + (size_t)phone->leg);
        out[at] = (uint8_t)(2 * at + (size_t)phone->leg);
    }
    phone->sending = mcu_srtp_new(MCU_SRTP_AEAD_AES_128_GCM, in, true);
    phone->receiving = mcu_srtp_new(MCU_SRTP_AEAD_AES_128_GCM, out, false);
    CHECK(mcu_plane_set_keys(studio->plane, phone->leg, MCU_SRTP_AEAD_AES_128_GCM, out, in) ==
          0);
}

struct phone *add_phone(struct studio *studio, enum mcu_audio_codec codec, bool levelled,
                        bool keyed)
{
    struct phone *phone = &studio->phones[studio->count++];
    struct mcu_stream_options stream = {.source = MCU_AUDIO,
                                        .formats = {{.payload_type = 96, .codec = (int)codec}},
                                        .format_count = 1,
                                        .sends = true,
                                        .receives = true};
    uint16_t rtcp_port;
    *phone = (struct phone){.codec = codec, .claims = -1};
    phone->encoder = mcu_encoder_new(codec);
    mcu_encoder_tune(phone->encoder, 32000, 0, 5);
    phone->decoder = mcu_decoder_new(codec);
    phone->heard = calloc(HEARD_TICKS * MCU_TICK, sizeof(int16_t));
    const struct sockaddr_storage own = loopback(open_socket(phone));
    phone->leg = mcu_plane_add_rtp(studio->plane, AF_INET, &phone->port, &rtcp_port);
    CHECK(phone->leg > 0);
    if (levelled)
        stream.extensions = extensions;
    CHECK(mcu_plane_add_stream(studio->plane, phone->leg, &stream) == 0);
    if (keyed)
        key(studio, phone);
    CHECK(mcu_plane_set_remote(studio->plane, phone->leg, (const struct sockaddr *)&own,
                               NULL) == 0);
    return phone;
}

/* -- saying and hearing -- */

void tone(int16_t *samples, double hertz, int amplitude, double *phase)
{
    for (int at = 0; at < MCU_TICK; at++) {
        samples[at] = (int16_t)lrint(amplitude * sin(*phase));
        *phase += 2 * M_PI * hertz / MCU_RATE;
    }
}

void speak_tick(struct phone *phone)
{
    int16_t samples[MCU_TICK];
    uint8_t packet[MCU_DATAGRAM], payload[MCU_AUDIO_PACKET];
    tone(samples, phone->hertz, phone->amplitude, &phone->phase);
    const int size = mcu_encode(phone->encoder, samples, payload);
    CHECK(size > 0);
    const struct mcu_rtp header = {.payload_type = 96,
                                   .sequence = phone->sequence++,
                                   .timestamp = phone->timestamp,
                                   .ssrc = (uint32_t)phone->leg,
                                   .level = phone->claims < 0 ? mcu_level(samples, MCU_TICK)
                                                              : phone->claims};
    phone->timestamp += mcu_codec_clock(phone->codec) / 50;
    size_t used = mcu_rtp_write(packet, &header, &extensions);
    memcpy(packet + used, payload, (size_t)size);
    used += (size_t)size;
    if (phone->sending)
        CHECK(mcu_srtp_protect(phone->sending, packet, &used) == 0);
    const struct sockaddr_storage to = loopback(phone->port);
    CHECK(sendto(phone->fd, packet, used, 0, (const struct sockaddr *)&to,
                 sizeof(struct sockaddr_in)) == (ssize_t)used);
}

static void hear_packet(struct phone *phone, uint8_t *data, size_t size)
{
    struct mcu_rtp packet;
    int16_t samples[MCU_PACKET_SAMPLES];
    if (phone->receiving)
        CHECK(mcu_srtp_unprotect(phone->receiving, data, &size) == 0);
    CHECK(mcu_rtp_parse(&packet, data, size, &extensions, false) == 0);
    if (phone->heard_count == HEARD_TICKS)
        return;
    const size_t at = phone->heard_count++;
    if (at == 0)
        phone->first_timestamp = packet.timestamp;
    phone->ticks[at] = (int64_t)(packet.timestamp - phone->first_timestamp) /
                       (mcu_codec_clock(phone->codec) / 50);
    phone->sequences[at] = packet.sequence;
    phone->levels[at] = packet.level;
    CHECK(mcu_decode(phone->decoder, packet.payload, packet.payload_size, samples) ==
          MCU_TICK);
    memcpy(&phone->heard[at * MCU_TICK], samples, MCU_TICK * sizeof samples[0]);
}

void listen_all(struct studio *studio)
{
    uint8_t data[MCU_DATAGRAM];
    for (size_t at = 0; at < studio->count; at++) {
        ssize_t size;
        while ((size = recv(studio->phones[at].fd, data, sizeof data, 0)) > 0)
            if (size < 2 || data[1] < 192 || data[1] > 223) /* no RTCP (RFC 5761) */
                hear_packet(&studio->phones[at], data, (size_t)size);
    }
}

/* In two ticks, by a Hann window. */
static double strength_in(const int16_t *samples, double hertz)
{
    double cosine = 0, sine = 0;
    for (int at = 0; at < 2 * MCU_TICK; at++) {
        const double window = 1 - cos(M_PI * at / MCU_TICK);
        cosine += window * samples[at] * cos(2 * M_PI * hertz * at / MCU_RATE);
        sine += window * samples[at] * sin(2 * M_PI * hertz * at / MCU_RATE);
    }
    return hypot(cosine, sine) / MCU_TICK;
}

static int by_size(const void *one, const void *other)
{
    const double a = *(const double *)one, b = *(const double *)other;
    return a < b ? -1 : a > b;
}

double strength(const struct phone *phone, double hertz, size_t ticks)
{
    double each[HEARD_TICKS];
    size_t count = 0;
    if (phone->heard_count < ticks)
        return -1;
    for (size_t at = phone->heard_count - ticks; at + 1 < phone->heard_count; at += 2)
        each[count++] = strength_in(&phone->heard[at * MCU_TICK], hertz);
    qsort(each, count, sizeof each[0], by_size);
    return each[count / 2];
}

/* -- ticks -- */

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void wait_tick(struct studio *studio)
{
    if (!studio->next)
        studio->next = now_ns();
    studio->next += 20000000;
    const int64_t left = studio->next - now_ns();
    if (left > 0)
        nanosleep(&(struct timespec){.tv_nsec = (long)left}, NULL);
}

void listen_until(struct studio *studio, const struct phone *phone, size_t count)
{
    listen_all(studio);
    for (int tries = 0; phone->heard_count < count && tries < 50; tries++) {
        wait_tick(studio);
        listen_all(studio);
    }
}

static void wait_for(struct studio *studio, int64_t tick)
{
    struct pollfd readable = {.fd = mcu_plane_fd(studio->plane), .events = POLLIN};
    struct mcu_event event;
    for (int tries = 0; tries < 100; tries++) {
        while (mcu_plane_event(studio->plane, &event)) {
            free(event.data);
            studio->unsent += event.kind == MCU_EVENT_UNSENT;
            if (event.kind == MCU_EVENT_COLLECTED && event.a == tick)
                return;
        }
        poll(&readable, 1, 100);
    }
    failed(__FILE__, __LINE__, "the tick was not collected");
}

void collect(struct studio *studio)
{
    CHECK(mcu_plane_collect(studio->plane, ++studio->tick, 0) == 0);
    wait_for(studio, studio->tick);
    mcu_plane_stats(studio->plane, &studio->stats);
    studio->talking =
        mcu_plane_talkers(studio->plane, studio->talkers, studio->samples[0], PHONES);
}

void send_tick(struct studio *studio, const struct mcu_mix *mixes, size_t mix_count,
               const struct mcu_route *routes, size_t route_count)
{
    CHECK(mcu_plane_send(studio->plane, studio->tick, mixes, mix_count, routes, route_count) ==
          0);
}
