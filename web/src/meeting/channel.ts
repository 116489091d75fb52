/** The WebSocket of one seat. It says hello, hands on what it hears, and tells once when it is gone. */

import type { FromServer, ToServer } from "../protocol.js";

export interface ChannelEvents {
  heard(message: FromServer): void;
  /** The socket closed without being asked to. */
  lost(): void;
}

/** No answer to `hello` within this time is taken for a lost socket. */
const WELCOME_WITHIN_MS = 5000;

export class Channel {
  private readonly socket: WebSocket;
  private readonly timer: ReturnType<typeof setTimeout>;
  private over = false;

  constructor(
    token: string,
    private readonly events: ChannelEvents,
  ) {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/api/v1/ws`);
    this.socket.addEventListener("open", () => this.say({ type: "hello", token }));
    this.socket.addEventListener("message", (event) => this.hear(String(event.data)));
    this.socket.addEventListener("close", () => this.ended());
    this.timer = setTimeout(() => this.ended(), WELCOME_WITHIN_MS);
  }

  /** False where the socket is not open: nothing was said. */
  say(message: ToServer): boolean {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  close(): void {
    this.over = true;
    clearTimeout(this.timer);
    this.socket.close();
  }

  private hear(text: string): void {
    if (this.over) return;
    clearTimeout(this.timer);
    const message = JSON.parse(text) as FromServer;
    // told only that this socket read too slowly: the seat is still there
    if (message.type === "gone" && message.cause === "slow") return this.ended();
    if (message.type === "gone") this.close();
    this.events.heard(message);
  }

  private ended(): void {
    if (this.over) return;
    this.close();
    this.events.lost();
  }
}
