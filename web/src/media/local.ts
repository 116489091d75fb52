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

const OPEN = { microphone: openMicrophone, camera: openCamera };

export class LocalMedia extends Observable implements Tracks {
  choice: Choice = keptChoice();
  devices: Devices = { microphones: [], cameras: [], speakers: [] };
  microphone: MediaStreamTrack | null = null;
  camera: MediaStreamTrack | null = null;
  screen: MediaStreamTrack | null = null;
  /** What the user wants: the camera may be wanted and yet not be there. */
  cameraWanted = true;
  muted = false;
  errors: Record<"microphone" | "camera", DeviceError | null> = { microphone: null, camera: null };
  /** Counts what was asked for, so that a device that is allowed late is let go: another was wished, or the meeting is left. */
  private readonly asked = { microphone: 0, camera: 0, screen: 0 };
  private readonly over = new AbortController();

  /** Opens what is wanted. A device that fails is told in `errors`; the other one works without it. */
  async start(): Promise<void> {
    await Promise.all([this.open("microphone"), this.cameraWanted ? this.open("camera") : undefined]);
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
    if (sound) await this.open("microphone");
    if (change.camera !== undefined && this.cameraWanted) await this.open("camera");
    this.changed();
  }

  /** True where nothing of this user is heard: by their own wish, or for want of a microphone. */
  get silent(): boolean {
    return this.muted || this.microphone === null;
  }

  /** Who unmutes without a microphone is asked for one again. */
  setMuted(muted: boolean): void {
    this.muted = muted;
    if (!muted && this.microphone === null) void this.open("microphone");
    if (this.microphone) this.microphone.enabled = !muted;
    this.changed();
  }

  async setCamera(on: boolean): Promise<void> {
    this.cameraWanted = on;
    if (on) {
      await this.open("camera");
    } else {
      this.asked.camera += 1;
      this.camera = stop(this.camera);
      this.errors.camera = null;
      this.changed();
    }
  }

  /** @returns whether a screen is shared now */
  async shareScreen(): Promise<boolean> {
    const asked = ++this.asked.screen;
    try {
      const track = await openScreen();
      if (asked !== this.asked.screen) {
        stop(track);
        return this.screen !== null;
      }
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
    for (const which of ["microphone", "camera", "screen"] as const) {
      this.asked[which] += 1;
      this[which] = stop(this[which]);
    }
    this.changed();
  }

  private async open(which: "microphone" | "camera"): Promise<void> {
    const asked = ++this.asked[which];
    try {
      const track = await OPEN[which](this.choice);
      if (asked !== this.asked[which]) return void stop(track);
      stop(this[which]);
      track.enabled = which === "camera" || !this.muted;
      this[which] = track;
      this.errors[which] = null;
      track.addEventListener("ended", () => this.lost(which, track));
    } catch (error) {
      if (asked !== this.asked[which]) return;
      this[which] = stop(this[which]);
      this.errors[which] = deviceError(error);
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
