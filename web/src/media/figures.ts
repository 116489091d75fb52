/** What this browser counts of its own sound and picture, of which the server knows nothing. */

/** All in seconds, since the connection was made. */
export interface Figures {
  /** Sound that was played. */
  played: number;
  /** Of that, what was made up because it did not come in time; silence is not counted. */
  madeUp: number;
  /** For how long the picture was made smaller for want of processor. Not every browser says so. */
  slow: number;
}

type Counted = Partial<RTCInboundRtpStreamStats & RTCOutboundRtpStreamStats> & {
  type: string;
  qualityLimitationDurations?: Record<string, number>;
};

const HERTZ = 48_000;

export function figuresIn(report: Iterable<[string, unknown]>): Figures {
  const figures: Figures = { played: 0, madeUp: 0, slow: 0 };
  for (const [, each] of report) {
    const one = each as Counted;
    if (one.type === "inbound-rtp" && one.kind === "audio") {
      figures.played = (one.totalSamplesReceived ?? 0) / HERTZ;
      figures.madeUp = ((one.concealedSamples ?? 0) - (one.silentConcealedSamples ?? 0)) / HERTZ;
    }
    if (one.type === "outbound-rtp")
      figures.slow = Math.max(figures.slow, one.qualityLimitationDurations?.["cpu"] ?? 0);
  }
  return figures;
}
