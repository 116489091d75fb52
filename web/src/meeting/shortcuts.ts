/** Single keys that work in the room, unless the user has turned them off (WCAG 2.1.4) or is writing. */

import type { Key } from "../i18n/i18n.js";

export type Act = "mute" | "camera" | "hand" | "people" | "chat";

export const SHORTCUTS: { key: string; act: Act; text: Key }[] = [
  { key: "m", act: "mute", text: "keys.mute" },
  { key: "v", act: "camera", text: "keys.camera" },
  { key: "h", act: "hand", text: "keys.hand" },
  { key: "p", act: "people", text: "keys.people" },
  { key: "c", act: "chat", text: "keys.chat" },
];

const KEPT_AS = "shortcuts";
const WRITES = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable], dialog";

export function shortcutsOn(): boolean {
  return localStorage.getItem(KEPT_AS) !== "off";
}

export function turnShortcuts(on: boolean): void {
  localStorage.setItem(KEPT_AS, on ? "on" : "off");
}

/** What a key press asks for, or nothing. */
export function actOf(event: KeyboardEvent): Act | undefined {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || !shortcutsOn()) return undefined;
  const writes = event.composedPath().some((one) => one instanceof HTMLElement && one.matches(WRITES));
  return writes ? undefined : SHORTCUTS.find((one) => one.key === event.key.toLowerCase())?.act;
}
