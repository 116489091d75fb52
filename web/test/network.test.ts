import { describe, expect, it, vi } from "vitest";
import { en } from "../src/i18n/en.js";
import { sv } from "../src/i18n/sv.js";
import { figuresIn } from "../src/media/figures.js";
import { portIn, wayIn } from "../src/media/way.js";
import { type Own, OwnQuality, judged, settled, told } from "../src/meeting/network.js";
import type { NetworkSeen } from "../src/protocol.js";

const GOOD: NetworkSeen = { type: "network", level: "good", trouble: "none" };
const NOTHING = { played: 0, madeUp: 0, slow: 0, pictures: 0 };

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

  it("says that there is no picture for want of room in the line, in both languages", () => {
    expect(told({ ...GOOD, level: "weak", trouble: "stopped" }, "fine")).toMatchObject({ detail: "net.stopped" });
    expect([sv["net.stopped"], en["net.stopped"]]).toEqual([
      "Bilden är stoppad, så att ljudet går fram.",
      "The picture is stopped, so that the sound gets through.",
    ]);
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
      ["D", { type: "inbound-rtp", kind: "video", mid: "1", framesDecoded: 40 }],
      ["E", { type: "inbound-rtp", kind: "video", mid: "2", framesDecoded: 7 }],
    ]);
    expect(figuresIn(report, "1")).toEqual({ played: 2, madeUp: 0.05, slow: 1.5, pictures: 40 });
  });

  it("is judged by what has come since last time", () => {
    expect(judged(NOTHING, { ...NOTHING, played: 2, madeUp: 0.05, slow: 0.1 }, 2)).toBe("fine");
    expect(judged(NOTHING, { ...NOTHING, played: 2, madeUp: 0.2, slow: 0.1 }, 2)).toBe("gaps");
    expect(judged(NOTHING, { ...NOTHING, played: 2, madeUp: 0.2, slow: 1.9 }, 2)).toBe("slow");
    expect(
      judged({ ...NOTHING, played: 9, madeUp: 4, slow: 9 }, { ...NOTHING, played: 9, madeUp: 4, slow: 9 }, 2),
    ).toBe("fine");
  });

  it("is judged by the time that has passed: a tab in the background is seldom woken", () => {
    expect(judged(NOTHING, { ...NOTHING, played: 60, madeUp: 0, slow: 1.9 }, 60)).toBe("fine");
  });

  it("is nothing where the connection was closed meanwhile", async () => {
    vi.useFakeTimers();
    const changed = vi.fn();
    const quality = new OwnQuality(() => Promise.reject(new Error("closed")), changed);
    await vi.advanceTimersByTimeAsync(5000);
    quality.close();
    vi.useRealTimers();
    expect(quality.word).toBe("fine");
    expect(changed).not.toHaveBeenCalled();
  });

  it("is a picture that stands still when no new one has come for longer than what is at rest is sent again", async () => {
    vi.useFakeTimers();
    let pictures = 0;
    const changed = vi.fn();
    const quality = new OwnQuality(() => Promise.resolve({ ...NOTHING, pictures }), changed);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(quality.still).toBe(false); // there was none yet
    pictures = 1;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(quality.still).toBe(false);
    await vi.advanceTimersByTimeAsync(4000);
    expect(quality.still).toBe(true);
    pictures = 2;
    await vi.advanceTimersByTimeAsync(2000);
    quality.close();
    vi.useRealTimers();
    expect(quality.still).toBe(false);
    expect(changed).toHaveBeenCalledTimes(2);
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

describe("the way to the server", () => {
  const report = (ours: object): Map<string, unknown> =>
    new Map<string, unknown>([
      ["T", { type: "transport", selectedCandidatePairId: "P2" }],
      ["P1", { type: "candidate-pair", localCandidateId: "none" }],
      ["P2", { type: "candidate-pair", localCandidateId: "L" }],
      ["L", { type: "local-candidate", ...ours }],
    ]);

  it("is that of the pair that was chosen", () => {
    expect(wayIn(report({ candidateType: "host", protocol: "udp" }))).toBe("udp");
    expect(wayIn(report({ candidateType: "host", protocol: "tcp" }))).toBe("tcp");
    expect(wayIn(report({ candidateType: "relay", protocol: "udp" }))).toBe("relay");
  });

  it("is found where the browser marks the pair itself, and not known where nothing is", () => {
    const marked = report({ candidateType: "host", protocol: "udp" });
    marked.set("T", { type: "transport" });
    expect(wayIn(marked)).toBe("unknown");
    marked.set("P2", { type: "candidate-pair", localCandidateId: "L", selected: true });
    expect(wayIn(marked)).toBe("udp");
  });

  it("needs the port of the first candidate for UDP", () => {
    const tcp = "a=candidate:1 1 tcp 1518280447 192.0.2.1 9443 typ host tcptype passive";
    const udp = "a=candidate:2 1 udp 2130706431 192.0.2.1 41000 typ host";
    expect(portIn([tcp, udp, ""].join("\r\n"))).toBe(41000);
    expect(portIn(`${tcp}\r\n`)).toBeNull();
  });
});
