import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A whole recording as the models hear it: 16 kHz, mono, signed 16-bit. For recordings of up to about three hours. */
export async function decodeRecording(filePath: string): Promise<Int16Array> {
  const args = ['-nostdin', '-v', 'error', '-i', filePath, '-ar', '16000', '-ac', '1', '-f', 's16le', '-'];
  const { stdout } = await run('ffmpeg', args, { encoding: 'buffer', maxBuffer: 400 * 1024 * 1024 });
  return new Int16Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length));
}
