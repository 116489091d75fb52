/** The seat of this tab in a meeting, kept over a reload. Session storage: another tab does not see it. */

export interface Seat {
  /** Takes the seat again. */
  token: string;
  muted: boolean;
  camera: boolean;
  iceServers: RTCIceServer[];
}

const key = (number: string): string => `seat:${number}`;

export function keepSeat(number: string, seat: Seat): void {
  sessionStorage.setItem(key(number), JSON.stringify(seat));
}

export function forgetSeat(number: string): void {
  sessionStorage.removeItem(key(number));
}

export function keptSeat(number: string): Seat | null {
  const text = sessionStorage.getItem(key(number));
  if (text === null) return null;
  const seat = JSON.parse(text) as Partial<Seat>;
  if (typeof seat.token !== "string") return null;
  const iceServers = seat.iceServers ?? [];
  return { token: seat.token, muted: seat.muted === true, camera: seat.camera === true, iceServers };
}

/**
 * A secret that came in the address (`#t=…`), removed from it at once and kept for this tab only.
 * The fragment is never sent to a server.
 */
export function takeFragment(name: string, keptAs: string): string | null {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const value = fragment.get(name);
  if (value === null) return sessionStorage.getItem(keptAs);
  fragment.delete(name);
  const rest = fragment.toString();
  history.replaceState(history.state, "", location.pathname + location.search + (rest ? `#${rest}` : ""));
  sessionStorage.setItem(keptAs, value);
  return value;
}
