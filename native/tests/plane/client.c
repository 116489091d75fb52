#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint16_t first_port(void) { return (uint16_t)(12000 + getpid() % 900 * 20); }

struct mcu_plane *new_plane(void)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    v4->sin_family = AF_INET;
    v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const struct mcu_plane_options options = {.addresses = &address,
                                              .rtp_silent_us = 1500000,
                                              .address_count = 1,
                                              .range_first = first_port(),
                                              .range_last = (uint16_t)(first_port() + 19),
                                              .complexity = 0,
                                              .bits_per_second = 32000};
    struct mcu_plane *plane = mcu_plane_new(&options);
    if (!plane) {
        perror("mcu_plane_new");
        abort();
    }
    return plane;
}

int open_socket(struct sockaddr_in *local)
{
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    socklen_t size = sizeof *local;
    *local =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd < 0 || bind(fd, (struct sockaddr *)local, size) ||
        getsockname(fd, (struct sockaddr *)local, &size))
        abort();
    return fd;
}

void connect_stream(struct client *client, const struct client *of)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    struct sockaddr_in server = of->server;
    *client = *of;
    client->fd = fd;
    client->stream = true;
    server.sin_port = htons(mcu_plane_tcp_port(of->plane));
    if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof server) ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience))
        abort();
}

static const struct mcu_rtp_extensions extensions = {
    .mid = MID_ID, .level = LEVEL_ID, .send_time = SEND_TIME_ID, .sequence = SEQUENCE_ID};

struct mcu_stream_options camera_options(int rtx)
{
    return (struct mcu_stream_options){
        .source = MCU_CAMERA,
        .mid = "1",
        .formats = {{.payload_type = VIDEO_TYPE, .codec = MCU_VP8, .rtx = (uint8_t)rtx}},
        .format_count = 1,
        .extensions = extensions,
        .sends = true,
        .receives = true,
        .nack = true,
        .pli = true,
        .cname = "test",
        .pixels_max = 1 << 22,
    };
}

static struct mcu_stream_options microphone_options(void)
{
    return (struct mcu_stream_options){
        .source = MCU_AUDIO,
        .mid = "0",
        .formats = {{.payload_type = AUDIO_TYPE, .codec = MCU_OPUS}},
        .format_count = 1,
        .dtmf = DTMF_TYPE,
        .extensions = extensions,
        .sends = true,
        .receives = true,
        .cname = "test",
    };
}

static void add_stream(struct client *client, struct mcu_stream_options options)
{
    CHECK(mcu_plane_add_stream(client->plane, client->leg, &options) == 0);
}

void add_client(struct client *client, struct mcu_plane *plane, int rtx)
{
    static unsigned number;
    memset(client, 0, sizeof *client);
    client->plane = plane;
    client->fd = open_socket(&client->local);
    client->server = client->local;
    client->server.sin_port = htons(mcu_plane_port(plane));
    number++;
    snprintf(client->ufrag, sizeof client->ufrag, "ours%u", number);
    snprintf(client->password, sizeof client->password, "a password of ours %u", number);
    snprintf(client->remote_ufrag, sizeof client->remote_ufrag, "them%u", number);
    client->ssrc = 1000 + number;
    client->video_ssrc = 1000000 + number;
    client->leg =
        mcu_plane_add_webrtc(plane, client->ufrag, client->password, client->remote_ufrag);
    CHECK(client->leg > 0);
    add_stream(client, microphone_options());
    if (rtx >= 0) {
        add_stream(client, camera_options(rtx));
        CHECK(mcu_plane_choose(plane, client->leg, MCU_CAMERA, 0, false) == 0);
    }
}

#define PROFILE MCU_SRTP_AEAD_AES_128_GCM

void set_keys(struct client *client)
{
    for (size_t i = 0; i < sizeof client->ours; i++) {
        client->ours[i] = (uint8_t)noise();
        client->theirs[i] = (uint8_t)noise();
    }
    client->out = mcu_srtp_new(PROFILE, client->theirs, true);
    client->in = mcu_srtp_new(PROFILE, client->ours, false);
    set_keys_again(client);
}

void set_keys_again(const struct client *client)
{
    CHECK(mcu_plane_set_keys(client->plane, client->leg, PROFILE, client->ours,
                             client->theirs) == 0);
}

void enter(struct client *client)
{
    CHECK(check(client, true) == 200);
    CHECK(said(client->plane, MCU_EVENT_PROVED, client->leg, PATIENCE_MS));
    set_keys(client);
}

void join(struct client *client, struct mcu_plane *plane, int rtx)
{
    add_client(client, plane, rtx);
    enter(client);
}

