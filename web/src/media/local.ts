/**
 * What this user gives to the meeting: microphone, camera, shared screen, each on or off.
 * It owns the tracks. Whoever shows or sends them watches it; it knows nothing of the meeting.
 */

import { Observable } from "../observable.js";
import {
  type Choice,
  type DeviceError,
  type Devices,
  deviceError,
  keepChoice,
  keptChoice,
  listDevices,
  openCamera,
  openMicrophone,
  openScreen,
  stop,
} from "./devices.js";
import type { Tracks } from "./link.js";

export class LocalMedia extends Observable implements Tracks {
  choice: Choice = keptChoice();
  devices: Devices = { microphones: [], cameras: [], speakers: [] };
  microphone: MediaStreamTrack | null = null;
  camera: MediaStreamTrack | null = null;
  screen: MediaStreamTrack | null = null;
  /** What the user wants: the camera may be wanted and yet not be there. */
  cameraWanted = true;
  muted = false;
  errors: { microphone?: DeviceError; camera?: DeviceError } = {};
  /** Counts what was asked for, so that a slow device of a former wish is let go. */
  private asked = 0;
  private readonly over = new AbortController();

  /** Opens what is wanted. A device that fails is told in `errors`; the other one works without it. */
  async start(): Promise<void> {
    await Promise.all([this.openMicrophone(), this.cameraWanted ? this.openCamera() : undefined]);
    try {
      await this.list();
      navigator.mediaDevices.addEventListener("devicechange", () => void this.list(), { signal: this.over.signal });
    } catch {
      // no secure context: `errors` tells of it
    }
  }

  async choose(change: Partial<Choice>): Promise<void> {
    this.choice = { ...this.choice, ...change };
    keepChoice(this.choice);
    const sound = change.microphone !== undefined || change.clean !== undefined;
    if (sound) await this.openMicrophone();
    if (change.camera !== undefined && this.cameraWanted) await this.openCamera();
    this.changed();
  }

  /** True where nothing of this user is heard: by their own wish, or for want of a microphone. */
  get silent(): boolean {
    return this.muted || this.microphone === null;
  }

  /** Who unmutes without a microphone is asked for one again. */
  setMuted(muted: boolean): void {
    this.muted = muted;
    if (!muted && this.microphone === null) void this.openMicrophone();
    if (this.microphone) this.microphone.enabled = !muted;
    this.changed();
  }

  async setCamera(on: boolean): Promise<void> {
    this.cameraWanted = on;
    if (on) {
      await this.openCamera();
    } else {
      this.asked += 1;
      this.camera = stop(this.camera);
      delete this.errors.camera;
      this.changed();
    }
  }

  /** @returns whether a screen is shared now */
  async shareScreen(): Promise<boolean> {
    try {
      const track = await openScreen();
      stop(this.screen);
      this.screen = track;
      track.addEventListener("ended", () => this.stopScreen(track));
    } catch {
      return this.screen !== null;
    }
    this.changed();
    return true;
  }

  stopScreen(track = this.screen): void {
    if (track !== this.screen) return;
    this.screen = stop(this.screen);
    this.changed();
  }

  close(): void {
    this.over.abort();
    this.asked += 1;
    this.microphone = stop(this.microphone);
    this.camera = stop(this.camera);
    this.screen = stop(this.screen);
    this.changed();
  }

  private async openMicrophone(): Promise<void> {
    try {
      const track = await openMicrophone(this.choice);
      stop(this.microphone);
      track.enabled = !this.muted;
      this.microphone = track;
      delete this.errors.microphone;
      track.addEventListener("ended", () => this.lost("microphone", track));
    } catch (error) {
      this.errors.microphone = deviceError(error);
    }
    this.changed();
  }

  private async openCamera(): Promise<void> {
    this.asked += 1;
    const asked = this.asked;
    try {
      const track = await openCamera(this.choice);
      if (asked !== this.asked) return void stop(track);
      stop(this.camera);
      this.camera = track;
      delete this.errors.camera;
      track.addEventListener("ended", () => this.lost("camera", track));
    } catch (error) {
      if (asked !== this.asked) return;
      this.camera = stop(this.camera);
      this.errors.camera = deviceError(error);
    }
    this.changed();
  }

  /** The device was pulled out, or another program took it. `stop()` of our own does not come here. */
  private lost(which: "microphone" | "camera", track: MediaStreamTrack): void {
    if (this[which] !== track) return;
    this[which] = null;
    this.errors[which] = "missing";
    this.changed();
  }

  private async list(): Promise<void> {
    this.devices = await listDevices();
    this.changed();
  }
}
