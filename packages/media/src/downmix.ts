/** Blocks of 20 ms: gains are decided once a block and change smoothly within it. */
const blockSeconds = 0.02;
const smoothingSeconds = 0.5;
/** Below this share of the louder channel's energy the mixture has lost the voice; above the second it is back. */
const cancelledShare = 0.1;
const recoveredShare = 0.2;

/**
 * Mixes stereo to mono without losing a voice that is in opposite phase in the two channels (a wrongly wired
 * cable or an "enhanced" recording): the plain mean would be silence there. Normally the mean of both; while the
 * mean is far weaker than the louder channel, that channel alone. One empty channel only makes the mean quieter.
 *
 * @returns a function that takes interleaved stereo (in order, any number of frames) and gives mono
 */
export function createDownmix(options: { sampleRate: number }): (interleaved: Int16Array) => Int16Array {
  const { sampleRate } = options;
  const blockFrames = Math.max(1, Math.round(sampleRate * blockSeconds));
  let leftEnergy = 0;
  let rightEnergy = 0;
  let meanEnergy = 0;
  let cancelled = false;
  let leftGain = 0.5;
  let leftTarget = 0.5;

  function decide(left: number, right: number, mean: number, frames: number): void {
    const weight = 1 - Math.exp(-frames / (smoothingSeconds * sampleRate));
    leftEnergy += weight * (left / frames - leftEnergy);
    rightEnergy += weight * (right / frames - rightEnergy);
    meanEnergy += weight * (mean / frames - meanEnergy);
    const louder = Math.max(leftEnergy, rightEnergy);
    const wasCancelled = cancelled;
    cancelled = meanEnergy < louder * (cancelled ? recoveredShare : cancelledShare);
    if (!cancelled) leftTarget = 0.5;
    // Once chosen, a channel is kept unless the other is clearly louder.
    else if (!wasCancelled) leftTarget = leftEnergy >= rightEnergy ? 1 : 0;
    else if (leftEnergy > 2 * rightEnergy) leftTarget = 1;
    else if (rightEnergy > 2 * leftEnergy) leftTarget = 0;
  }

  return (interleaved) => {
    const frames = interleaved.length >> 1;
    const mono = new Int16Array(frames);
    for (let from = 0; from < frames; from += blockFrames) {
      const to = Math.min(frames, from + blockFrames);
      let left = 0;
      let right = 0;
      let mean = 0;
      for (let i = from; i < to; i++) {
        const l = interleaved[2 * i] as number;
        const r = interleaved[2 * i + 1] as number;
        left += l * l;
        right += r * r;
        mean += (l + r) * (l + r) * 0.25;
      }
      decide(left, right, mean, to - from);
      const step = (leftTarget - leftGain) / (to - from);
      for (let i = from; i < to; i++) {
        leftGain += step;
        const l = interleaved[2 * i] as number;
        const r = interleaved[2 * i + 1] as number;
        mono[i] = Math.round(r + (l - r) * leftGain);
      }
      leftGain = leftTarget;
    }
    return mono;
  };
}
