/**
 * Power spectrum of 400 real samples, the frame of Whisper's log-mel.
 *
 * The real transform is a complex one of half the length: even samples as real, odd samples as imaginary parts
 * (200 = 4 · 2 · 5 · 5), then untangled. The passes are Stockham's (self-sorting, no bit reversal), with all twiddles
 * made beforehand. Arrays are float64 because that is what V8 computes in; float32 would convert on each access.
 */
export const fftSize = 400;
const half = fftSize / 2;
/** Bins 0 Hz to Nyquist. */
export const binCount = half + 1;

const radices = [5, 5, 4, 2] as const;

interface Pass {
  radix: (typeof radices)[number];
  /** Butterflies of this pass that have twiddles of their own, and how many share each. */
  groups: number;
  stride: number;
  /** cos and sin by group and output, `radix - 1` of each a group (output 0 needs none). */
  cos: Float64Array;
  sin: Float64Array;
}

export interface RealFft400 {
  /**
   * Writes |X(k)|² for k = 0…200 into `power`. `frame` holds 400 samples, already windowed; it is overwritten.
   */
  powerSpectrum(frame: Float64Array, power: Float64Array): void;
}

export function createRealFft400(): RealFft400 {
  const passes = createPasses();
  const reA = new Float64Array(half);
  const imA = new Float64Array(half);
  const reB = new Float64Array(half);
  const imB = new Float64Array(half);
  const untangleCos = new Float64Array(half + 1);
  const untangleSin = new Float64Array(half + 1);
  for (let k = 0; k <= half; k++) {
    untangleCos[k] = Math.cos((2 * Math.PI * k) / fftSize);
    untangleSin[k] = -Math.sin((2 * Math.PI * k) / fftSize);
  }

  return {
    powerSpectrum(frame, power) {
      let re = reA;
      let im = imA;
      let reNext = reB;
      let imNext = imB;
      for (let i = 0; i < half; i++) {
        re[i] = frame[2 * i] as number;
        im[i] = frame[2 * i + 1] as number;
      }
      for (const pass of passes) {
        if (pass.radix === 5) radix5(pass, re, im, reNext, imNext);
        else if (pass.radix === 4) radix4(pass, re, im, reNext, imNext);
        else radix2(pass, re, im, reNext, imNext);
        [re, reNext] = [reNext, re];
        [im, imNext] = [imNext, im];
      }
      untangle(re, im, power, untangleCos, untangleSin);
    },
  };
}

function createPasses(): Pass[] {
  const passes: Pass[] = [];
  let length = half;
  let stride = 1;
  for (const radix of radices) {
    const groups = length / radix;
    const cos = new Float64Array(groups * (radix - 1));
    const sin = new Float64Array(groups * (radix - 1));
    for (let group = 0; group < groups; group++) {
      for (let output = 1; output < radix; output++) {
        const angle = (-2 * Math.PI * group * output) / length;
        cos[group * (radix - 1) + output - 1] = Math.cos(angle);
        sin[group * (radix - 1) + output - 1] = Math.sin(angle);
      }
    }
    passes.push({ radix, groups, stride, cos, sin });
    length = groups;
    stride *= radix;
  }
  return passes;
}

/** X(k) of the 400 real samples from Z(k) of the 200 complex ones: X = E + e^(-2πik/400)·O. */
function untangle(re: Float64Array, im: Float64Array, power: Float64Array, cos: Float64Array, sin: Float64Array): void {
  for (let k = 0; k <= half; k++) {
    const i = k === half ? 0 : k;
    const j = k === 0 || k === half ? 0 : half - k;
    const evenRe = ((re[i] as number) + (re[j] as number)) * 0.5;
    const evenIm = ((im[i] as number) - (im[j] as number)) * 0.5;
    const oddRe = ((im[i] as number) + (im[j] as number)) * 0.5;
    const oddIm = ((re[j] as number) - (re[i] as number)) * 0.5;
    const c = cos[k] as number;
    const s = sin[k] as number;
    const x = evenRe + oddRe * c - oddIm * s;
    const y = evenIm + oddRe * s + oddIm * c;
    power[k] = x * x + y * y;
  }
}

function radix2(pass: Pass, re: Float64Array, im: Float64Array, reOut: Float64Array, imOut: Float64Array): void {
  const { groups, stride, cos, sin } = pass;
  const step = stride * groups;
  for (let p = 0; p < groups; p++) {
    const c1 = cos[p] as number;
    const s1 = sin[p] as number;
    for (let q = 0; q < stride; q++) {
      const i = q + stride * p;
      const o = q + stride * 2 * p;
      const ar = re[i] as number;
      const ai = im[i] as number;
      const br = re[i + step] as number;
      const bi = im[i + step] as number;
      reOut[o] = ar + br;
      imOut[o] = ai + bi;
      const dr = ar - br;
      const di = ai - bi;
      reOut[o + stride] = dr * c1 - di * s1;
      imOut[o + stride] = dr * s1 + di * c1;
    }
  }
}

