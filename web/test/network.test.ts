import { describe, expect, it } from "vitest";
import { figuresIn } from "../src/media/figures.js";
import { type Own, judged, settled, told } from "../src/meeting/network.js";
import type { NetworkSeen } from "../src/protocol.js";

const GOOD: NetworkSeen = { type: "network", level: "good", trouble: "none" };
const NOTHING = { played: 0, madeUp: 0, slow: 0 };

describe("one's own network in words", () => {
  it("is not told before the server has seen enough of it", () => {
    expect(told(null, "gaps")).toBeNull();
  });

  it("has no advice where all is well", () => {
    expect(told(GOOD, "fine")).toEqual({ level: "good", title: "net.good", detail: null, next: null });
  });

  it("says what is wrong and what to do, as the server sees it", () => {
    expect(told({ ...GOOD, level: "poor", trouble: "sending" }, "slow")).toEqual({
      level: "poor",
      title: "net.poor",
      detail: "net.sending",
      next: "net.move",
    });
  });

  it("is weak where only this browser sees that sound is missing", () => {
    expect(told(GOOD, "gaps")).toMatchObject({ level: "weak", detail: "net.receiving" });
  });

  it("is not blamed for a computer that cannot keep up", () => {
    expect(told(GOOD, "slow")).toMatchObject({ title: "net.slow", next: "net.close" });
  });
});

describe("what this browser sees", () => {
  it("is read from its statistics, without the silence that was made up", () => {
    const report = new Map<string, unknown>([
      [
        "A",
        {
          type: "inbound-rtp",
          kind: "audio",
          totalSamplesReceived: 96000,
          concealedSamples: 4800,
          silentConcealedSamples: 2400,
        },
      ],
      ["B", { type: "outbound-rtp", kind: "video", qualityLimitationDurations: { cpu: 1.5 } }],
      ["C", { type: "outbound-rtp", kind: "video" }],
    ]);
    expect(figuresIn(report)).toEqual({ played: 2, madeUp: 0.05, slow: 1.5 });
  });

  it("is judged by what has come since last time", () => {
    expect(judged(NOTHING, { played: 2, madeUp: 0.05, slow: 0.1 })).toBe("fine");
    expect(judged(NOTHING, { played: 2, madeUp: 0.2, slow: 0.1 })).toBe("gaps");
    expect(judged(NOTHING, { played: 2, madeUp: 0.2, slow: 1.9 })).toBe("slow");
    expect(judged({ played: 9, madeUp: 4, slow: 9 }, { played: 9, madeUp: 4, slow: 9 })).toBe("fine");
  });

  it("counts when it lasts: two readings for the worse, five for the better", () => {
    const said: Own[] = [];
    let word: Own = "fine";
    const words = ["gaps", "fine", "gaps", "gaps", "fine", "fine", "fine", "fine", "fine"].map((one) => {
      said.push(one as Own);
      word = settled(word, said.slice(-5));
      return word;
    });
    expect(words).toEqual(["fine", "fine", "fine", "gaps", "gaps", "gaps", "gaps", "gaps", "fine"]);
  });
});
