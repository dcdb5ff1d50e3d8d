/** Which weights a setting names: a folder (of MODELS_DIR, or bundled), or a model of a hub at a fixed revision. */
export type ModelReference =
  | { kind: 'folder'; name: string }
  | { kind: 'hub'; owner: string; name: string; revision: string };

const part = /^\w[\w.-]{0,95}$/;
const form = 'give the name of a model folder, or owner/name@revision for a model of a hub';

/**
 * Reads `whisper-base` or `onnx-community/whisper-small@<40 hex digits>`. A branch or tag is refused: what it means can
 * change, and weights are checked against what was named.
 * @throws Error whose message says what would be right
 */
export function parseModelReference(text: string): ModelReference {
  const [id = '', revision, ...rest] = text.split('@');
  const [first = '', second, ...deeper] = id.split('/');
  if (rest.length > 0 || deeper.length > 0) throw new Error(form);
  for (const each of [first, second]) {
    // Two dots or hyphens are also what a hub refuses in names.
    if (each !== undefined && (!part.test(each) || each.includes('..') || each.includes('--'))) throw new Error(form);
  }
  if (second === undefined) {
    if (revision !== undefined) throw new Error(form);
    return { kind: 'folder', name: first };
  }
  if (revision === undefined || !/^[0-9a-f]{40}$/.test(revision)) {
    throw new Error(`name the revision by its commit, ${id}@ and 40 hex digits: a branch or tag can change`);
  }
  return { kind: 'hub', owner: first, name: second, revision };
}

/** The folder's name under which a model of a hub is kept. */
export function hubFolderName({ owner, name, revision }: Extract<ModelReference, { kind: 'hub' }>): string {
  return `${owner}--${name}@${revision}`;
}
