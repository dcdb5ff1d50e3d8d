/** Silence is a thin line. */
const least = 0.02;
/** A cough must not make everything else small: so much of it may be as high as it gets. */
const loudShare = 0.02;

/**
 * The outline of a waveform as an SVG path: one unit wide for each value, two high, mirrored at the middle.
 * @param values 0 to 255
 */
export function toWavePath(values: readonly number[]): string {
  if (values.length === 0) return '';
  const loud = [...values].sort((a, b) => b - a)[Math.floor(values.length * loudShare)] || 255;
  const heights = values.map((value) => Math.min(1, Math.max(least, value / loud)));
  const toPoints = (sign: 1 | -1) =>
    heights.map((height, i) => `${i + 0.5} ${Math.round((1 - sign * height) * 1000) / 1000}`);
  return `M0 1L${toPoints(1).join('L')}L${values.length} 1L${toPoints(-1).reverse().join('L')}Z`;
}
