/**
 * One peer connection to the server. Its three media lines are fixed from the start (sound, camera up and composed picture
 * down, shared screen up and that of others down), so that no media is ever negotiated again: tracks are put in and taken
 * out. The camera goes up in three sizes (RFC 8853), of which the server takes what its picture needs.
 * When it is shaken, or this machine gets another network, it asks for a new way to the server (an ICE restart). What
 * does not come of that in time is lost; the meeting makes a new one.
 */

import { preferred } from "./codecs.js";
import { type Figures, figuresIn } from "./figures.js";
import { gathered } from "./gather.js";
import { CAMERA, SCREEN, whole } from "./sizes.js";

export interface Tracks {
  microphone: MediaStreamTrack | null;
  camera: MediaStreamTrack | null;
  screen: MediaStreamTrack | null;
}

/** A connection may be shaken for this long before another way is looked for. */
const SHAKEN_MS = 2000;
/** Another way is there in so long, or the connection is lost. */
const MEND_MS = 4000;

export interface LinkEvents {
  /** Called once, when the connection is gone without `close`. */
  lost(): void;
  /** An offer that restarts ICE is to be sent, and its answer given to `accept`. False where it cannot be sent. */
  restart(offer: string): boolean;
}

/** Chromium's and Firefox' on telephones; others have none. */
type NetworkInformation = EventTarget;

export class Link {
  readonly incoming = new MediaStream();
  /** What somebody else shares, as a picture of its own; nothing while nobody does. */
  readonly content = new MediaStream();
  private readonly peer: RTCPeerConnection;
  private readonly audio: RTCRtpTransceiver;
  private readonly camera: RTCRtpTransceiver;
  private readonly screen: RTCRtpTransceiver;
  private shaken: ReturnType<typeof setTimeout> | undefined;
  private mending: ReturnType<typeof setTimeout> | undefined;
  private closed = false;
  private readonly over = new AbortController();

  constructor(
    iceServers: RTCIceServer[],
    tracks: Tracks,
    private readonly events: LinkEvents,
  ) {
    this.peer = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    this.audio = this.peer.addTransceiver(tracks.microphone ?? "audio", { direction: "sendrecv" });
    const { peer } = this;
    this.camera = peer.addTransceiver(tracks.camera ?? "video", { direction: "sendrecv", sendEncodings: CAMERA });
    this.screen = peer.addTransceiver(tracks.screen ?? "video", { direction: "sendrecv", sendEncodings: SCREEN });
    const codecs = preferred(RTCRtpReceiver.getCapabilities("video")?.codecs ?? []);
    this.camera.setCodecPreferences(codecs);
    this.screen.setCodecPreferences(codecs);
    this.incoming.addTrack(this.audio.receiver.track);
    this.incoming.addTrack(this.camera.receiver.track);
    this.content.addTrack(this.screen.receiver.track);
    this.peer.addEventListener("connectionstatechange", () => this.watch());
    const { signal } = this.over;
    const moved = (): void => void this.mend();
    addEventListener("online", moved, { signal });
    networkInformation()?.addEventListener("change", moved, { signal });
  }

  get connected(): boolean {
    return this.peer.connectionState === "connected";
  }

  /** The offer, with the candidates that were found in time. */
  async offer(): Promise<string> {
    const ready = gathered(this.peer);
    await this.peer.setLocalDescription();
    await ready;
    return this.peer.localDescription?.sdp ?? "";
  }

  async accept(answer: string): Promise<void> {
    if (!this.closed) await this.peer.setRemoteDescription({ type: "answer", sdp: answer });
  }

  /** To an offer that restarts ICE. One that came too late, or `null`, changes nothing: the connection is lost in time. */
  async acceptRestart(answer: string | null): Promise<void> {
    if (answer === null) this.drop();
    else if (this.peer.signalingState === "have-local-offer") await this.accept(answer);
  }

  /** The relays that the next restart may use; what goes by one now goes on. */
  relay(iceServers: RTCIceServer[]): void {
    this.peer.setConfiguration({ ...this.peer.getConfiguration(), iceServers });
  }

  /** Nothing is sent where a track is null; nobody negotiates. */
  async send(tracks: Tracks): Promise<void> {
    if (this.closed) return;
    try {
      await Promise.all([
        this.audio.sender.replaceTrack(tracks.microphone),
        this.camera.sender.replaceTrack(tracks.camera),
        this.screen.sender.replaceTrack(tracks.screen),
        whole(this.camera.sender),
      ]);
    } catch (error) {
      if (this.peer.signalingState !== "closed") throw error; // it may have been closed meanwhile
    }
  }

  /** What this browser has counted so far. */
  async figures(): Promise<Figures> {
    return figuresIn(await this.peer.getStats(), this.camera.mid);
  }

  close(): void {
    this.closed = true;
    this.over.abort();
    clearTimeout(this.shaken);
    clearTimeout(this.mending);
    this.peer.close();
  }

  private watch(): void {
    clearTimeout(this.shaken);
    if (this.closed) return;
    if (this.peer.connectionState === "failed") this.drop();
    if (this.peer.connectionState === "disconnected") this.shaken = setTimeout(() => void this.mend(), SHAKEN_MS);
  }

  /** Looks for another way to the server, if there was one before. */
  private async mend(): Promise<void> {
    if (this.closed || this.mending !== undefined || this.peer.signalingState !== "stable") return;
    if (this.peer.remoteDescription === null) return;
    this.mending = setTimeout(() => this.judge(), MEND_MS);
    this.peer.restartIce();
    await this.peer.setLocalDescription().then(
      () => this.ask(),
      () => this.drop(),
    );
  }

  private ask(): void {
    if (this.closed) return;
    if (!this.events.restart(this.peer.localDescription?.sdp ?? "")) this.drop();
  }

  private judge(): void {
    this.mending = undefined;
    if (!this.connected || this.peer.signalingState !== "stable") this.drop();
  }

  private drop(): void {
    if (this.closed) return;
    this.close();
    this.events.lost();
  }
}

function networkInformation(): NetworkInformation | undefined {
  return (navigator as Navigator & { connection?: NetworkInformation }).connection;
}
