import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@studymate/contracts/errors';

// whisper.cpp 1.5.0, ggml.h (GGML_FILE_MAGIC) and whisper.cpp (whisper_model_load): the magic number, then eleven
// hyper-parameters, all little-endian 32-bit; the first is the size of the vocabulary.
const magic = 0x67676d6c;
const headerBytes = 8;
const multilingualVocabulary = 51_865;
const fileName = /^ggml-.+\.bin$/;

export interface GgmlWeights {
  file: string;
  /** English-only checkpoints have one token less. */
  isMultilingual: boolean;
}

/**
 * Finds the weights of whisper.cpp, the one `ggml-*.bin` of a folder, and looks at their first bytes.
 * @throws AppError `model_missing`, `model_damaged`
 */
export async function findGgmlWeights(folder: string): Promise<GgmlWeights> {
  const files = (await readdir(folder).catch(() => [])).filter((name) => fileName.test(name));
  if (files.length !== 1) {
    const what = files.length === 0 ? 'no file' : 'more than one file';
    throw new AppError(
      'model_missing',
      `${folder} holds ${what} named ggml-….bin, the weights that whisper-node takes`,
    );
  }
  const file = join(folder, files[0] as string);
  const header = Buffer.alloc(headerBytes);
  const handle = await open(file);
  try {
    await handle.read(header, 0, headerBytes, 0);
  } finally {
    await handle.close();
  }
  if (header.readUInt32LE(0) !== magic) {
    throw new AppError('model_damaged', `${file} does not hold weights for whisper.cpp (ggml)`);
  }
  return { file, isMultilingual: header.readInt32LE(4) >= multilingualVocabulary };
}
