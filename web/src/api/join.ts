/** Into a meeting, and out of it again, over HTTP. */

import type { LegId, Role } from "../protocol.js";
import { ask } from "./http.js";

export interface Joined {
  session_token: string;
  leg: LegId;
  role: Role;
  title: string;
  language: string;
  ice_servers: RTCIceServer[];
}

export interface Knock {
  /** May be left out with a personal link, which has one. */
  name?: string;
  pin?: string;
  token?: string;
  language: string;
}

/** @throws Problem */
export async function join(number: string, knock: Knock): Promise<Joined> {
  const answer = await ask("POST", `/join/${encodeURIComponent(number)}`, { json: knock });
  return (await answer.json()) as Joined;
}

/**
 * Opens a leg, or takes its seat again with a reconnect token.
 * @returns the SDP answer
 * @throws Problem
 */
export async function openLeg(bearer: string, sdp: string, muted: boolean): Promise<string> {
  const headers: Record<string, string> = muted ? { "X-Mcu-Muted": "true" } : {};
  const answer = await ask("POST", "/legs", { bearer, sdp, headers });
  return answer.text();
}

/** The relays to try before a meeting. @throws Problem */
export async function relaysToTry(): Promise<RTCIceServer[]> {
  const answer = (await (await ask("GET", "/network-check")).json()) as Pick<Joined, "ice_servers">;
  return answer.ice_servers;
}

/**
 * Tries a connection that belongs to no meeting.
 * @returns the SDP answer
 * @throws Problem
 */
export async function checkNetwork(sdp: string): Promise<string> {
  return (await ask("POST", "/network-check", { sdp })).text();
}

/** @throws Problem */
export async function closeLeg(bearer: string, leg: LegId): Promise<void> {
  await ask("DELETE", `/legs/${encodeURIComponent(leg)}`, { bearer });
}
