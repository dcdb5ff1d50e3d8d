/** What ffmpeg says on its error output about the sound it reads, at the log level of `reportOptions`. */
export interface DecodeReport {
  /** Packets at the end that are shorter than they say: the file ends in the middle of its sound. */
  corruptPackets: number;
  /** Whether pages of an Ogg were thrown away because their checksum is wrong. ffmpeg says it more than once for each. */
  lostPages: boolean;
  /** Packets that the decoder refused. */
  failedPackets: number;
  /** About how much sound those were. */
  failedSeconds: number;
  /** Gaps in the file's clock of at least `minGapSeconds` each, filled with silence; together. */
  gapSeconds: number;
}

export interface DecodeReporter {
  /** Takes the error output in pieces of any size. */
  push(text: string): void;
  read(): DecodeReport;
}

/** Says everything, and each time: by default ffmpeg counts equal lines together. */
export const reportOptions = ['-loglevel', 'repeat+verbose', '-nostats'];

/** Recorders leave out silence and lose a packet now and then; that is no damage. */
export const minGapSeconds = 1;
/** ffmpeg fills a gap in steps of so many samples (MAX_SILENCE_STEP in libswresample/swresample.c). */
const silenceStepSamples = 16_384;
const maxLineLength = 2_000;

/**
 * Reads what ffmpeg 4.4 to 7 say of one stream. A version that says it differently is taken to say nothing: fewer
 * warnings, never a failure.
 */
export function createDecodeReporter(streamIndex: number): DecodeReporter {
  let line = '';
  let inputRate = 0;
  let gapSamples = 0;
  let decodedFrames = 0;
  let decodedSamples = 0;
  const report = { corruptPackets: 0, lostPages: false, failedPackets: 0, gapSeconds: 0 };

  const endGap = () => {
    const seconds = inputRate > 0 ? gapSamples / inputRate : 0;
    if (seconds >= minGapSeconds) report.gapSeconds += seconds;
    gapSamples = 0;
  };

  const patterns: [RegExp, (match: RegExpExecArray) => void][] = [
    [new RegExp(`: corrupt input packet in stream ${streamIndex}$`), () => report.corruptPackets++],
    // ffmpeg 7 has another sentence for it.
    [
      new RegExp(
        `^(?:.*\\s)?Error while decoding stream #0:${streamIndex}:|^\\[aist#0:${streamIndex}.*Error submitting`,
      ),
      () => report.failedPackets++,
    ],
    [/^\[ogg @ \w+\] CRC mismatch!$/, () => (report.lostPages = true)],
    [/Parsed_aresample_\d+ .*fmt:\w+ r:(\d+)Hz ->/, (match) => (inputRate = Number(match[1]))],
    [
      /adding (\d+) audio samples of silence$/,
      (match) => {
        // It went on after a gap, so what was corrupt was not the end.
        report.corruptPackets = 0;
        gapSamples += Number(match[1]);
        // A smaller step is the last of its gap.
        if (Number(match[1]) < silenceStepSamples) endGap();
      },
    ],
    [
      new RegExp(
        `Input stream #0:${streamIndex} \\(audio\\):.* (\\d+) frames decoded(?:; \\d+ decode errors)? \\((\\d+) samples\\)`,
      ),
      (match) => {
        decodedFrames = Number(match[1]);
        decodedSamples = Number(match[2]);
      },
    ],
  ];

  function take(text: string): void {
    for (const [pattern, act] of patterns) {
      const match = pattern.exec(text);
      if (!match) continue;
      act(match);
      return;
    }
  }

  return {
    push(text) {
      const lines = (line + text).split('\n');
      line = (lines.pop() ?? '').slice(-maxLineLength);
      for (const each of lines) take(each.slice(-maxLineLength));
    },
    read() {
      endGap();
      const frameSeconds = decodedFrames > 0 && inputRate > 0 ? decodedSamples / decodedFrames / inputRate : 0;
      return { ...report, failedSeconds: report.failedPackets * frameSeconds };
    },
  };
}
