/* Video in and out: whole pictures, and what is sent again. */
#include "client.h"
#include "tests.h"

#include <mcu/payload.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A VP8 picture that claims 64×48, of noise. */
static void make_picture(uint8_t *picture, size_t size, bool key)
{
    const uint8_t tag[10] = {(uint8_t)(key ? 0x10 : 0x11), 2, 0, 0x9D, 1, 0x2A, 64, 0, 48, 0};
    for (size_t i = 0; i < size; i++)
        picture[i] = (uint8_t)noise();
    memcpy(picture, tag, key ? sizeof tag : 3);
}

#define PIECES 8
struct cut {
    uint8_t data[PIECES][1300];
    size_t sizes[PIECES];
    int count;
};
static void cut(struct cut *out, const uint8_t *picture, size_t size)
{
    struct mcu_piece pieces[PIECES];
    out->count = mcu_payload_cut(MCU_VP8, picture, size, 1000, 5, pieces, PIECES);
    CHECK(out->count > 0);
    for (int i = 0; i < out->count; i++)
        out->sizes[i] = mcu_piece_write(&pieces[i], out->data[i]);
}

/* Sends a picture's packets but for one (-1: all). */
static void show_cut(struct client *client, const struct cut *cut, int but)
{
    for (int i = 0; i < cut->count; i++, client->video_sequence++)
        if (i != but)
            show(client, VIDEO_TYPE, client->video_ssrc, client->video_sequence,
                 i + 1 == cut->count, cut->data[i], cut->sizes[i]);
}

static bool gives(struct client *client, const uint8_t *picture, size_t size)
{
    struct mcu_event event;
    if (!await(client->plane, MCU_EVENT_PICTURE, client->leg, &event, PATIENCE_MS))
        return false;
    const bool same = event.size == size && !memcmp(event.data, picture, size) &&
                      event.a == MCU_CAMERA && event.b == 0 && event.c == client->timestamp;
    CHECK(!event.key || (event.width == 64 && event.height == 48));
    free(event.data);
    return same;
}

static void a_picture_comes_whole(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    uint8_t picture[3500];
    struct cut pieces;
    join(&client, plane, 0);
    make_picture(picture, sizeof picture, true);
    cut(&pieces, picture, sizeof picture);
    show_cut(&client, &pieces, -1);
    CHECK(gives(&client, picture, sizeof picture));
    leave(&client);
    mcu_plane_free(plane);
}

static void a_lost_packet_is_asked_for_and_taken_as_rtx(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    uint8_t picture[3500], again[1400];
    struct cut pieces;
    struct mcu_rtcp_event nack;
    join(&client, plane, RTX_TYPE);
    make_picture(picture, sizeof picture, true);
    cut(&pieces, picture, sizeof picture);
    client.video_sequence = 65534; /* the lost one comes after the wrap */
    show_cut(&client, &pieces, 2);
    CHECK(receive_rtcp(&client, MCU_RTCP_NACK, &nack, PATIENCE_MS));
    CHECK(nack.media_ssrc == client.video_ssrc && nack.pid == 0);
    again[0] = again[1] = 0;
    memcpy(again + 2, pieces.data[2], pieces.sizes[2]);
    show(&client, RTX_TYPE, 4444, 99, false, again, pieces.sizes[2] + 2);
    CHECK(gives(&client, picture, sizeof picture));
    const struct mcu_stream_stats stats = stream_stats(plane, client.leg, MCU_CAMERA, false);
    CHECK(stats.frames == 1 && stats.nacks >= 1 && stats.width == 64);
    leave(&client);
    mcu_plane_free(plane);
}

static void a_key_frame_is_asked_for_when_a_picture_cannot_be_had(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    uint8_t picture[2500];
    struct cut pieces;
    struct mcu_rtcp_event pli;
    join(&client, plane, 0);
    make_picture(picture, sizeof picture, false); /* nothing to begin with */
    cut(&pieces, picture, sizeof picture);
    show_cut(&client, &pieces, -1);
    CHECK(receive_rtcp(&client, MCU_RTCP_PLI, &pli, PATIENCE_MS));
    CHECK(pli.media_ssrc == client.video_ssrc);
    make_picture(picture, sizeof picture, true);
    cut(&pieces, picture, sizeof picture);
    client.timestamp += 3000;
    show_cut(&client, &pieces, -1);
    CHECK(gives(&client, picture, sizeof picture));
    CHECK(mcu_plane_want_key(plane, client.leg, MCU_CAMERA) == 0);
    CHECK(receive_rtcp(&client, MCU_RTCP_PLI, &pli, PATIENCE_MS));
    leave(&client);
    mcu_plane_free(plane);
}

static void a_picture_from_another_ssrc_begins_anew(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    uint8_t picture[2500];
    struct cut pieces;
    join(&client, plane, 0);
    for (int i = 0; i < 3; i++) {
        make_picture(picture, sizeof picture, true);
        cut(&pieces, picture, sizeof picture);
        client.video_ssrc += 7;
        client.video_sequence = (uint16_t)(50000 - 100 * i);
        client.timestamp += 90000;
        show_cut(&client, &pieces, -1);
        CHECK(gives(&client, picture, sizeof picture));
    }
    leave(&client);
    mcu_plane_free(plane);
}

