import { describe, expect, it } from "vitest";
import { type MeetingState, START, calling, heard, mine, place, present, waiting } from "../src/meeting/state.js";
import type { Entry, LegState, NoticeShown, Welcome } from "../src/protocol.js";

const entry = (leg: string, state: LegState = "in_room"): Entry => ({
  leg,
  name: leg,
  role: "guest",
  kind: "webrtc",
  state,
  muted: false,
  camera: true,
  screen: false,
  hand: 0,
  speaking: false,
  unattended: false,
});

const welcome: Welcome = {
  type: "welcome",
  leg: "leg_me",
  role: "host",
  title: "Team",
  language: "sv",
  reconnect_token: "secret",
  resume_window_s: 60,
};

const notice = (id: string, untold: NoticeShown["untold"] = []): NoticeShown => ({
  type: "notice",
  notice: id,
  kind: "joined",
  text: `${id} joined`,
  at: "2026-11-21T21:00:00Z",
  untold,
});

const seated = (state: LegState): MeetingState =>
  heard(heard(START, welcome), { type: "roster", entries: [entry("leg_me", state), entry("leg_other")] });

describe("the state of a meeting", () => {
  it("has a seat when the server welcomes it", () => {
    expect(heard(START, welcome)).toMatchObject({ phase: "in", me: "leg_me", role: "host", seatKept: 60 });
  });

  it("keeps no token", () => {
    expect(JSON.stringify(heard(START, welcome))).not.toContain("secret");
  });

  it.each([
    ["in_room", "room"],
    ["held", "held"],
    ["announcing", "announcing"],
    ["waiting", "lobby"],
    ["connecting", "connecting"],
  ] as const)("of a leg that is %s is shown as %s", (state, shown) => {
    expect(place(seated(state))).toBe(shown);
  });

  it("is the lobby as soon as the server says so, before any roster", () => {
    expect(place(heard(heard(START, welcome), { type: "lobby", reason: "host" }))).toBe("lobby");
  });

  it("finds my own line of the roster by my leg and not by my name", () => {
    const state = heard(heard(START, welcome), { type: "roster", entries: [{ ...entry("x"), name: "leg_me" }] });
    expect(mine(state)).toBeUndefined();
  });

  it("counts those on hold and on their way here or back as present, and those in the lobby as waiting", () => {
    const legs = [
      entry("a"),
      entry("b", "held"),
      entry("c", "reconnecting"),
      entry("d", "waiting"),
      entry("e", "connecting"),
    ];
    const state = heard(START, { type: "roster", entries: legs });
    expect(present(state).map((one) => one.leg)).toEqual(["a", "b", "c", "e"]);
    expect(waiting(state).map((one) => one.leg)).toEqual(["d"]);
  });

  it("shows a notice once, and who was not told when that becomes known", () => {
    const untold = [{ leg: "leg_b", name: "B", outcome: "not_received" }];
    const state = heard(heard(START, notice("n1")), notice("n1", untold));
    expect(state.notices).toEqual([notice("n1", untold)]);
  });

  it("keeps the newest hundred notices", () => {
    let state = START;
    for (let i = 0; i < 130; i += 1) state = heard(state, notice(`n${i}`));
    expect(state.notices).toHaveLength(100);
    expect(state.notices.at(-1)?.notice).toBe("n129");
  });

  it("has what was said once, though the server says it again after each welcome", () => {
    const line = { type: "chat", leg: "leg_b", name: "B", text: "Hej", at: "2026-11-21T21:00:00Z" } as const;
    const twice = [welcome, line, welcome, line].reduce<MeetingState>(heard, START);
    expect(twice.chat).toEqual([line]);
  });

  it("tells when the room ends, and when it does not after all", () => {
    const ending = heard(START, { type: "ending", at: "2026-11-21T22:00:00Z" });
    expect(ending.endsAt).toBe("2026-11-21T22:00:00Z");
    expect(heard(ending, { type: "ending", at: null }).endsAt).toBeNull();
  });

  it("is over when the server says gone, and says why", () => {
    expect(heard(START, { type: "gone", cause: "removed" })).toMatchObject({ phase: "over", cause: "removed" });
  });

  it("shows who is called until they have a seat, and begins anew with each welcome", () => {
    const one = { call: "call_1", name: "Bo", role: "guest", stage: "ringing", participant: null, leg: null } as const;
    const rings = heard(START, { type: "calls", called: [one] });
    expect(calling(rings)).toEqual([one]);
    expect(calling(heard(rings, { type: "calls", called: [{ ...one, stage: "joined", leg: "leg_1" }] }))).toEqual([]);
    expect(heard(rings, welcome).called).toEqual([]);
  });
});
