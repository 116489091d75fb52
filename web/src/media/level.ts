/** How loud a microphone is, 0 … 1, about fifteen times a second: for the meter that shows that one is heard. */

const EVERY_MS = 66;
const QUIETEST_DB = -60;

export class LevelMeter {
  private readonly context = new AudioContext();
  private readonly analyser = this.context.createAnalyser();
  private readonly source: MediaStreamAudioSourceNode;
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(track: MediaStreamTrack, shown: (level: number) => void) {
    this.source = this.context.createMediaStreamSource(new MediaStream([track]));
    this.source.connect(this.analyser);
    this.analyser.fftSize = 1024;
    const samples = new Float32Array(this.analyser.fftSize);
    this.timer = setInterval(() => {
      if (this.context.state === "suspended") void this.context.resume();
      this.analyser.getFloatTimeDomainData(samples);
      shown(loudness(samples));
    }, EVERY_MS);
  }

  close(): void {
    clearInterval(this.timer);
    this.source.disconnect();
    void this.context.close();
  }
}

/** RMS of samples in -1 … 1, on a scale where -60 dB is 0 and full scale is 1. */
export function loudness(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  const db = 20 * Math.log10(Math.max(rms, 1e-9));
  return Math.min(1, Math.max(0, 1 - db / QUIETEST_DB));
}
