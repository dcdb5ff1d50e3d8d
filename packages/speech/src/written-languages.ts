/** The languages that are written in a script, as far as Whisper knows them; Latin stands for all others. */
const languagesByScript: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\p{Script=Arabic}/u, ['ar', 'fa', 'ur', 'ps', 'sd']],
  [/\p{Script=Cyrillic}/u, ['ru', 'uk', 'be', 'bg', 'sr', 'mk', 'kk', 'mn', 'tg', 'tt', 'ba', 'az', 'uz', 'tk']],
  [/\p{Script=Greek}/u, ['el']],
  [/\p{Script=Hebrew}/u, ['he', 'yi']],
  [/\p{Script=Hiragana}|\p{Script=Katakana}/u, ['ja']],
  [/\p{Script=Hangul}/u, ['ko']],
  [/\p{Script=Han}/u, ['zh', 'ja', 'yue']],
  [/\p{Script=Devanagari}/u, ['hi', 'mr', 'ne', 'sa']],
  [/\p{Script=Bengali}/u, ['bn', 'as']],
  [/\p{Script=Gurmukhi}/u, ['pa']],
  [/\p{Script=Gujarati}/u, ['gu']],
  [/\p{Script=Tamil}/u, ['ta']],
  [/\p{Script=Telugu}/u, ['te']],
  [/\p{Script=Kannada}/u, ['kn']],
  [/\p{Script=Malayalam}/u, ['ml']],
  [/\p{Script=Sinhala}/u, ['si']],
  [/\p{Script=Thai}/u, ['th']],
  [/\p{Script=Lao}/u, ['lo']],
  [/\p{Script=Myanmar}/u, ['my']],
  [/\p{Script=Khmer}/u, ['km']],
  [/\p{Script=Tibetan}/u, ['bo']],
  [/\p{Script=Georgian}/u, ['ka']],
  [/\p{Script=Armenian}/u, ['hy']],
  [/\p{Script=Ethiopic}/u, ['am']],
];
/** Both are usual in these. */
const alsoInLatin: ReadonlySet<string> = new Set(['sr', 'az', 'uz', 'tk', 'bs']);
const notLatin: ReadonlySet<string> = new Set(
  languagesByScript.flatMap(([, codes]) => codes).filter((code) => !alsoInLatin.has(code)),
);

/**
 * The languages in whose script most of the texts are written: a short word alone does not tell its language well.
 * @param codes Whisper's codes to choose from
 * @returns all of them where the texts have no letters, or where none is written so
 */
export function languagesWrittenLike(texts: readonly string[], codes: readonly string[]): string[] {
  const counts = languagesByScript.map(([script]) => texts.filter((text) => script.test(text)).length);
  const latin = texts.filter((text) => /\p{Script=Latin}/u.test(text)).length;
  const most = Math.max(...counts);
  if (most === 0 && latin === 0) return [...codes];
  const written =
    latin > most
      ? codes.filter((code) => !notLatin.has(code))
      : codes.filter((code) => languagesByScript[counts.indexOf(most)]?.[1].includes(code));
  return written.length > 0 ? written : [...codes];
}
