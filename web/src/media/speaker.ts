/** Where sound is played. */

/** Safari of before 2025 has no `setSinkId`. */
type Sink = Partial<Pick<HTMLAudioElement, "setSinkId">>;

export function canChooseSpeaker(): boolean {
  return "setSinkId" in HTMLMediaElement.prototype;
}

/** A loudspeaker that is gone leaves the sound where it was. */
export async function playOn(element: HTMLAudioElement, speaker: string): Promise<void> {
  const sink: Sink = element;
  try {
    await sink.setSinkId?.(speaker);
  } catch {
    await sink.setSinkId?.("");
  }
}

/** Two soft tones, so that the user hears that the loudspeaker works. Resolves when they have been played. */
export async function testSpeaker(speaker: string): Promise<void> {
  const context = new AudioContext();
  const out = context.createMediaStreamDestination();
  const element = new Audio();
  element.srcObject = out.stream;
  await playOn(element, speaker);
  await context.resume();
  await element.play();
  tone(context, out, 523.25, 0.05);
  tone(context, out, 659.25, 0.45);
  await new Promise((resolve) => setTimeout(resolve, 1300));
  element.pause();
  await context.close();
}

function tone(context: AudioContext, out: AudioNode, hertz: number, after: number): void {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  const start = context.currentTime + after;
  oscillator.frequency.value = hertz;
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(0.25, start + 0.03);
  gain.gain.exponentialRampToValueAtTime(0.001, start + 0.6);
  oscillator.connect(gain).connect(out);
  oscillator.start(start);
  oscillator.stop(start + 0.65);
}
