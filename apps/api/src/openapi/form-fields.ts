import { maxGlossaryTerms, maxTermCharacters } from '@studymate/contracts/glossary';
import { maxCandidateCharacters, maxCandidates } from '@studymate/contracts/requests';
import type { FormField } from './operation.ts';

const text = (maxLength: number) => ({ type: 'string', maxLength });

/** Fields of the multipart forms. What checks them reads a form as it comes, so they are described here by hand. */
export const file: FormField = {
  description: 'The recording.',
  schema: { type: 'string', contentMediaType: 'application/octet-stream' },
  required: true,
};
export const language: FormField = {
  description: 'ISO 639-1 code or English name; without it the language is found.',
  schema: text(40),
};
export const title: FormField = { description: "Without it, the file's name.", schema: text(300) };
export const glossary: FormField = {
  description:
    `Course terms: a JSON array of strings, or one term a line; at most ${maxGlossaryTerms} of ${maxTermCharacters} ` +
    'characters. The field may come several times.',
  schema: { type: 'string' },
};
export const candidates: FormField = {
  description: `A JSON array of at most ${maxCandidates} texts of ${maxCandidateCharacters} characters, one of which is expected.`,
  schema: { type: 'string' },
};
