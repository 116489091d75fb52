/* One RTP packet of ours: header, payload, SRTP. Locked. */
#ifndef MCU_PLANE_SEND_H
#define MCU_PLANE_SEND_H

#include "internal.h"

/* Bytes of a payload of video: with the longest header (mid, abs-send-time, transport-wide
 * number), and the two bytes of RTX, within MCU_MTU. */
#define SEND_PAYLOAD (MCU_MTU - 48 - 2)
#define SEND_HEADERS 80 /* on the wire, with what SRTP adds */

/* Whether anything may be sent to a leg now. */
bool send_ready(const struct leg *leg);
/* The same for RTP: it is not on hold. */
bool send_media(const struct leg *leg);
/* Adds what was written where the batch has it, to where a leg's RTCP goes. */
void send_rtcp(const struct leg *leg, struct udp_batch *batch, size_t size);

/* Hz of its RTP timestamps. */
uint32_t send_clock(const struct out_stream *stream);

/* What all packets of a stream have in their headers; no level, no marker. */
struct mcu_rtp send_header(const struct out_stream *stream, int64_t sequence,
                           uint32_t timestamp, int64_t now);

/* Header (with the stream's extensions, and the next transport-wide number), `prefix` and
 * payload, protected, into the batch, which has room; counted. Returns false where SRTP
 * refuses it; nothing is added then. */
struct send_payload {
    const uint8_t *data;
    size_t size;
    const uint8_t *prefix;
    size_t prefix_size;
    uint8_t padding; /* bytes after it, the last of which says how many they are */
};
bool send_rtp(struct leg *leg, const struct out_stream *stream, struct mcu_rtp *header,
              const struct send_payload *payload, struct udp_batch *batch, int64_t now);

/* What was sent as this extended sequence number goes once more: as RTX (RFC 4588) where that
 * was agreed, else as the very same packet. Locked; the batch has room. */
void send_again(struct leg *leg, struct out_stream *stream, int64_t sequence,
                struct udp_batch *batch, int64_t now);
/* One packet of a picture, the stream's next. The batch has room. false: SRTP refused it. */
bool send_picture_packet(struct leg *leg, struct out_stream *stream,
                         struct mcu_payloads *payloads, uint32_t number,
                         struct udp_batch *batch, int64_t now);
/* One of nothing but so much padding, among the retransmissions. */
void send_padding_packet(struct leg *leg, struct out_stream *stream, uint8_t padding,
                         struct udp_batch *batch, int64_t now);

#endif
