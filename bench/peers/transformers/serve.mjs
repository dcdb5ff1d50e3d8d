// @huggingface/transformers as it is, behind lines of JSON: `node serve.mjs MODEL_FOLDER THREADS`.
//
// Says {"ready": true} when the model is loaded, and then answers each line {"file", "language", "wordTimes"} with
// {"seconds", "text", "words"}, or {"error"}. It reads no media files: ffmpeg decodes, which counts.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { env, pipeline } from '@huggingface/transformers';

const [folder, threads] = process.argv.slice(2);
const run = promisify(execFile);

async function decode(file) {
  const args = ['-nostdin', '-v', 'error', '-i', file, '-ar', '16000', '-ac', '1', '-f', 'f32le', '-'];
  const { stdout } = await run('ffmpeg', args, { encoding: 'buffer', maxBuffer: 800 * 1024 * 1024 });
  return new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length));
}

env.allowRemoteModels = false;
env.localModelPath = path.dirname(folder);
const recognise = await pipeline('automatic-speech-recognition', path.basename(folder), {
  dtype: 'q8',
  session_options: { intraOpNumThreads: Number(threads), interOpNumThreads: 1 },
});
console.log(JSON.stringify({ ready: true }));

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const { file, language, wordTimes } = JSON.parse(line);
    const startMs = performance.now();
    const { text, chunks } = await recognise(await decode(file), {
      language,
      task: 'transcribe',
      chunk_length_s: 29,
      return_timestamps: wordTimes ? 'word' : true,
    });
    const seconds = (performance.now() - startMs) / 1000;
    console.log(JSON.stringify({ seconds, text, words: wordTimes ? chunks.length : 0 }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
