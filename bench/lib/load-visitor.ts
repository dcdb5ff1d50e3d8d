import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { excerpt } from '../../e2e/support/recordings.ts';
import { rootDir } from '../../e2e/support/running-system.ts';
import { type Answer, type Options, request, toMultipart } from '../../e2e/system/support/http.ts';
import { differentClips, differentTexts, type PlannedRequest } from './load-plan.ts';

/** What is sent: made once, the same for every run. */
export interface LoadMaterial {
  texts: string[];
  clips: Buffer[];
}

const clipSeconds = 2;
const parts = ['', '/transcript', '/chapters', '/topics', '/summary', '/flashcards'];
const listed = ['/v1/models', '/openapi.json', '/docs'];
const textRoutes = ['topics', 'chapters', 'summarize'] as const;

export async function makeMaterial(): Promise<LoadMaterial> {
  const lines = (await readFile(path.join(rootDir, 'samples/history-of-printing.txt'), 'utf8'))
    .split('\n')
    .filter((line) => line.trim() !== '');
  const texts = Array.from({ length: differentTexts }, (_, i) =>
    Array.from({ length: 6 }, (_, k) => lines[(i + k) % lines.length]).join(' '),
  );
  const clips: Buffer[] = [];
  for (let i = 0; i < differentClips; i++) {
    const file = await excerpt(`clip-${i}.wav`, i * 5, clipSeconds, ['-ac', '1', '-ar', '16000']);
    clips.push(Buffer.from(await file.arrayBuffer()));
  }
  return { texts, clips };
}

const toJsonPost = (body: object): Options => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

/** Sends one planned request from its visitor's own address. @param number makes each upload another recording */
export function visit(
  baseUrl: string,
  planned: PlannedRequest,
  deps: { material: LoadMaterial; lectureIds: readonly string[]; number: number },
): Promise<Answer> {
  const { kind, item, visitor } = planned;
  const { texts, clips } = deps.material;
  const lecture = `/api/v1/lectures/${deps.lectureIds[item % deps.lectureIds.length]}`;
  const text = texts[item % texts.length] ?? '';
  const clip = clips[item % clips.length] ?? Buffer.alloc(0);
  const toRequest = (): [string, Options] => {
    switch (kind) {
      case 'read':
        return [`${lecture}${parts[item % parts.length]}`, {}];
      case 'list':
        return ['/api/v1/lectures', {}];
      case 'listed':
        return [listed[item % listed.length] as string, {}];
      case 'text': {
        const route = textRoutes[item % textRoutes.length];
        const sentences = text.split(/(?<=[.;])\s/);
        const body = { topics: { documents: sentences }, chapters: { sentences }, summarize: { text } } as const;
        return [`/api/v1/${route}`, toJsonPost(body[route as 'topics'])];
      }
      case 'stream':
        return ['/api/v1/summarize/stream', toJsonPost({ text })];
      case 'clip':
        return ['/api/v1/transcribe', { method: 'POST', ...toMultipart('clip.wav', clip) }];
      case 'events':
        return [`${lecture}/events`, {}];
      case 'upload': {
        const bytes = Buffer.from(clip);
        bytes.writeInt16LE(deps.number % 32_768, bytes.length - 2);
        return ['/api/v1/lectures', { method: 'POST', ...toMultipart(`new ${deps.number}.wav`, bytes) }];
      }
    }
  };
  const [target, options] = toRequest();
  return request(`${baseUrl}${target}`, {
    ...options,
    from: `127.1.${Math.floor(visitor / 200)}.${1 + (visitor % 200)}`,
  });
}
