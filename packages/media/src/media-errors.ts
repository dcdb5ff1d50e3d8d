import { AppError } from '@studymate/contracts/errors';

/** What ffmpeg or ffprobe said about a file that it could not read, as an error for the user. */
export function toMediaError(stderr: string): AppError {
  if (/Format not on whitelist/i.test(stderr)) {
    return new AppError('unsupported_media', 'Files of this kind are not accepted.');
  }
  // Said of many channels whose places are not known; a lecture takes their mean, a clip does not.
  if (/Rematrix is needed/i.test(stderr)) {
    return new AppError('unsupported_media', 'The channels of this sound cannot be mixed; a clip may have eight.');
  }
  if (/matches no streams|does not contain any stream|Output file #0 does not contain/i.test(stderr)) {
    return new AppError('no_audio', 'The file has no sound track.');
  }
  // A guess by the file's name alone (score 1) is no sign that it ever was a recording.
  if (/moov atom not found/i.test(stderr) && !/low score of 1\b/.test(stderr)) {
    return new AppError('media_damaged', 'The recording was not finished: its index is missing.');
  }
  if (/Output file is empty|Error while decoding/i.test(stderr)) return nothingDecoded();
  return new AppError('not_media', 'The file is not a recording that can be read.');
}

export function nothingDecoded(): AppError {
  return new AppError('media_damaged', 'Nothing of the sound could be decoded.');
}

/** Ended by a signal that was not ours: a crash, or the system's. */
export function decoderCrashed(signal: string): AppError {
  return new AppError('decoder_crashed', `The program that reads recordings was ended (${signal}).`);
}

export function tooLong(maxSeconds: number): AppError {
  return new AppError('media_too_long', `The recording is longer than ${maxSeconds} s.`);
}
