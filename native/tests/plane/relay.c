/* Pairs of legs that send on what comes to the other. */
#include "client.h"
#include "tests.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SAID "\x80\x6f the very bytes that one of them sent"
#define REPORT "\x80\xc9\x00\x01 of an SSRC"

/* One of the two far ends: two sockets, and the leg that it talks to. */
struct end {
    struct client rtp, rtcp;
    struct mcu_relay_side side;
};

static struct sockaddr_in home(const char *address)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    CHECK(inet_pton(AF_INET, address, &at.sin_addr) == 1);
    return at;
}

static int relay(struct mcu_plane *plane, bool opened, struct mcu_relay_side sides[2])
{
    const struct sockaddr_in at = home("127.0.0.1");
    return mcu_plane_add_relay(plane, (const struct sockaddr *)&at,
                               (const struct sockaddr *)&at, opened, sides);
}

static void open_end(struct end *end, struct mcu_plane *plane, struct mcu_relay_side side)
{
    memset(end, 0, sizeof *end);
    end->side = side;
    end->rtp.plane = end->rtcp.plane = plane;
    end->rtp.leg = end->rtcp.leg = side.leg;
    end->rtp.fd = open_socket(&end->rtp.local);
    end->rtcp.fd = open_socket(&end->rtcp.local);
    end->rtp.server = end->rtcp.server = end->rtp.local;
    end->rtp.server.sin_port = htons(side.rtp_port);
    end->rtcp.server.sin_port = htons(side.rtcp_port);
}

static void known(struct end *end)
{
    CHECK(mcu_plane_set_remote(end->rtp.plane, end->side.leg,
                               (struct sockaddr *)&end->rtp.local,
                               (struct sockaddr *)&end->rtcp.local) == 0);
}

static void begin(struct mcu_plane *plane, bool opened, struct end ends[2])
{
    struct mcu_relay_side sides[2];
    CHECK(relay(plane, opened, sides) == 0);
    for (int i = 0; i < 2; i++)
        open_end(&ends[i], plane, sides[i]);
}

static void end_all(struct mcu_plane *plane, struct end ends[2])
{
    for (int i = 0; i < 2; i++) {
        close(ends[i].rtcp.fd);
        leave(&ends[i].rtp);
    }
    mcu_plane_free(plane);
}

static bool gets(struct client *client, const char *what, size_t size, uint16_t from)
{
    struct packet packet;
    return receive(client, &packet, PATIENCE_MS) && packet.size == size &&
           memcmp(packet.data, what, size) == 0 && packet.from == from;
}

static void what_comes_to_one_goes_on_as_it_is_by_the_like_port_of_the_other(void)
{
    struct mcu_plane *plane = new_plane();
    struct end ends[2];
    struct packet packet;
    begin(plane, false, ends);
    known(&ends[0]);
    known(&ends[1]);
    for (int i = 0; i < 2; i++) {
        struct end *from = &ends[i], *to = &ends[1 - i];
        send_raw(&from->rtp, SAID, sizeof SAID);
        CHECK(gets(&to->rtp, SAID, sizeof SAID, to->side.rtp_port));
        send_raw(&from->rtcp, REPORT, sizeof REPORT);
        CHECK(gets(&to->rtcp, REPORT, sizeof REPORT, to->side.rtcp_port));
    }
    CHECK(!receive(&ends[0].rtcp, &packet, 1500)); /* no report of the plane's own */
    CHECK(!said(plane, MCU_EVENT_SILENT, 0, 2500));
    end_all(plane, ends);
}

static void nothing_is_relayed_of_a_stranger_of_another_protocol_or_to_nowhere(void)
{
    struct mcu_plane *plane = new_plane();
    struct end ends[2];
    struct packet packet;
    begin(plane, false, ends);
    known(&ends[0]);
    send_raw(&ends[0].rtp, SAID, sizeof SAID); /* the other is nowhere yet */
    CHECK(drops(plane, MCU_DROP_RTP_UNKNOWN, 1));
    send_raw(&ends[1].rtp, SAID, sizeof SAID); /* nobody knows that it is the other */
    CHECK(drops(plane, MCU_DROP_STRANGER, 1));
    known(&ends[1]);
    struct client stranger = ends[0].rtp;
    stranger.fd = open_socket(&stranger.local);
    usleep(600000); /* of who gives no keys, silence moves nothing */
    send_raw(&stranger, SAID, sizeof SAID);
    CHECK(drops(plane, MCU_DROP_STRANGER, 2));
    send_raw(&ends[0].rtp, "GET / HTTP/1.1", 14);
    CHECK(drops(plane, MCU_DROP_DATAGRAM, 1));
    CHECK(!receive(&ends[1].rtp, &packet, QUIET_MS));
    CHECK(mcu_plane_remove(plane, ends[1].side.leg) == 0);
    send_raw(&ends[0].rtp, SAID, sizeof SAID);
    CHECK(drops(plane, MCU_DROP_RTP_UNKNOWN, 2));
    close(stranger.fd);
    end_all(plane, ends);
}

