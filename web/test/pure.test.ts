import { describe, expect, it, vi } from "vitest";
import { Problem } from "../src/api/http.js";
import { type Form, dateField, meetingOf, newPin, timeField } from "../src/booking.js";
import { preferred } from "../src/media/codecs.js";
import { loudness } from "../src/media/level.js";
import { CAMERA, whole } from "../src/media/sizes.js";
import { pauseBefore } from "../src/meeting/backoff.js";
import { callee } from "../src/meeting/callee.js";
import { explain } from "../src/meeting/explain.js";
import { digits, routeOf, spaced } from "../src/routes.js";

const FORM: Form = {
  title: "Team",
  name: "Karin",
  when: "now",
  date: "2026-12-01",
  from: "09:00",
  to: "09:45",
  hostPin: "123456",
  guestPin: "",
  lobby: true,
  waitForHost: false,
};
const NOW = new Date("2026-11-21T21:00:00Z");

describe("codecs", () => {
  const h264 = (profile: string, mode: number): { mimeType: string; sdpFmtpLine: string } => ({
    mimeType: "video/H264",
    sdpFmtpLine: `level-asymmetry-allowed=1;packetization-mode=${mode};profile-level-id=${profile}`,
  });
  const vp8 = { mimeType: "video/VP8" };
  const rtx = { mimeType: "video/rtx" };

  it("put constrained baseline first, then VP8, then retransmission", () => {
    expect(preferred([vp8, rtx, h264("42e01f", 1)])).toEqual([h264("42e01f", 1), vp8, rtx]);
  });

  it("offer no other profile, no single-packet mode and no other codec", () => {
    expect(preferred([h264("640c1f", 1), h264("42e01f", 0), { mimeType: "video/AV1" }, vp8])).toEqual([vp8]);
  });
});

describe("the sizes of the camera", () => {
  const sender = (...encodings: RTCRtpEncodingParameters[]): Parameters<typeof whole>[0] => {
    const parameters = { encodings } as RTCRtpSendParameters;
    return { getParameters: () => parameters, setParameters: vi.fn(() => Promise.resolve()) };
  };

  it("stay three where the answer takes three", async () => {
    const three = sender(...CAMERA);
    await whole(three);
    expect(three.setParameters).not.toHaveBeenCalled();
  });

  it("become the whole picture where the answer takes one, which is the smallest", async () => {
    const one = sender({ ...CAMERA[0] });
    await whole(one);
    expect(one.setParameters).toHaveBeenCalledOnce();
    expect(one.getParameters().encodings[0]).toMatchObject({ scaleResolutionDownBy: 1, maxBitrate: 1_500_000 });
  });
});

describe("the pause before trying again", () => {
  it("is none at first, grows, and is never more than five seconds", () => {
    const pauses = Array.from({ length: 20 }, (_, attempt) => pauseBefore(attempt));
    expect(pauses[0]).toBe(0);
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
    expect(pauses.at(-1)).toBe(5000);
  });
});

describe("the level of a microphone", () => {
  it("is nothing for silence, everything for full scale, and half at -30 dB", () => {
    expect(loudness(new Float32Array(512))).toBe(0);
    expect(loudness(new Float32Array(512).fill(1))).toBe(1);
    expect(loudness(new Float32Array(512).fill(10 ** (-30 / 20)))).toBeCloseTo(0.5, 3);
  });
});

describe("addresses", () => {
  it("name the first page, a meeting by nine digits, and nothing else", () => {
    expect(routeOf("/")).toEqual({ page: "booking" });
    expect(routeOf("/j/482915370")).toEqual({ page: "meeting", number: "482915370" });
    for (const path of ["/j/", "/j/12345678", "/j/4829153701", "/j/48291537x", "/x"])
      expect(routeOf(path).page).toBe("unknown");
  });

  it("take a number as people write it", () => {
    expect(digits(" 482 915-370 ")).toBe("482915370");
    expect(spaced("482915370")).toBe("482 915 370");
  });
});

describe("a booking", () => {
  it("that is for now lasts an hour, with the one who books as its host", () => {
    expect(meetingOf(FORM, "sv", NOW, "Europe/Stockholm")).toMatchObject({
      start: "2026-11-21T21:00:00.000Z",
      end: "2026-11-21T22:00:00.000Z",
      time_zone: "Europe/Stockholm",
      participants: [{ name: "Karin", role: "host" }],
      access: { host_pin: "123456", guest_pin: null, lobby: { scope: "guests" } },
    });
  });

  it("that stands open has no times", () => {
    const meeting = meetingOf({ ...FORM, when: "always" }, "sv", NOW, "UTC");
    expect(meeting).not.toHaveProperty("start");
    expect(meeting).not.toHaveProperty("end");
  });

  it("that ends before it begins is none", () => {
    expect(meetingOf({ ...FORM, when: "later", to: "08:00" }, "sv", NOW, "UTC")).toBeNull();
    expect(meetingOf({ ...FORM, when: "later", date: "" }, "sv", NOW, "UTC")).toBeNull();
  });

  it("that is for later is at the time of this machine's clock", () => {
    const at = new Date("2026-12-01T09:30:00");
    const form: Form = { ...FORM, when: "later", date: dateField(at), from: timeField(at), to: "10:00" };
    expect(meetingOf(form, "sv", NOW, "UTC")?.start).toBe(at.toISOString());
  });

  it("gets PINs of six digits", () => {
    for (let i = 0; i < 50; i += 1) expect(newPin()).toMatch(/^\d{6}$/);
  });
});

describe("a refusal", () => {
  it("that could be the PIN's asks for the PIN", () => {
    const problem = new Problem(401, "number-or-pin-wrong", "");
    expect(explain(problem, "number")).toMatchObject({ title: "error.pinNeeded", pin: true });
    expect(explain(problem, "pin")).toMatchObject({ title: "error.pinWrong", pin: true });
    expect(explain(new Problem(401, "token-invalid", ""), "link")).toMatchObject({ title: "error.linkOld", pin: true });
    const short = new Problem(422, "invalid", "", [{ pointer: "/pin", detail: "", code: "" }]);
    expect(explain(short, "pin").title).toBe("error.pinWrong");
  });

  it.each(["meeting-full", "meeting-locked", "meeting-not-open", "meeting-over", "too-many-requests", "unavailable"])(
    "with the code %s has words of its own, and asks for no PIN",
    (code) => {
      const told = explain(new Problem(409, code, "x"), "number");
      expect(told.title).not.toBe("error.other");
      expect(told).toMatchObject({ pin: false, detail: "" });
    },
  );

  it("that the page does not know is told in the server's words", () => {
    expect(explain(new Problem(418, "teapot", "Brew it."), "number")).toMatchObject({
      title: "error.other",
      detail: "Brew it.",
    });
  });
});

describe("whom to call", () => {
  it.each([
    ["+46 70-123 45 67", "+46701234567"],
    ["0046 (8) 12 34 56 78", "+46812345678"],
    [" bo@far.example ", "sip:bo@far.example"],
    ["sips:bo@far.example", "sips:bo@far.example"],
    ["tel:+4681234567", "tel:+4681234567"],
  ])("may be written as people write it: %s", (written, meant) => {
    expect(callee(written)).toBe(meant);
  });
});
