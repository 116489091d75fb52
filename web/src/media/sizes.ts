/** In which sizes the camera is sent, and how the screen is. Bit rates are the most that each may take. */

const WHOLE = 1_500_000;

/** The smallest first, which a browser keeps when the network is narrow: 180, 360 and 720 lines of a 720p camera. */
export const CAMERA: RTCRtpEncodingParameters[] = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: "f", scaleResolutionDownBy: 1, maxBitrate: WHOLE },
];

/** Sharp rather than smooth: text that stands still. */
export const SCREEN: RTCRtpEncodingParameters[] = [{ maxBitrate: 2_000_000, maxFramerate: 10 }];

type Sizes = Pick<RTCRtpSender, "getParameters" | "setParameters">;

/** Where the answer took one size alone, browsers keep the first, the smallest: it is made the whole picture. */
export async function whole(sender: Sizes): Promise<void> {
  const parameters = sender.getParameters();
  const [only, ...others] = parameters.encodings;
  if (only === undefined || others.length > 0 || only.scaleResolutionDownBy === 1) return;
  only.scaleResolutionDownBy = 1;
  only.maxBitrate = WHOLE;
  await sender.setParameters(parameters);
}