static void one_whose_keys_are_known_is_where_its_authentic_packets_come_from(void)
{
    struct mcu_plane *plane = new_plane();
    struct end ends[2];
    struct packet packet;
    uint8_t sound[MCU_DATAGRAM];
    begin(plane, false, ends);
    known(&ends[1]);
    struct client *client = &ends[0].rtp;
    client->ssrc = 99;
    set_keys(client);
    send_raw(client, SAID, sizeof SAID); /* not known where, and not authentic */
    CHECK(drops(plane, MCU_DROP_SRTP, 1));
    const size_t size = make_sound(client, -1, sound);
    send_raw(client, sound, size);
    CHECK(gets(&ends[1].rtp, (const char *)sound, size, ends[1].side.rtp_port));
    send_raw(&ends[1].rtp, SAID, sizeof SAID);
    CHECK(gets(client, SAID, sizeof SAID, ends[0].side.rtp_port));
    struct client moved = *client;
    moved.fd = open_socket(&moved.local);
    const size_t next = make_sound(&moved, -1, sound);
    send_raw(&moved, sound, next); /* while it is heard where it was */
    CHECK(drops(plane, MCU_DROP_STRANGER, 1));
    usleep(600000);
    send_raw(&moved, sound, next);
    CHECK(gets(&ends[1].rtp, (const char *)sound, next, ends[1].side.rtp_port));
    uint8_t report[MCU_DATAGRAM] = {0};
    size_t size_of_report = 0;
    mcu_rtcp_rr(report, &size_of_report, 99, NULL, 0);
    CHECK(mcu_srtp_protect_rtcp(moved.out, report, &size_of_report) == 0);
    moved.server.sin_port = htons(ends[0].side.rtcp_port);
    send_raw(&moved, report, size_of_report); /* its reports move by themselves */
    CHECK(gets(&ends[1].rtcp, (const char *)report, size_of_report, ends[1].side.rtcp_port));
    send_raw(&ends[1].rtp, SAID, sizeof SAID);
    CHECK(gets(&moved, SAID, sizeof SAID, ends[0].side.rtp_port));
    CHECK(!receive(client, &packet, QUIET_MS));
    close(moved.fd);
    end_all(plane, ends);
}

/* -- opened -- */

#define ANNAS 99
#define BOS 77

/* Two far ends that have no keys in common, and are known. */
static void begin_opened(struct mcu_plane *plane, struct end ends[2])
{
    begin(plane, true, ends);
    for (int i = 0; i < 2; i++) {
        known(&ends[i]);
        ends[i].rtp.ssrc = i ? BOS : ANNAS;
        set_keys(&ends[i].rtp);
        ends[i].rtcp.in = ends[i].rtp.in;
    }
}

/* Says one packet of sound; what the other hears of it. */
static struct packet heard(struct end *from, struct end *to)
{
    struct packet packet = {0};
    say(&from->rtp, -1);
    CHECK(receive_rtp(&to->rtp, AUDIO_TYPE, &packet, PATIENCE_MS));
    return packet;
}

static void what_is_opened_reaches_the_other_by_its_own_keys_under_another_name(void)
{
    struct mcu_plane *plane = new_plane();
    struct end ends[2];
    struct packet packet;
    begin_opened(plane, ends);
    const uint32_t anna = heard(&ends[0], &ends[1]).rtp.ssrc;
    const uint32_t bo = heard(&ends[1], &ends[0]).rtp.ssrc;
    CHECK(anna != ANNAS && bo != BOS && anna != bo);
    packet = heard(&ends[0], &ends[1]);
    CHECK(packet.rtp.ssrc == anna &&
          packet.rtp.sequence == (uint16_t)(ends[0].rtp.sequence - 1));
    CHECK(packet.rtp.payload_size == 3);
    uint8_t sound[MCU_DATAGRAM];
    const size_t size = make_sound(&ends[0].rtp, -1, sound);
    send_raw(&ends[0].rtp, sound, size);
    CHECK(receive_rtp(&ends[1].rtp, AUDIO_TYPE, &packet, PATIENCE_MS));
    send_raw(&ends[0].rtp, sound, size); /* again */
    CHECK(drops(plane, MCU_DROP_SRTP, 1));
    ends[0].rtp.ssrc = ANNAS + 1; /* her phone goes on with another stream */
    CHECK(heard(&ends[0], &ends[1]).rtp.ssrc != anna);
    end_all(plane, ends);
}