/* -- out -- */

/* Receives a picture's packets, but throws one away if `but` >= 0: what it adds up to. */
static size_t watch(struct client *client, uint8_t *picture, size_t room, int but,
                    struct packet *lost)
{
    struct packet packet;
    size_t used = 0;
    for (int i = 0; receive_rtp(client, VIDEO_TYPE, &packet, PATIENCE_MS); i++) {
        if (i == but)
            *lost = packet;
        else
            mcu_payload_append(MCU_VP8, packet.rtp.payload, packet.rtp.payload_size, i == 0,
                               picture, room, &used);
        if (packet.rtp.marker)
            break;
    }
    return used;
}

static void a_picture_goes_to_many_legs_whole(void)
{
    struct mcu_plane *plane = new_plane();
    struct client clients[3];
    int legs[4];
    uint8_t picture[30000], seen[30000];
    for (int i = 0; i < 3; i++) {
        join(&clients[i], plane, i ? RTX_TYPE : 0);
        legs[i] = clients[i].leg;
    }
    legs[3] = 1; /* nobody */
    for (int round = 0; round < 3; round++) {
        make_picture(picture, sizeof picture, round == 0);
        CHECK(mcu_plane_send_picture(plane, MCU_CAMERA, legs, 4, false, picture,
                                     sizeof picture, (uint32_t)round * 3000, round == 0) == 3);
        for (int i = 0; i < 3; i++) {
            CHECK(watch(&clients[i], seen, sizeof seen, -1, NULL) == sizeof picture);
            CHECK(memcmp(seen, picture, sizeof picture) == 0);
        }
    }
    CHECK(mcu_plane_send_picture(plane, MCU_CAMERA, legs, 4, true, picture, 9, 1, true) == 0);
    struct mcu_plane_stats stats;
    mcu_plane_stats(plane, &stats);
    CHECK(stats.send_calls < stats.packets_out / 4); /* in batches */
    for (int i = 0; i < 3; i++)
        leave(&clients[i]);
    mcu_plane_free(plane);
}

static void ask_again(struct client *client, const struct packet *lost)
{
    uint8_t data[200];
    size_t size = 0;
    const int64_t sequence = lost->rtp.sequence;
    mcu_rtcp_rr(data, &size, client->video_ssrc, NULL, 0);
    mcu_rtcp_nack(data, &size, client->video_ssrc, lost->rtp.ssrc, &sequence, 1);
    send_report(client, data, size);
}

static void what_is_asked_for_again_comes_as_rtx(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct packet lost = {0}, again;
    uint8_t picture[5000], seen[5000];
    join(&client, plane, RTX_TYPE);
    make_picture(picture, sizeof picture, true);
    CHECK(mcu_plane_send_picture(plane, MCU_CAMERA, &client.leg, 1, false, picture,
                                 sizeof picture, 7, true) == 1);
    watch(&client, seen, sizeof seen, 2, &lost);
    ask_again(&client, &lost);
    CHECK(receive_rtp(&client, RTX_TYPE, &again, PATIENCE_MS));
    CHECK(again.rtp.ssrc != lost.rtp.ssrc && again.rtp.timestamp == lost.rtp.timestamp);
    CHECK(again.rtp.payload_size == lost.rtp.payload_size + 2);
    CHECK((again.rtp.payload[0] << 8 | again.rtp.payload[1]) == lost.rtp.sequence);
    const struct mcu_stream_stats stats = stream_stats(plane, client.leg, MCU_CAMERA, true);
    CHECK(stats.resent == 1 && stats.nacks == 1 && stats.frames == 1);
    leave(&client);
    mcu_plane_free(plane);
}

static void who_loses_much_gets_what_it_asks_for_twice(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct packet lost = {0}, first, second;
    uint8_t picture[5000], seen[5000], data[200];
    size_t size = 0;
    join(&client, plane, RTX_TYPE);
    make_picture(picture, sizeof picture, true);
    CHECK(mcu_plane_send_picture(plane, MCU_CAMERA, &client.leg, 1, false, picture,
                                 sizeof picture, 7, true) == 1);
    watch(&client, seen, sizeof seen, 2, &lost);
    const struct mcu_rtcp_block block = {
        .ssrc = lost.rtp.ssrc, .fraction_lost = 13, .lost = 1, .highest = lost.rtp.sequence};
    CHECK(mcu_rtcp_rr(data, &size, client.video_ssrc, &block, 1) == 0); /* 5 % */
    send_report(&client, data, size);
    ask_again(&client, &lost);
    CHECK(receive_rtp(&client, RTX_TYPE, &first, PATIENCE_MS));
    CHECK(receive_rtp(&client, RTX_TYPE, &second, PATIENCE_MS));
    CHECK((uint16_t)(second.rtp.sequence - first.rtp.sequence) == 1);
    CHECK((second.rtp.payload[0] << 8 | second.rtp.payload[1]) == lost.rtp.sequence);
    CHECK(second.rtp.payload_size == first.rtp.payload_size);
    CHECK(stream_stats(plane, client.leg, MCU_CAMERA, true).resent == 2);
    leave(&client);
    mcu_plane_free(plane);
}

