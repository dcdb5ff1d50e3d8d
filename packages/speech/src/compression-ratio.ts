import { deflateSync } from 'node:zlib';

/**
 * How much smaller the text's UTF-8 bytes get by zlib. Whisper takes more than 2.4 as a sign that the text goes round
 * in circles (openai/whisper, utils.py). 0 for the empty text.
 */
export function compressionRatio(text: string): number {
  if (text === '') return 0;
  const bytes = Buffer.from(text, 'utf8');
  return bytes.length / deflateSync(bytes).length;
}
