/** What the page and the server say over the WebSocket, as `mcu/signalling/webrtc/messages.py` has it. */

export type LegId = string;
export type Role = "host" | "guest";
export type LegKind = "webrtc" | "sip" | "h323" | "recorder" | "stream" | "probe";
export type LegState = "connecting" | "waiting" | "announcing" | "in_room" | "held" | "reconnecting" | "gone";
export type Layout = "auto" | "speaker" | "speaker_with_tiles" | "grid" | "presentation_with_tiles";
export type NoticeKind = "joined" | "left" | "reconnected" | "missed";

export interface Entry {
  leg: LegId;
  name: string;
  role: Role;
  kind: LegKind;
  state: LegState;
  muted: boolean;
  camera: boolean;
  screen: boolean;
  /** 0: not raised; else its place in the queue. */
  hand: number;
  speaking: boolean;
  /** A machine answered its call: it is muted until the person there acts. */
  unattended: boolean;
}

export type Stage =
  "calling" | "ringing" | "answered" | "joined" | "busy" | "no_answer" | "refused" | "unreachable" | "failed" | "ended";

/** Somebody who is called into the meeting. `leg`: where they sit, once they do. */
export interface Called {
  call: string;
  name: string;
  role: Role;
  stage: Stage;
  participant: string | null;
  leg: LegId | null;
}

/** Pixels from the top left of the composed picture. */
export interface Tile {
  leg: LegId;
  source: "camera" | "screen";
  x: number;
  y: number;
  width: number;
  height: number;
}

/** How one's own network is, and what is wrong with it. */
export type NetworkLevel = "good" | "weak" | "poor";
export type NetworkTrouble = "none" | "sending" | "receiving" | "delay" | "narrow" | "stopped";

export interface Told {
  leg: LegId;
  name: string;
  outcome: string;
}

export type ToServer =
  | { type: "hello"; token: string }
  | { type: "language"; language: string }
  | { type: "mute"; muted: boolean; leg?: LegId }
  | { type: "camera"; on: boolean }
  | { type: "screen"; on: boolean }
  | { type: "hold"; held: boolean }
  | { type: "hand"; raised: boolean; leg?: LegId }
  | { type: "layout"; layout: Layout | null; room?: boolean }
  | { type: "personal"; on: boolean | null }
  | { type: "chat"; text: string }
  | { type: "admit"; leg: LegId }
  | { type: "remove"; leg: LegId }
  | { type: "lock"; locked: boolean }
  | { type: "spotlight"; leg: LegId | null }
  | { type: "mute_guests" }
  | { type: "call_out"; to: string; name: string; role: Role; language: string }
  | { type: "hang_up"; call: string }
  | { type: "end" }
  | { type: "leave" }
  | { type: "restart_ice"; offer: string };

export interface Welcome {
  type: "welcome";
  leg: LegId;
  role: Role;
  title: string;
  language: string;
  reconnect_token: string;
  resume_window_s: number;
}

export interface NoticeShown {
  type: "notice";
  notice: string;
  kind: NoticeKind;
  text: string;
  at: string;
  untold: Told[];
}

/** `no_room`: it was asked for, and the server has no room for another encoder. */
export type Personal = "shared" | "personal" | "no_room";

export interface LayoutMap {
  type: "layout_map";
  layout: Layout;
  width: number;
  height: number;
  tiles: Tile[];
  /** Whose screen comes as a picture of its own, beside the composed one. */
  content: LegId | null;
  /** Whether one's own picture is left out of the composed one. */
  personal: Personal;
}

export interface NetworkSeen {
  type: "network";
  level: NetworkLevel;
  trouble: NetworkTrouble;
}

export interface ChatLine {
  type: "chat";
  leg: LegId;
  name: string;
  text: string;
  at: string;
}

export type FromServer =
  | Welcome
  | { type: "roster"; entries: Entry[] }
  | { type: "calls"; called: Called[] }
  | NoticeShown
  | LayoutMap
  | NetworkSeen
  | { type: "lobby"; reason: "host" | "admission" }
  | { type: "room"; locked: boolean; layout: Layout; spotlight: LegId | null; active: LegId | null }
  | ChatLine
  | { type: "reconnect" }
  | { type: "ice_restarted"; answer: string | null }
  | { type: "relays"; ice_servers: RTCIceServer[] }
  | { type: "ending"; at: string | null }
  | { type: "refusal"; code: string; text: string }
  | { type: "gone"; cause: string };

/** The longest chat line that the server takes, in characters. */
export const CHAT_LIMIT = 2000;
