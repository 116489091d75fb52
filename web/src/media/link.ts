/**
 * One peer connection to the server. Its three media lines are fixed from the start (sound, camera up and composed picture
 * down, shared screen up), so that nothing is ever negotiated again: tracks are put in and taken out.
 * It does not come back by itself; the meeting makes a new one.
 */

import { preferred } from "./codecs.js";

export interface Tracks {
  microphone: MediaStreamTrack | null;
  camera: MediaStreamTrack | null;
  screen: MediaStreamTrack | null;
}

/** Candidates of this machine come in a few ms; a server on the way (STUN) that does not answer must not hold us. */
const GATHER_MS = 500;
/** A connection may be shaken for this long before it is taken for lost. */
const SHAKEN_MS = 2000;

export class Link {
  readonly incoming = new MediaStream();
  private readonly peer: RTCPeerConnection;
  private readonly audio: RTCRtpTransceiver;
  private readonly camera: RTCRtpTransceiver;
  private readonly screen: RTCRtpTransceiver;
  private shaken: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  /** @param lost called once, when the connection is gone without `close` */
  constructor(
    iceServers: RTCIceServer[],
    tracks: Tracks,
    private readonly lost: () => void,
  ) {
    this.peer = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    this.audio = this.peer.addTransceiver(tracks.microphone ?? "audio", { direction: "sendrecv" });
    this.camera = this.peer.addTransceiver(tracks.camera ?? "video", { direction: "sendrecv" });
    this.screen = this.peer.addTransceiver(tracks.screen ?? "video", { direction: "sendonly" });
    const codecs = preferred(RTCRtpReceiver.getCapabilities("video")?.codecs ?? []);
    this.camera.setCodecPreferences(codecs);
    this.screen.setCodecPreferences(codecs);
    this.incoming.addTrack(this.audio.receiver.track);
    this.incoming.addTrack(this.camera.receiver.track);
    this.peer.addEventListener("connectionstatechange", () => this.watch());
  }

  get connected(): boolean {
    return this.peer.connectionState === "connected";
  }

  /** The offer, with the candidates that were found in time. */
  async offer(): Promise<string> {
    const gathered = this.gathered();
    await this.peer.setLocalDescription();
    await gathered;
    return this.peer.localDescription?.sdp ?? "";
  }

  async accept(answer: string): Promise<void> {
    if (!this.closed) await this.peer.setRemoteDescription({ type: "answer", sdp: answer });
  }

  /** Nothing is sent where a track is null; nobody negotiates. */
  async send(tracks: Tracks): Promise<void> {
    if (this.closed) return;
    await Promise.all([
      this.audio.sender.replaceTrack(tracks.microphone),
      this.camera.sender.replaceTrack(tracks.camera),
      this.screen.sender.replaceTrack(tracks.screen),
    ]);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.shaken);
    this.peer.close();
  }

  private gathered(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, GATHER_MS);
      this.peer.addEventListener("icegatheringstatechange", () => {
        if (this.peer.iceGatheringState !== "complete") return;
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private watch(): void {
    clearTimeout(this.shaken);
    if (this.closed) return;
    if (this.peer.connectionState === "failed") this.drop();
    if (this.peer.connectionState === "disconnected") this.shaken = setTimeout(() => this.drop(), SHAKEN_MS);
  }

  private drop(): void {
    if (this.closed) return;
    this.close();
    this.lost();
  }
}