function radix4(pass: Pass, re: Float64Array, im: Float64Array, reOut: Float64Array, imOut: Float64Array): void {
  const { groups, stride, cos, sin } = pass;
  const step = stride * groups;
  for (let p = 0; p < groups; p++) {
    const c1 = cos[3 * p] as number;
    const s1 = sin[3 * p] as number;
    const c2 = cos[3 * p + 1] as number;
    const s2 = sin[3 * p + 1] as number;
    const c3 = cos[3 * p + 2] as number;
    const s3 = sin[3 * p + 2] as number;
    for (let q = 0; q < stride; q++) {
      const i = q + stride * p;
      const o = q + stride * 4 * p;
      const ar = re[i] as number;
      const ai = im[i] as number;
      const br = re[i + step] as number;
      const bi = im[i + step] as number;
      const cr = re[i + 2 * step] as number;
      const ci = im[i + 2 * step] as number;
      const dr = re[i + 3 * step] as number;
      const di = im[i + 3 * step] as number;
      const sumAcR = ar + cr;
      const sumAcI = ai + ci;
      const difAcR = ar - cr;
      const difAcI = ai - ci;
      const sumBdR = br + dr;
      const sumBdI = bi + di;
      const difBdR = br - dr;
      const difBdI = bi - di;
      reOut[o] = sumAcR + sumBdR;
      imOut[o] = sumAcI + sumBdI;
      const y1r = difAcR + difBdI;
      const y1i = difAcI - difBdR;
      const y2r = sumAcR - sumBdR;
      const y2i = sumAcI - sumBdI;
      const y3r = difAcR - difBdI;
      const y3i = difAcI + difBdR;
      reOut[o + stride] = y1r * c1 - y1i * s1;
      imOut[o + stride] = y1r * s1 + y1i * c1;
      reOut[o + 2 * stride] = y2r * c2 - y2i * s2;
      imOut[o + 2 * stride] = y2r * s2 + y2i * c2;
      reOut[o + 3 * stride] = y3r * c3 - y3i * s3;
      imOut[o + 3 * stride] = y3r * s3 + y3i * c3;
    }
  }
}

const cos72 = Math.cos((2 * Math.PI) / 5);
const cos144 = Math.cos((4 * Math.PI) / 5);
const sin72 = Math.sin((2 * Math.PI) / 5);
const sin144 = Math.sin((4 * Math.PI) / 5);

function radix5(pass: Pass, re: Float64Array, im: Float64Array, reOut: Float64Array, imOut: Float64Array): void {
  const { groups, stride, cos, sin } = pass;
  const step = stride * groups;
  for (let p = 0; p < groups; p++) {
    const t = 4 * p;
    const c1 = cos[t] as number;
    const s1 = sin[t] as number;
    const c2 = cos[t + 1] as number;
    const s2 = sin[t + 1] as number;
    const c3 = cos[t + 2] as number;
    const s3 = sin[t + 2] as number;
    const c4 = cos[t + 3] as number;
    const s4 = sin[t + 3] as number;
    for (let q = 0; q < stride; q++) {
      const i = q + stride * p;
      const o = q + stride * 5 * p;
      const ar = re[i] as number;
      const ai = im[i] as number;
      const sum14R = (re[i + step] as number) + (re[i + 4 * step] as number);
      const sum14I = (im[i + step] as number) + (im[i + 4 * step] as number);
      const dif14R = (re[i + step] as number) - (re[i + 4 * step] as number);
      const dif14I = (im[i + step] as number) - (im[i + 4 * step] as number);
      const sum23R = (re[i + 2 * step] as number) + (re[i + 3 * step] as number);
      const sum23I = (im[i + 2 * step] as number) + (im[i + 3 * step] as number);
      const dif23R = (re[i + 2 * step] as number) - (re[i + 3 * step] as number);
      const dif23I = (im[i + 2 * step] as number) - (im[i + 3 * step] as number);
      reOut[o] = ar + sum14R + sum23R;
      imOut[o] = ai + sum14I + sum23I;
      const m1r = ar + cos72 * sum14R + cos144 * sum23R;
      const m1i = ai + cos72 * sum14I + cos144 * sum23I;
      const m2r = ar + cos144 * sum14R + cos72 * sum23R;
      const m2i = ai + cos144 * sum14I + cos72 * sum23I;
      const n1r = sin72 * dif14R + sin144 * dif23R;
      const n1i = sin72 * dif14I + sin144 * dif23I;
      const n2r = sin144 * dif14R - sin72 * dif23R;
      const n2i = sin144 * dif14I - sin72 * dif23I;
      const y1r = m1r + n1i;
      const y1i = m1i - n1r;
      const y4r = m1r - n1i;
      const y4i = m1i + n1r;
      const y2r = m2r + n2i;
      const y2i = m2i - n2r;
      const y3r = m2r - n2i;
      const y3i = m2i + n2r;
      reOut[o + stride] = y1r * c1 - y1i * s1;
      imOut[o + stride] = y1r * s1 + y1i * c1;
      reOut[o + 2 * stride] = y2r * c2 - y2i * s2;
      imOut[o + 2 * stride] = y2r * s2 + y2i * c2;
      reOut[o + 3 * stride] = y3r * c3 - y3i * s3;
      imOut[o + 3 * stride] = y3r * s3 + y3i * c3;
      reOut[o + 4 * stride] = y4r * c4 - y4i * s4;
      imOut[o + 4 * stride] = y4r * s4 + y4i * c4;
    }
  }
}
