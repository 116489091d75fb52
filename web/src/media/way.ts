/** Which way to the server's media is open, by trying it: a connection that belongs to no meeting and carries nothing. */

import { checkNetwork, relaysToTry } from "../api/join.js";
import { gathered } from "./gather.js";

/** `none`: nothing gets through. `unknown`: the server could not say. */
export type Way = "udp" | "tcp" | "relay" | "none" | "unknown";

export interface Checked {
  way: Way;
  /** The port that a network must let UDP through to. */
  port: number | null;
}

/** The server ends what it tries after five seconds. */
const WITHIN_MS = 4500;
/** The first way that answers is not always the best that does: that is chosen soon after. */
const CHOSEN_MS = 300;

export async function tryMedia(): Promise<Checked> {
  let peer: RTCPeerConnection | undefined;
  try {
    peer = new RTCPeerConnection({ iceServers: await relaysToTry() });
    return await tried(peer);
  } catch {
    return { way: "unknown", port: null };
  } finally {
    peer?.close();
  }
}

async function tried(peer: RTCPeerConnection): Promise<Checked> {
  peer.addTransceiver("audio", { direction: "inactive" });
  const ready = gathered(peer);
  await peer.setLocalDescription();
  await ready;
  const answer = await checkNetwork(peer.localDescription?.sdp ?? "");
  await peer.setRemoteDescription({ type: "answer", sdp: answer });
  const port = portIn(answer);
  if (!(await connects(peer))) return { way: "none", port };
  await new Promise((resolve) => setTimeout(resolve, CHOSEN_MS));
  return { way: wayIn(await peer.getStats()), port };
}

function connects(peer: RTCPeerConnection): Promise<boolean> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (peer.connectionState === "connected") resolve(true);
      if (peer.connectionState === "failed") resolve(false);
    };
    setTimeout(() => resolve(false), WITHIN_MS);
    peer.addEventListener("connectionstatechange", look);
    look(); // it may have been quicker than we are
  });
}

type Told = Partial<RTCTransportStats & RTCIceCandidatePairStats> & {
  id: string;
  type: string;
  candidateType?: string;
  protocol?: string;
  selected?: boolean;
};

/** By what the connection goes, as the browser's statistics tell. */
export function wayIn(report: Iterable<[string, unknown]>): Way {
  const all = new Map([...report].map(([id, one]) => [id, one as Told]));
  const one = [...all.values()];
  const chosen = one.find(({ type }) => type === "transport")?.selectedCandidatePairId;
  const pair = chosen === undefined ? one.find(({ selected }) => selected) : all.get(chosen);
  const ours = all.get(pair?.localCandidateId ?? "");
  if (ours === undefined) return "unknown";
  if (ours.candidateType === "relay") return "relay";
  return ours.protocol === "udp" ? "udp" : "tcp";
}

/** Of the first candidate for UDP in an answer. */
export function portIn(sdp: string): number | null {
  const found = /^a=candidate:\S+ 1 udp \d+ \S+ (\d+) /im.exec(sdp);
  return found ? Number(found[1]) : null;
}
