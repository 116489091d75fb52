import { afterEach, expect, it, vi } from "vitest";
import { Link } from "../src/media/link.js";

class Peer extends EventTarget {
  signalingState = "stable";
  connectionState = "connected";
  remoteDescription = {};
  localDescription = { sdp: "an offer" };
  settle: { resolve(): void; reject(error: Error): void } | undefined;
  addTransceiver(): unknown {
    return { setCodecPreferences: () => undefined, receiver: { track: null } };
  }
  setConfiguration(): void {}
  restartIce(): void {}
  setLocalDescription(): Promise<void> {
    return new Promise((resolve, reject) => (this.settle = { resolve, reject }));
  }
  close(): void {
    this.signalingState = "closed";
  }
}

/** A connection that looks for another way, for the network has changed; and what it says. */
function mending(): { link: Link; peer: Peer; said: string[] } {
  const peer = new Peer();
  const said: string[] = [];
  vi.stubGlobal("window", globalThis);
  vi.stubGlobal("RTCPeerConnection", function () {
    return peer;
  });
  vi.stubGlobal("RTCRtpReceiver", { getCapabilities: () => null });
  vi.stubGlobal(
    "MediaStream",
    class {
      addTrack(): void {}
    },
  );
  const link = new Link(
    [],
    { microphone: null, camera: null, screen: null },
    {
      restart: () => said.push("restart") > 0,
      lost: () => void said.push("lost"),
    },
  );
  dispatchEvent(new Event("online"));
  return { link, peer, said };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

it("asks for a restart when the network has changed", async () => {
  const { link, peer, said } = mending();
  peer.settle?.resolve();
  await new Promise((resolve) => setTimeout(resolve));
  expect(said).toEqual(["restart"]);
  link.close();
});

it("is silent when it was closed while it looked for another way", async () => {
  for (const how of ["resolve", "reject"] as const) {
    const { link, peer, said } = mending();
    link.close();
    peer.settle?.[how](new Error("closed"));
    await new Promise((resolve) => setTimeout(resolve));
    expect(said).toEqual([]);
  }
});

it("is lost when no other way can be looked for", async () => {
  const { peer, said } = mending();
  peer.settle?.reject(new Error("no"));
  await new Promise((resolve) => setTimeout(resolve));
  expect(said).toEqual(["lost"]);
});
