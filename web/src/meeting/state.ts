/**
 * What this page knows of its meeting, as one value. `heard` is the only way it follows the server; it decides nothing
 * about sound or picture.
 */

import type {
  Called,
  ChatLine,
  Entry,
  FromServer,
  Layout,
  LayoutMap,
  LegId,
  NetworkSeen,
  NoticeShown,
  Role,
} from "../protocol.js";

/** `out`: not joined. `in`: has a seat and its sockets. `resuming`: has a seat, on its way back to it. */
export type Phase = "out" | "joining" | "in" | "resuming" | "over";

/** Where this seat is, for what is shown. */
export type Place = "connecting" | "lobby" | "announcing" | "room" | "held";

export interface MeetingState {
  phase: Phase;
  me: LegId | null;
  role: Role;
  title: string;
  roster: Entry[];
  /** For hosts: who are called in, and what came of it. */
  called: Called[];
  map: LayoutMap | null;
  lobby: "host" | "admission" | null;
  locked: boolean;
  roomLayout: Layout;
  spotlight: LegId | null;
  active: LegId | null;
  chat: ChatLine[];
  notices: NoticeShown[];
  /** What the server sees of this seat's network; nothing before it has seen enough. */
  network: NetworkSeen | null;
  /** How many seconds a seat is kept after its connection was lost, as the server said. */
  seatKept: number | null;
  /** When the room ends, where that is near. */
  endsAt: string | null;
  refusal: { text: string; code: string } | null;
  cause: string | null;
}

export const START: MeetingState = {
  phase: "out",
  me: null,
  role: "guest",
  title: "",
  roster: [],
  called: [],
  map: null,
  lobby: null,
  locked: false,
  roomLayout: "auto",
  spotlight: null,
  active: null,
  chat: [],
  notices: [],
  network: null,
  seatKept: null,
  endsAt: null,
  refusal: null,
  cause: null,
};

const CHAT_KEPT = 500;
const NOTICES_KEPT = 100;

type Message<T extends FromServer["type"]> = Extract<FromServer, { type: T }>;
type Change<T extends FromServer["type"]> = (message: Message<T>, state: MeetingState) => Partial<MeetingState>;

/** What each message changes. `reconnect`, `ice_restarted` and `relays` change nothing here: the meeting acts on them. */
const CHANGES: { [T in FromServer["type"]]: Change<T> } = {
  welcome: ({ leg, role, title, resume_window_s }) => ({
    phase: "in",
    me: leg,
    role,
    title,
    seatKept: resume_window_s,
    lobby: null,
    chat: [], // what was said comes again after it
    called: [],
    refusal: null,
  }),
  roster: ({ entries }) => ({ roster: entries }),
  calls: ({ called }) => ({ called }),
  notice: (message, state) => ({ notices: withNotice(state.notices, message) }),
  layout_map: (message) => ({ map: message }),
  network: (message) => ({ network: message }),
  lobby: ({ reason }) => ({ lobby: reason }),
  room: ({ locked, layout, spotlight, active }) => ({ locked, roomLayout: layout, spotlight, active }),
  chat: (message, state) => ({ chat: [...state.chat, message].slice(-CHAT_KEPT) }),
  reconnect: () => ({}),
  ice_restarted: () => ({}),
  relays: () => ({}),
  ending: ({ at }) => ({ endsAt: at }),
  refusal: ({ code, text }) => ({ refusal: { code, text } }),
  gone: ({ cause }) => ({ phase: "over", cause }),
};

/** The state after one message. One of a kind that this page does not know (a newer server) changes nothing. */
export function heard(state: MeetingState, message: FromServer): MeetingState {
  const change = CHANGES[message.type] as Change<FromServer["type"]> | undefined;
  return change ? { ...state, ...change(message, state) } : state;
}

/** A notice comes again, whole, when those who were not told have changed. */
function withNotice(notices: NoticeShown[], notice: NoticeShown): NoticeShown[] {
  const known = notices.some((one) => one.notice === notice.notice);
  if (known) return notices.map((one) => (one.notice === notice.notice ? notice : one));
  return [...notices, notice].slice(-NOTICES_KEPT);
}

/** My own line of the roster, where it has come. */
export function mine(state: MeetingState): Entry | undefined {
  return state.roster.find((entry) => entry.leg === state.me);
}

export function place(state: MeetingState): Place {
  switch (mine(state)?.state) {
    case "in_room":
      return "room";
    case "held":
      return "held";
    case "announcing":
      return "announcing";
    case "waiting":
      return "lobby";
    default:
      return state.lobby ? "lobby" : "connecting";
  }
}

/** Those who are in the meeting, on hold, or on their way to it or back: nobody has a seat here unseen. */
export function present(state: MeetingState): Entry[] {
  return state.roster.filter((entry) => !["waiting", "gone"].includes(entry.state));
}

export function waiting(state: MeetingState): Entry[] {
  return state.roster.filter((entry) => entry.state === "waiting");
}

/** Those who are called and have no seat: who has one is among the people. */
export function calling(state: MeetingState): Called[] {
  return state.called.filter((one) => one.stage !== "joined");
}
