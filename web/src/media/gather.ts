/** Candidates of this machine come in a few ms; a server on the way (STUN) that does not answer must not hold us. */
const GATHER_MS = 500;

/** Resolves when this machine's own addresses are in the offer, or have had their time. */
export function gathered(peer: RTCPeerConnection): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHER_MS);
    peer.addEventListener("icegatheringstatechange", () => {
      if (peer.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    });
  });
}
