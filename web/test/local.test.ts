import { afterEach, describe, expect, it, vi } from "vitest";
import { LocalMedia } from "../src/media/local.js";

class Track extends EventTarget {
  enabled = true;
  contentHint = "";
  running = true;
  stop(): void {
    this.running = false;
  }
}

/** Devices that open when `opens` is called, the last first: the user is asked, and some are slow. */
function devices(): { tracks: Track[]; opens(): Promise<void> } {
  const tracks: Track[] = [];
  const waiting: (() => void)[] = [];
  const open = (): Promise<MediaStream> => {
    const track = new Track();
    tracks.push(track);
    const stream = { getTracks: () => [track] } as unknown as MediaStream;
    return new Promise((resolve) => waiting.push(() => resolve(stream)));
  };
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia: open, getDisplayMedia: open } });
  return {
    tracks,
    async opens(): Promise<void> {
      waiting
        .splice(0)
        .reverse()
        .forEach((one) => one());
      await new Promise((resolve) => setTimeout(resolve));
    },
  };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("devices that the user allows late", () => {
  it("stay off when the meeting was left meanwhile", async () => {
    const { tracks, opens } = devices();
    const media = new LocalMedia();
    media.setMuted(false); // asks for a microphone
    void media.setCamera(true);
    void media.shareScreen();
    media.close();
    await opens();
    expect(tracks).toHaveLength(3);
    expect(tracks.filter(({ running }) => running)).toEqual([]);
    expect([media.microphone, media.camera, media.screen]).toEqual([null, null, null]);
  });

  it("are the ones that were chosen last", async () => {
    const { tracks, opens } = devices();
    const media = new LocalMedia();
    void media.choose({ microphone: "headset" });
    void media.choose({ microphone: "table" });
    await opens();
    expect(tracks.map(({ running }) => running)).toEqual([false, true]);
    expect(media.microphone).toBe(tracks[1]);
  });
});