void leave(struct client *client)
{
    mcu_plane_remove(client->plane, client->leg);
    forget(client);
}

void forget(struct client *client)
{
    mcu_srtp_free(client->out);
    mcu_srtp_free(client->in);
    close(client->fd);
}

void tick(struct mcu_plane *plane)
{
    static int64_t number;
    CHECK(mcu_plane_collect(plane, ++number, 0) == 0);
    struct mcu_event event;
    while (await(plane, MCU_EVENT_COLLECTED, 0, &event, PATIENCE_MS) && event.a != number)
        ;
}

void be_heard(struct client *client, int loudest)
{
    const int room = mcu_plane_add_room(client->plane, loudest);
    CHECK(room > 0 && mcu_plane_hear(client->plane, client->leg, room) == 0);
    tick(client->plane);
}

/* -- checks -- */

static int answer_code(struct client *client)
{
    struct packet packet;
    while (receive(client, &packet, QUIET_MS * 3)) {
        struct mcu_stun answer;
        if (packet.data[0] > 3 || mcu_stun_parse(&answer, packet.data, packet.size))
            continue;
        return answer.class == MCU_STUN_SUCCESS ? 200 : answer.error_code;
    }
    return 0;
}

int check_as(struct client *client, const char *username, const char *password, bool nominates)
{
    uint8_t out[MCU_STUN_MAX], transaction[12];
    for (size_t i = 0; i < sizeof transaction; i++)
        transaction[i] = (uint8_t)noise();
    const size_t size = mcu_stun_request(out, transaction, username, strlen(username),
                                         password, strlen(password), 1, 1, nominates);
    send_raw(client, out, size);
    return answer_code(client);
}

int check(struct client *client, bool nominates)
{
    char username[80];
    snprintf(username, sizeof username, "%s:%s", client->ufrag, client->remote_ufrag);
    return check_as(client, username, client->password, nominates);
}

/* -- sending -- */

void send_raw(struct client *client, const void *data, size_t size)
{
    if (client->stream) {
        uint8_t frame[2 + 2048] = {(uint8_t)(size >> 8), (uint8_t)size};
        memcpy(frame + 2, data, size);
        if (send(client->fd, frame, size + 2, MSG_NOSIGNAL) != (ssize_t)size + 2)
            failed(__FILE__, __LINE__, "the test's connection does not send");
        return;
    }
    if (sendto(client->fd, data, size, 0, (struct sockaddr *)&client->server,
               sizeof client->server) != (ssize_t)size)
        failed(__FILE__, __LINE__, "the test's socket does not send");
}

size_t make(struct client *client, const struct mcu_rtp *header, const uint8_t *payload,
            size_t payload_size, uint8_t *out)
{
    const struct mcu_rtp_extensions extensions = {
        .mid = MID_ID, .level = LEVEL_ID, .sequence = SEQUENCE_ID};
    size_t size = mcu_rtp_write(out, header, &extensions);
    memcpy(out + size, payload, payload_size);
    size += payload_size;
    if (client->out)
        CHECK(mcu_srtp_protect(client->out, out, &size) == 0);
    return size;
}

size_t make_sound(struct client *client, int level, uint8_t *out)
{
    const uint8_t silence[3] = {0xF8, 0xFF, 0xFE}; /* Opus, 20 ms */
    const struct mcu_rtp header = {.payload_type = AUDIO_TYPE,
                                   .sequence = client->sequence++,
                                   .timestamp = client->timestamp,
                                   .ssrc = client->ssrc,
                                   .level = level};
    client->timestamp += MCU_TICK;
    return make(client, &header, silence, sizeof silence, out);
}

void say(struct client *client, int level)
{
    uint8_t out[256];
    send_raw(client, out, make_sound(client, level, out));
}

void show(struct client *client, uint8_t type, uint32_t ssrc, uint16_t sequence, bool marker,
          const uint8_t *payload, size_t size)
{
    uint8_t out[2048];
    const struct mcu_rtp header = {.payload_type = type,
                                   .sequence = sequence,
                                   .timestamp = client->timestamp,
                                   .ssrc = ssrc,
                                   .marker = marker,
                                   .mid = "1",
                                   .mid_size = 1,
                                   .level = -1};
    send_raw(client, out, make(client, &header, payload, size, out));
}

void send_report(struct client *client, uint8_t *data, size_t size)
{
    if (client->out)
        CHECK(mcu_srtp_protect_rtcp(client->out, data, &size) == 0);
    send_raw(client, data, size);
}

/* -- receiving -- */