static void reports_of_what_is_opened_speak_of_names_that_the_other_knows(void)
{
    struct mcu_plane *plane = new_plane();
    struct end ends[2];
    struct mcu_rtcp_event event;
    uint8_t report[MCU_RTCP_MAX] = {0};
    size_t size = 0;
    begin_opened(plane, ends);
    const uint32_t anna = heard(&ends[0], &ends[1]).rtp.ssrc;
    const uint32_t bo = heard(&ends[1], &ends[0]).rtp.ssrc;
    const struct mcu_rtcp_block block = {.ssrc = anna, .highest = 17};
    CHECK(mcu_rtcp_rr(report, &size, BOS, &block, 1) == 0);
    CHECK(mcu_rtcp_pli(report, &size, BOS, anna) == 0);
    CHECK(mcu_srtp_protect_rtcp(ends[1].rtp.out, report, &size) == 0);
    send_raw(&ends[1].rtcp, report, size);
    CHECK(receive_rtcp(&ends[0].rtcp, MCU_RTCP_REPORT, &event, PATIENCE_MS));
    CHECK(event.ssrc == bo && event.media_ssrc == ANNAS && event.highest == 17);
    end_all(plane, ends);
}

static void nothing_is_opened_that_is_clear_not_authentic_or_of_another_protocol(void)
{
    struct mcu_plane *plane = new_plane();
    struct end ends[2];
    struct packet packet;
    begin(plane, true, ends);
    known(&ends[0]);
    known(&ends[1]);
    ends[0].rtp.ssrc = ANNAS;
    send_raw(&ends[0].rtp, SAID, sizeof SAID);
    CHECK(drops(plane, MCU_DROP_RTP_NO_KEYS, 1));
    set_keys(&ends[0].rtp);
    say(&ends[0].rtp, -1); /* the other one has no keys */
    CHECK(drops(plane, MCU_DROP_RTP_NO_KEYS, 2));
    set_keys(&ends[1].rtp);
    send_raw(&ends[0].rtp, SAID, sizeof SAID);
    CHECK(drops(plane, MCU_DROP_SRTP, 1));
    send_raw(&ends[0].rtp, "\x16\xfe\xff of DTLS", 11);
    CHECK(drops(plane, MCU_DROP_DATAGRAM, 1));
    CHECK(!receive(&ends[1].rtp, &packet, QUIET_MS));
    struct client moved = ends[0].rtp;
    moved.fd = open_socket(&moved.local);
    usleep(600000);
    say(&moved, -1); /* it is she, elsewhere */
    CHECK(receive_rtp(&ends[1].rtp, AUDIO_TYPE, &packet, PATIENCE_MS));
    close(moved.fd);
    end_all(plane, ends);
}

static void who_has_other_keys_or_very_many_streams_never_has_a_name_again(void)
{
    struct mcu_plane *plane = new_plane();
    struct end ends[2];
    begin_opened(plane, ends);
    const uint32_t before = heard(&ends[0], &ends[1]).rtp.ssrc;
    mcu_srtp_free(ends[0].rtp.out);
    mcu_srtp_free(ends[0].rtp.in);
    set_keys(&ends[0].rtp);
    ends[0].rtp.sequence = 0;
    CHECK(heard(&ends[0], &ends[1]).rtp.ssrc != before);
    for (uint32_t i = 0; i + 2 < MCU_SRTP_SOURCES; i++) {
        ends[0].rtp.ssrc = 1000 + i;
        heard(&ends[0], &ends[1]);
    }
    ends[0].rtp.ssrc = 1;
    say(&ends[0].rtp, -1);
    CHECK(drops(plane, MCU_DROP_RTP_MALFORMED, 1));
    end_all(plane, ends);
}

static void
a_relay_takes_two_pairs_of_the_range_or_none_and_only_the_planes_own_addresses(void)
{
    struct mcu_plane *plane = new_plane();
    struct mcu_relay_side sides[2];
    uint16_t rtp, rtcp;
    int last = 0;
    const struct sockaddr_in here = home("127.0.0.1"), elsewhere = home("127.0.0.9");
    CHECK(mcu_plane_add_relay(plane, (const struct sockaddr *)&here,
                              (const struct sockaddr *)&elsewhere, false, sides) == -1 &&
          errno == EINVAL);
    for (int i = 0; i < 9; i++) /* of ten pairs */
        CHECK((last = mcu_plane_add_rtp(plane, AF_INET, &rtp, &rtcp)) > 0);
    CHECK(relay(plane, false, sides) == -1 && errno == ENOSPC);
    CHECK(mcu_plane_remove(plane, last) == 0);
    CHECK(relay(plane, false, sides) == 0 && sides[0].rtp_port != sides[1].rtp_port);
    mcu_plane_free(plane);
}

void relay_tests(void)
{
    TEST(what_comes_to_one_goes_on_as_it_is_by_the_like_port_of_the_other);
    TEST(nothing_is_relayed_of_a_stranger_of_another_protocol_or_to_nowhere);
    TEST(one_whose_keys_are_known_is_where_its_authentic_packets_come_from);
    TEST(what_is_opened_reaches_the_other_by_its_own_keys_under_another_name);
    TEST(reports_of_what_is_opened_speak_of_names_that_the_other_knows);
    TEST(nothing_is_opened_that_is_clear_not_authentic_or_of_another_protocol);
    TEST(who_has_other_keys_or_very_many_streams_never_has_a_name_again);
    TEST(a_relay_takes_two_pairs_of_the_range_or_none_and_only_the_planes_own_addresses);
}
