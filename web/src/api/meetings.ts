/** Booking over REST: what the booking page needs of it. */

import type { Role } from "../protocol.js";
import { ask } from "./http.js";

export interface NewMeeting {
  title: string;
  language: string;
  start?: string;
  end?: string;
  time_zone: string;
  participants: { name: string; role: Role }[];
  access: {
    host_pin: string | null;
    guest_pin: string | null;
    wait_for_host: boolean;
    lobby: { scope: "none" | "guests" };
  };
}

export interface BookedMeeting {
  id: string;
  title: string;
  state: "scheduled" | "open" | "active" | "ended" | "cancelled" | "expired";
  start: string | null;
  end: string | null;
  join: { meeting_number: string; web_url: string };
  participants: { id: string; name: string; role: Role; join_url: string | null }[];
}

/** @throws Problem */
export async function book(bearer: string, meeting: NewMeeting): Promise<BookedMeeting> {
  const headers = { "Idempotency-Key": crypto.randomUUID() };
  return (await (await ask("POST", "/meetings", { bearer, json: meeting, headers })).json()) as BookedMeeting;
}

/** Today's meetings in order of time; those that are always open last. @throws Problem */
export async function today(bearer: string, now: Date): Promise<BookedMeeting[]> {
  const from = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  const to = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
  const found: BookedMeeting[] = [];
  let token: string | null = null;
  do {
    const query = new URLSearchParams({ from: from.toISOString(), to: to.toISOString(), page_size: "200" });
    if (token) query.set("page_token", token);
    const page = (await (await ask("GET", `/meetings?${query}`, { bearer })).json()) as {
      items: BookedMeeting[];
      next_page_token: string | null;
    };
    found.push(...page.items);
    token = page.next_page_token;
  } while (token);
  return found.filter((one) => one.state !== "cancelled").sort((a, b) => begins(a) - begins(b));
}

function begins(meeting: BookedMeeting): number {
  return meeting.start ? Date.parse(meeting.start) : Number.MAX_SAFE_INTEGER;
}
