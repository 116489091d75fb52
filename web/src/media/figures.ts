/** What this browser counts of its own sound and picture, of which the server knows nothing. */

/** All since the connection was made, and what is a time in seconds. */
export interface Figures {
  /** Sound that was played. */
  played: number;
  /** Of that, what was made up because it did not come in time; silence is not counted. */
  madeUp: number;
  /** For how long the picture was made smaller for want of processor. Not every browser says so. */
  slow: number;
  /** How many pictures of the meeting came; of what is shared, as a picture of its own, none are counted. */
  pictures: number;
}

type Counted = Partial<RTCInboundRtpStreamStats & RTCOutboundRtpStreamStats> & {
  type: string;
  qualityLimitationDurations?: Record<string, number>;
};

const HERTZ = 48_000;

/** `mid`: of the media line on which the meeting's picture comes. */
export function figuresIn(report: Iterable<[string, unknown]>, mid: string | null): Figures {
  const figures: Figures = { played: 0, madeUp: 0, slow: 0, pictures: 0 };
  for (const [, each] of report) {
    const one = each as Counted;
    if (one.type === "outbound-rtp")
      figures.slow = Math.max(figures.slow, one.qualityLimitationDurations?.["cpu"] ?? 0);
    if (one.type !== "inbound-rtp") continue;
    if (one.kind === "audio") Object.assign(figures, heard(one));
    if (one.kind === "video" && one.mid === mid) figures.pictures = one.framesDecoded ?? 0;
  }
  return figures;
}

function heard(sound: Counted): Pick<Figures, "played" | "madeUp"> {
  const madeUp = (sound.concealedSamples ?? 0) - (sound.silentConcealedSamples ?? 0);
  return { played: (sound.totalSamplesReceived ?? 0) / HERTZ, madeUp: madeUp / HERTZ };
}
