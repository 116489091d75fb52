/**
 * Camera, microphone and loudspeaker of this machine: which there are, which the user chose, and the tracks of them.
 * The choice is remembered on this machine; no picture or sound is.
 */

export type DeviceError = "denied" | "missing" | "busy" | "insecure";

export interface Choice {
  microphone: string;
  camera: string;
  speaker: string;
  /** Whether the browser removes noise and echo. Off gives the sound as it is (a stethoscope, an instrument). */
  clean: boolean;
}

export interface Devices {
  microphones: MediaDeviceInfo[];
  cameras: MediaDeviceInfo[];
  speakers: MediaDeviceInfo[];
}

const KEPT_AS = "devices";

export function keptChoice(): Choice {
  const kept = JSON.parse(localStorage.getItem(KEPT_AS) ?? "{}") as Partial<Choice>;
  return {
    microphone: kept.microphone ?? "",
    camera: kept.camera ?? "",
    speaker: kept.speaker ?? "",
    clean: kept.clean ?? true,
  };
}

export function keepChoice(choice: Choice): void {
  localStorage.setItem(KEPT_AS, JSON.stringify(choice));
}

/** Names are empty until the user has allowed a device. */
export async function listDevices(): Promise<Devices> {
  const all = await media().enumerateDevices();
  const of = (kind: MediaDeviceKind): MediaDeviceInfo[] =>
    all.filter((one) => one.kind === kind && one.deviceId !== "");
  return { microphones: of("audioinput"), cameras: of("videoinput"), speakers: of("audiooutput") };
}

/** @throws DOMException, TypeError: see `deviceError` */
export async function openMicrophone(choice: Choice): Promise<MediaStreamTrack> {
  const clean = choice.clean;
  const sound = { echoCancellation: clean, noiseSuppression: clean, autoGainControl: clean, channelCount: 1 };
  return open(choice.microphone, (which) => ({ audio: { ...sound, ...which } }));
}

/** @throws DOMException, TypeError: see `deviceError` */
export async function openCamera(choice: Choice): Promise<MediaStreamTrack> {
  const picture = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
  return open(choice.camera, (which) => ({ video: { ...picture, ...which } }));
}

/**
 * As large as it is, up to what others are sent of it: the server refuses what is much larger, as a 4K screen is.
 * @throws DOMException where the user changes their mind
 */
export async function openScreen(): Promise<MediaStreamTrack> {
  const video = { width: { max: 1920 }, height: { max: 1080 }, frameRate: { ideal: 10, max: 15 } };
  const stream = await media().getDisplayMedia({ video, audio: false });
  const track = first(stream);
  track.contentHint = "detail";
  return track;
}

/** A track whose light goes out. */
export function stop(track: MediaStreamTrack | null): null {
  track?.stop();
  return null;
}

export function deviceError(error: unknown): DeviceError {
  if (!window.isSecureContext) return "insecure";
  switch (error instanceof Error ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "missing";
  }
}

/**
 * The device that was chosen, and where it is gone since last time the browser's own choice. Not by `ideal`: Chromium
 * takes that for any of them, and gives the default one.
 */
async function open(
  id: string,
  wanted: (which: MediaTrackConstraints) => MediaStreamConstraints,
): Promise<MediaStreamTrack> {
  if (id) {
    try {
      return first(await media().getUserMedia(wanted({ deviceId: { exact: id } })));
    } catch (error) {
      if (!(error instanceof Error && error.name === "OverconstrainedError")) throw error;
    }
  }
  return first(await media().getUserMedia(wanted({})));
}

function first(stream: MediaStream): MediaStreamTrack {
  const track = stream.getTracks()[0];
  if (!track) throw new DOMException("no track", "NotFoundError");
  return track;
}

/** Browsers hide the devices from pages that did not come over HTTPS (or from this machine). */
function media(): MediaDevices {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices) throw new DOMException("not a secure context", "SecurityError");
  return devices;
}
