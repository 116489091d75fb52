/** Which video codecs are offered, and in which order. */

type Codec = Pick<RTCRtpCodec, "mimeType" | "sdpFmtpLine">;

/** H.264 constrained baseline (42e01f, packetization mode 1) first, then VP8; retransmission stays; others are not offered. */
export function preferred<T extends Codec>(codecs: readonly T[]): T[] {
  const ranked = codecs.map((codec) => ({ codec, rank: rank(codec) })).filter((one) => one.rank < UNWANTED);
  return ranked.sort((a, b) => a.rank - b.rank).map((one) => one.codec);
}

const UNWANTED = 9;

function rank(codec: Codec): number {
  switch (codec.mimeType.toLowerCase()) {
    case "video/h264":
      return constrainedBaseline(codec.sdpFmtpLine ?? "") ? 0 : UNWANTED;
    case "video/vp8":
      return 1;
    case "video/rtx":
      return 2;
    default:
      return UNWANTED;
  }
}

function constrainedBaseline(parameters: string): boolean {
  return /profile-level-id=42e0/i.test(parameters) && /packetization-mode=1/.test(parameters);
}
