import { AppError } from '@studymate/contracts/errors';
import type { ModelReference } from '@studymate/contracts/model-reference';
import { askHub, type HubAnswer, unreachable } from './hub-request.ts';

export type HubModel = Extract<ModelReference, { kind: 'hub' }>;

/** A file as the hub describes it, before a byte of it has come. */
export interface HubFile {
  path: string;
  bytes: number;
  /** Large files are known by their SHA-256, small ones by git's: SHA-1 of "blob", length, and content. */
  checksum: { kind: 'sha256' | 'git'; hex: string };
}

/** One model of a hub at one revision, by the addresses that huggingface.co and its mirrors have. */
export interface HubClient {
  /**
   * @returns null when the model has no such file
   * @throws AppError `model_missing` (no such model or revision, or not for us), `model_unreachable`, `cancelled`
   */
  describe(path: string, signal: AbortSignal): Promise<HubFile | null>;
  /**
   * The content from a byte on.
   * @returns where it really begins: at 0 when the server does not continue; null when it has nothing from that byte on
   * @throws AppError as `describe`
   */
  read(
    path: string,
    fromByte: number,
    signal: AbortSignal,
  ): Promise<{ fromByte: number; content: AsyncIterable<Buffer> } | null>;
}

export function createHubClient(deps: {
  /** Without a slash at its end. */
  hubUrl: string;
  token: string | null;
  model: HubModel;
  idleTimeoutMs: number;
}): HubClient {
  const { hubUrl, token, model, idleTimeoutMs } = deps;
  const id = `${model.owner}/${model.name}`;
  const ask = (path: string, method: 'GET' | 'HEAD', signal: AbortSignal, headers?: Record<string, string>) =>
    askHub({
      url: new URL(`${hubUrl}/${id}/resolve/${model.revision}/${path}`),
      method,
      token,
      // Where the description leads away, the description itself has been given.
      followsAway: method === 'GET',
      idleTimeoutMs,
      signal,
      ...(headers && { headers }),
    });

  /** @throws AppError unless the file is there (true) or only the file is not (false) */
  const judge = ({ status, headers, url }: HubAnswer): boolean => {
    if (status >= 200 && status < 400) return true;
    const reason = headers.map((each) => each['x-error-code']).find((code) => code !== undefined);
    if (status === 404 && (reason === undefined || reason === 'EntryNotFound')) return false;
    if (status === 401 || status === 403) {
      const fix = 'accept its terms there if it asks for them, and give HF_TOKEN a token that may read it';
      throw new AppError('model_missing', `${hubUrl} shows ${id} only to some, or has no such model: ${fix}.`);
    }
    if (status === 404) {
      const missing = reason === 'RevisionNotFound' ? `no revision ${model.revision} of ${id}` : `no model ${id}`;
      throw new AppError('model_missing', `${hubUrl} has ${missing}. Correct WHISPER_MODEL.`);
    }
    throw unreachable(`${url.host} answered ${status}.`);
  };

  return {
    async describe(path, signal) {
      const answer = await ask(path, 'HEAD', signal);
      answer.body.destroy();
      if (!judge(answer)) return null;
      const header = (name: string) => answer.headers.map((each) => each[name]).find((value) => value !== undefined);
      const commit = header('x-repo-commit');
      if (commit !== undefined && commit !== model.revision) {
        throw new AppError('model_damaged', `${hubUrl} answered for revision ${commit} instead of ${model.revision}.`);
      }
      const [own] = answer.headers;
      const tag = String(header('x-linked-etag') ?? own?.etag ?? '').replace(/^W\/|"/g, '');
      const bytes = Number(header('x-linked-size') ?? own?.['content-length'] ?? Number.NaN);
      const kind = /^[0-9a-f]{64}$/.test(tag) ? 'sha256' : /^[0-9a-f]{40}$/.test(tag) ? 'git' : null;
      if (kind === null || !Number.isSafeInteger(bytes) || bytes < 0) {
        throw new AppError('model_damaged', `${hubUrl} does not say the size and checksum of ${path} of ${id}.`);
      }
      return { path, bytes, checksum: { kind, hex: tag } };
    },
    async read(path, fromByte, signal) {
      const range = fromByte > 0 ? { range: `bytes=${fromByte}-` } : undefined;
      const answer = await ask(path, 'GET', signal, range);
      if (answer.status === 416) {
        answer.body.destroy();
        return null;
      }
      let isThere = false;
      try {
        isThere = judge(answer);
      } finally {
        if (!isThere) answer.body.destroy();
      }
      if (!isThere) throw unreachable(`${answer.url.host} does not give ${path} although it was there.`);
      const begins = /^bytes (\d+)-/.exec(answer.headers[0]?.['content-range'] ?? '')?.[1];
      if (answer.status === 206 && Number(begins) !== fromByte) {
        answer.body.destroy();
        throw unreachable(`${answer.url.host} gave another part of ${path} than was asked for.`);
      }
      return { fromByte: answer.status === 206 ? fromByte : 0, content: answer.body };
    },
  };
}
