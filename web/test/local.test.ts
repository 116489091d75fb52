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

describe("a device that was chosen", () => {
  const opened = (there: string): MediaStreamConstraints[] => {
    const asked: MediaStreamConstraints[] = [];
    const getUserMedia = (wanted: MediaStreamConstraints): Promise<MediaStream> => {
      asked.push(wanted);
      const id = ((wanted.audio ?? wanted.video) as MediaTrackConstraints).deviceId as { exact: string } | undefined;
      if (id && id.exact !== there) return Promise.reject(new DOMException("", "OverconstrainedError"));
      return Promise.resolve({ getTracks: () => [new Track()] } as unknown as MediaStream);
    };
    vi.stubGlobal("navigator", { mediaDevices: { getUserMedia } });
    return asked;
  };

  it("is the one that is opened", async () => {
    const asked = opened("headset");
    const media = new LocalMedia();
    await media.choose({ microphone: "headset" });
    expect(asked).toMatchObject([{ audio: { deviceId: { exact: "headset" } } }]);
    expect([media.microphone === null, media.errors.microphone]).toEqual([false, null]);
  });

  it("is replaced by the browser's own choice when it is gone", async () => {
    const asked = opened("another");
    const media = new LocalMedia();
    await media.choose({ camera: "desk" });
    expect(asked.map(({ video }) => (video as MediaTrackConstraints).deviceId)).toEqual([{ exact: "desk" }, undefined]);
    expect([media.camera === null, media.errors.camera]).toEqual([false, null]);
  });
});