static void what_is_asked_for_many_times_at_once_comes_once(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct packet lost = {0}, again;
    uint8_t picture[5000], seen[5000], data[MCU_RTCP_MAX];
    size_t size = 0;
    join(&client, plane, RTX_TYPE); /* no report came: the round trip is not known */
    make_picture(picture, sizeof picture, true);
    CHECK(mcu_plane_send_picture(plane, MCU_CAMERA, &client.leg, 1, false, picture,
                                 sizeof picture, 7, true) == 1);
    watch(&client, seen, sizeof seen, 2, &lost);
    const int64_t sequence = lost.rtp.sequence;
    mcu_rtcp_rr(data, &size, client.video_ssrc, NULL, 0);
    for (int i = 0; i < 50; i++)
        CHECK(mcu_rtcp_nack(data, &size, client.video_ssrc, lost.rtp.ssrc, &sequence, 1) == 0);
    send_report(&client, data, size);
    CHECK(receive_rtp(&client, RTX_TYPE, &again, PATIENCE_MS));
    const struct mcu_stream_stats stats = stream_stats(plane, client.leg, MCU_CAMERA, true);
    CHECK(stats.resent == 1 && stats.nacks == 50);
    leave(&client);
    mcu_plane_free(plane);
}

static void who_asks_without_end_is_heard_a_thousand_times_a_second(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct packet packet;
    uint8_t picture[500], data[MCU_RTCP_MAX + MCU_SRTP_TRAILER];
    join(&client, plane, RTX_TYPE);
    make_picture(picture, sizeof picture, true);
    CHECK(mcu_plane_send_picture(plane, MCU_CAMERA, &client.leg, 1, false, picture,
                                 sizeof picture, 7, true) == 1);
    CHECK(receive_rtp(&client, VIDEO_TYPE, &packet, PATIENCE_MS));
    int64_t asked[250];
    for (int i = 0; i < 250; i++) /* an item each */
        asked[i] = 20 * i;
    struct timespec begun, ended;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    for (int i = 0; i < 20; i++) {
        size_t size = 0;
        mcu_rtcp_rr(data, &size, client.video_ssrc, NULL, 0);
        CHECK(mcu_rtcp_nack(data, &size, client.video_ssrc, packet.rtp.ssrc, asked, 250) == 0);
        send_report(&client, data, size);
    }
    CHECK(check(&client, false) == 200); /* all that came before it has been read */
    clock_gettime(CLOCK_MONOTONIC, &ended);
    const struct mcu_stream_stats stats = stream_stats(plane, client.leg, MCU_CAMERA, true);
    /* the one that it began in, and the one that it ended in, are two */
    const uint64_t seconds = (uint64_t)(ended.tv_sec - begun.tv_sec) + 2;
    CHECK(stats.nacks >= 1000 && stats.nacks <= 1000 * seconds);
    leave(&client);
    mcu_plane_free(plane);
}

static void without_rtx_the_very_same_packet_comes_again(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct packet packet, again;
    uint8_t picture[900];
    join(&client, plane, 0);
    make_picture(picture, sizeof picture, true);
    CHECK(mcu_plane_send_picture(plane, MCU_CAMERA, &client.leg, 1, false, picture,
                                 sizeof picture, 7, true) == 1);
    do
        CHECK(receive(&client, &packet, PATIENCE_MS)); /* as it is on the wire */
    while ((packet.data[1] & 0x7F) != VIDEO_TYPE);
    again = packet;
    CHECK(mcu_srtp_unprotect(client.in, again.data, &again.size) == 0);
    const struct mcu_rtp_extensions none = {0};
    CHECK(mcu_rtp_parse(&again.rtp, again.data, again.size, &none, false) == 0);
    ask_again(&client, &again);
    do
        CHECK(receive(&client, &again, PATIENCE_MS));
    while ((again.data[1] & 0x7F) != VIDEO_TYPE);
    CHECK(again.size == packet.size && !memcmp(again.data, packet.data, packet.size));
    leave(&client);
    mcu_plane_free(plane);
}

void video_tests(void)
{
    TEST(a_picture_comes_whole);
    TEST(a_lost_packet_is_asked_for_and_taken_as_rtx);
    TEST(a_key_frame_is_asked_for_when_a_picture_cannot_be_had);
    TEST(a_picture_from_another_ssrc_begins_anew);
    TEST(a_picture_goes_to_many_legs_whole);
    TEST(what_is_asked_for_again_comes_as_rtx);
    TEST(who_loses_much_gets_what_it_asks_for_twice);
    TEST(what_is_asked_for_many_times_at_once_comes_once);
    TEST(who_asks_without_end_is_heard_a_thousand_times_a_second);
    TEST(without_rtx_the_very_same_packet_comes_again);
}