static bool receive_frame(struct client *client, struct packet *packet)
{
    uint8_t length[2];
    packet->size = 0;
    if (recv(client->fd, length, 2, MSG_WAITALL) != 2)
        return false;
    packet->size = (size_t)(length[0] << 8 | length[1]);
    CHECK(packet->size <= sizeof packet->data);
    return recv(client->fd, packet->data, packet->size, MSG_WAITALL) == (ssize_t)packet->size;
}

bool receive(struct client *client, struct packet *packet, int patience_ms)
{
    struct pollfd ready = {.fd = client->fd, .events = POLLIN};
    if (poll(&ready, 1, patience_ms > 0 ? patience_ms : 0) <= 0)
        return false;
    if (client->stream)
        return receive_frame(client, packet);
    struct sockaddr_in from = {0};
    socklen_t size = sizeof from;
    const ssize_t got = recvfrom(client->fd, packet->data, sizeof packet->data, 0,
                                 (struct sockaddr *)&from, &size);
    packet->from = ntohs(from.sin_port);
    packet->size = got > 0 ? (size_t)got : 0;
    return got > 0;
}

static bool is_rtcp(const struct packet *packet)
{
    return packet->size > 8 && packet->data[0] >> 6 == 2 && packet->data[1] >= 192 &&
           packet->data[1] <= 223;
}

bool receive_rtp(struct client *client, uint8_t type, struct packet *packet, int patience_ms)
{
    const int64_t until = milliseconds() + patience_ms;
    while (receive(client, packet, (int)(until - milliseconds()))) {
        if (packet->data[0] >> 6 != 2 || is_rtcp(packet))
            continue;
        if (client->in && mcu_srtp_unprotect(client->in, packet->data, &packet->size))
            continue;
        if (mcu_rtp_parse(&packet->rtp, packet->data, packet->size, &extensions, false) == 0 &&
            packet->rtp.payload_type == type)
            return true;
    }
    return false;
}

bool receive_rtcp(struct client *client, enum mcu_rtcp_kind kind, struct mcu_rtcp_event *event,
                  int patience_ms)
{
    static struct packet packet; /* the event points into it */
    const int64_t until = milliseconds() + patience_ms;
    while (receive(client, &packet, (int)(until - milliseconds()))) {
        if (!is_rtcp(&packet) ||
            (client->in && mcu_srtp_unprotect_rtcp(client->in, packet.data, &packet.size)))
            continue;
        struct mcu_rtcp_reader reader = {.data = packet.data, .size = packet.size};
        while (mcu_rtcp_next(&reader, event) > 0)
            if (event->kind == kind)
                return true;
    }
    return false;
}

/* -- what the plane says -- */

#define TICK_MS 20

bool await(struct mcu_plane *plane, enum mcu_event_kind kind, int leg, struct mcu_event *event,
           int patience_ms)
{
    const int64_t until = milliseconds() + patience_ms;
    for (;;) {
        while (mcu_plane_event(plane, event)) {
            if (event->kind == kind && (!leg || event->leg == leg))
                return true;
            free(event->data);
        }
        struct pollfd ready = {.fd = mcu_plane_fd(plane), .events = POLLIN};
        const int64_t left = until - milliseconds();
        if (left <= 0)
            return false;
        poll(&ready, 1,
             left < TICK_MS ? (int)left : TICK_MS); /* some events wait for others */
    }
}

bool said(struct mcu_plane *plane, enum mcu_event_kind kind, int leg, int patience_ms)
{
    struct mcu_event event;
    if (!await(plane, kind, leg, &event, patience_ms))
        return false;
    free(event.data);
    return true;
}

uint64_t dropped(struct mcu_plane *plane, enum mcu_drop why)
{
    struct mcu_plane_stats stats;
    mcu_plane_stats(plane, &stats);
    return stats.drops[why];
}

static void nap(void) { nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL); }

bool drops(struct mcu_plane *plane, enum mcu_drop why, uint64_t count)
{
    for (int64_t until = milliseconds() + PATIENCE_MS; milliseconds() < until; nap())
        if (dropped(plane, why) >= count)
            return dropped(plane, why) == count;
    return false;
}

struct mcu_stream_stats stream_stats(struct mcu_plane *plane, int leg, enum mcu_source source,
                                     bool sending)
{
    struct mcu_leg_stats stats;
    if (mcu_plane_leg_stats(plane, leg, &stats) == 0)
        for (size_t i = 0; i < stats.stream_count; i++)
            if (stats.streams[i].source == source && stats.streams[i].sending == sending)
                return stats.streams[i];
    return (struct mcu_stream_stats){0};
}

bool received(struct client *client, enum mcu_source source, uint64_t count)
{
    for (int64_t until = milliseconds() + PATIENCE_MS; milliseconds() < until; nap())
        if (stream_stats(client->plane, client->leg, source, false).packets >= count)
            return true;
    return false;
}
