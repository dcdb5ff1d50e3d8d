import { AppError } from '@studymate/contracts/errors';

/** Whisper's languages, code → English name (openai/whisper, tokenizer.py). Cantonese is known to large-v3 and its kin alone. */
export const languages: Readonly<Record<string, string>> = {
  en: 'English',
  zh: 'Chinese',
  de: 'German',
  es: 'Spanish',
  ru: 'Russian',
  ko: 'Korean',
  fr: 'French',
  ja: 'Japanese',
  pt: 'Portuguese',
  tr: 'Turkish',
  pl: 'Polish',
  ca: 'Catalan',
  nl: 'Dutch',
  ar: 'Arabic',
  sv: 'Swedish',
  it: 'Italian',
  id: 'Indonesian',
  hi: 'Hindi',
  fi: 'Finnish',
  vi: 'Vietnamese',
  he: 'Hebrew',
  uk: 'Ukrainian',
  el: 'Greek',
  ms: 'Malay',
  cs: 'Czech',
  ro: 'Romanian',
  da: 'Danish',
  hu: 'Hungarian',
  ta: 'Tamil',
  no: 'Norwegian',
  th: 'Thai',
  ur: 'Urdu',
  hr: 'Croatian',
  bg: 'Bulgarian',
  lt: 'Lithuanian',
  la: 'Latin',
  mi: 'Maori',
  ml: 'Malayalam',
  cy: 'Welsh',
  sk: 'Slovak',
  te: 'Telugu',
  fa: 'Persian',
  lv: 'Latvian',
  bn: 'Bengali',
  sr: 'Serbian',
  az: 'Azerbaijani',
  sl: 'Slovenian',
  kn: 'Kannada',
  et: 'Estonian',
  mk: 'Macedonian',
  br: 'Breton',
  eu: 'Basque',
  is: 'Icelandic',
  hy: 'Armenian',
  ne: 'Nepali',
  mn: 'Mongolian',
  bs: 'Bosnian',
  kk: 'Kazakh',
  sq: 'Albanian',
  sw: 'Swahili',
  gl: 'Galician',
  mr: 'Marathi',
  pa: 'Punjabi',
  si: 'Sinhala',
  km: 'Khmer',
  sn: 'Shona',
  yo: 'Yoruba',
  so: 'Somali',
  af: 'Afrikaans',
  oc: 'Occitan',
  ka: 'Georgian',
  be: 'Belarusian',
  tg: 'Tajik',
  sd: 'Sindhi',
  gu: 'Gujarati',
  am: 'Amharic',
  yi: 'Yiddish',
  lo: 'Lao',
  uz: 'Uzbek',
  fo: 'Faroese',
  ht: 'Haitian Creole',
  ps: 'Pashto',
  tk: 'Turkmen',
  nn: 'Nynorsk',
  mt: 'Maltese',
  sa: 'Sanskrit',
  lb: 'Luxembourgish',
  my: 'Myanmar',
  bo: 'Tibetan',
  tl: 'Tagalog',
  mg: 'Malagasy',
  as: 'Assamese',
  tt: 'Tatar',
  haw: 'Hawaiian',
  ln: 'Lingala',
  ha: 'Hausa',
  ba: 'Bashkir',
  jw: 'Javanese',
  su: 'Sundanese',
  yue: 'Cantonese',
};

/** Other names for the same languages (openai/whisper, tokenizer.py) and codes in common use. */
const aliases: Readonly<Record<string, string>> = {
  burmese: 'my',
  valencian: 'ca',
  flemish: 'nl',
  haitian: 'ht',
  letzeburgesch: 'lb',
  pushto: 'ps',
  panjabi: 'pa',
  moldavian: 'ro',
  moldovan: 'ro',
  sinhalese: 'si',
  castilian: 'es',
  mandarin: 'zh',
  farsi: 'fa',
  jv: 'jw',
  iw: 'he',
  nb: 'no',
  fil: 'tl',
  filipino: 'tl',
};

/** These are written without spaces between words: words are taken token by token and joined with nothing. */
const unspaced: ReadonlySet<string> = new Set(['zh', 'ja', 'th', 'lo', 'my', 'yue']);

export function isUnspacedLanguage(code: string | null): boolean {
  return code !== null && unspaced.has(code);
}

/**
 * Whisper's code for a language given as a code ("de", "de-AT", "pt_BR") or an English name ("German"), in any case.
 * @throws AppError `unknown_language`
 */
export function parseLanguage(text: string): string {
  const wanted = text.trim().toLowerCase();
  const code = codeOf(wanted) ?? codeOf(wanted.split(/[-_]/, 1)[0] ?? '');
  if (code !== null) return code;
  throw new AppError(
    'unknown_language',
    `"${text.trim().slice(0, 40)}" is not a language that Whisper knows. Give an ISO 639-1 code such as "en" or an ` +
      'English name such as "German", or leave the language out to have it recognised.',
    { details: { codes: Object.keys(languages) } },
  );
}

function codeOf(text: string): string | null {
  if (Object.hasOwn(languages, text)) return text;
  if (Object.hasOwn(aliases, text)) return aliases[text] as string;
  for (const [code, name] of Object.entries(languages)) if (name.toLowerCase() === text) return code;
  return null;
}
