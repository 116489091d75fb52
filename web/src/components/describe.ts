/** What a line of the roster says in words: the marks are never the only carrier of a meaning. */

import type { TemplateResult } from "lit";
import { type Key, t } from "../i18n/i18n.js";
import type { MeetingState } from "../meeting/state.js";
import type { Called, Entry, Layout, LegKind, LegState, Stage } from "../protocol.js";
import { icon } from "./icons.js";

export const KINDS: Record<LegKind, { text: Key; icon: TemplateResult | null }> = {
  webrtc: { text: "kind.webrtc", icon: null },
  sip: { text: "kind.sip", icon: icon.phone },
  h323: { text: "kind.h323", icon: icon.room },
  recorder: { text: "kind.recorder", icon: icon.record },
  stream: { text: "kind.stream", icon: icon.record },
  probe: { text: "kind.probe", icon: icon.settings },
};

const STATES: Partial<Record<LegState, Key>> = {
  connecting: "state.connecting",
  waiting: "state.waiting",
  announcing: "state.announcing",
  held: "state.held",
  reconnecting: "state.reconnecting",
};

export const STAGES: Record<Stage, Key> = {
  calling: "calls.calling",
  ringing: "calls.ringing",
  answered: "calls.answered",
  joined: "calls.joined",
  busy: "calls.busy",
  no_answer: "calls.noAnswer",
  refused: "calls.refused",
  unreachable: "calls.unreachable",
  failed: "calls.failed",
  ended: "calls.ended",
};

/** Whether the call may still become a seat. */
export function underWay(one: Called): boolean {
  return ["calling", "ringing", "answered"].includes(one.stage);
}

export const LAYOUTS: { layout: Layout; text: Key; hint: Key }[] = [
  { layout: "auto", text: "layout.auto", hint: "layout.auto.hint" },
  { layout: "speaker", text: "layout.speaker", hint: "layout.speaker.hint" },
  { layout: "speaker_with_tiles", text: "layout.speakerTiles", hint: "layout.speakerTiles.hint" },
  { layout: "grid", text: "layout.grid", hint: "layout.grid.hint" },
  { layout: "presentation_with_tiles", text: "layout.presentation", hint: "layout.presentation.hint" },
];

/** "host · telephone · on hold", or nothing. */
export function standing(entry: Entry): string {
  const words: string[] = [];
  if (entry.role === "host") words.push(t("people.host"));
  if (entry.kind !== "webrtc") words.push(t(KINDS[entry.kind].text));
  const state = STATES[entry.state];
  if (state) words.push(t(state));
  if (entry.unattended) words.push(t("state.unattended"));
  return words.join(" · ");
}

/** What is heard and seen of somebody, for a screen reader. */
export function marks(entry: Entry): string {
  const words: string[] = [];
  if (entry.speaking) words.push(t("mark.speaking"));
  if (entry.muted) words.push(t("mark.muted"));
  if (!entry.camera) words.push(t("mark.cameraOff"));
  if (entry.screen) words.push(t("mark.screen"));
  if (entry.hand) words.push(t("mark.hand", { place: entry.hand }));
  return words.join(", ");
}

/** How many notices of each kind a person did not get, in one line. */
export function names(people: { name: string }[]): string {
  return people.map((one) => one.name).join(", ");
}

/** What is said while the connection is lost; for how long the seat is kept, where the server has told us. */
export function lost(state: MeetingState): string {
  const { seatKept } = state;
  return seatKept === null ? t("stage.resuming") : t("stage.resumingFor", { seconds: Math.round(seatKept) });
}
