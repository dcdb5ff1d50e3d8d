/** Tells how loud a stream is, some thirty times a second: 0 is silence (-60 dB), 1 as loud as can be recorded. */
export function createSoundLevel(stream: MediaStream, onLevel: (level: number) => void): { close(): void } {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 2048;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    const decibels = 10 * Math.log10(Math.max(power, 1e-9));
    onLevel(Math.min(1, Math.max(0, 1 + decibels / 60)));
  }, 33);
  return {
    close() {
      clearInterval(timer);
      void context.close();
    },
  };
}
