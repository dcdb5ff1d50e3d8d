import { AppError } from '@studymate/contracts/errors';
import type { WhisperTokens } from '@studymate/speech/whisper-tokens';

/**
 * Whether the loaded model can be told this language. Whisper's English-only models know no other, and only the newest
 * know Cantonese.
 * @param language Whisper's code; null: to be recognised
 * @throws AppError `unknown_language` with the codes that the model knows
 */
export function mustKnowLanguage({ languageIds }: Pick<WhisperTokens, 'languageIds'>, language: string | null): void {
  const codes = languageIds.size === 0 ? ['en'] : [...languageIds.keys()];
  if (language === null || codes.includes(language)) return;
  const known =
    languageIds.size === 0 ? 'knows English only' : `knows ${codes.length} languages, and this is none of them`;
  throw new AppError(
    'unknown_language',
    `The language "${language}" was asked for; the speech model here ${known}. WHISPER_MODEL names another model.`,
    { details: { codes } },
  );
}
