import type { NounGuess } from './key-phrases.ts';
import { upperFirst } from './key-phrases.ts';
import { tidyStatement } from './statement-text.ts';
import type { Terms } from './text-terms.ts';
import { findWords, isContentWord } from './text-terms.ts';

/** A term and what the text says that it is; both stand in the sentence as they are. */
export interface Definition {
  term: string;
  definition: string;
  sentence: number;
  /** 0 to 1: how surely this defines. */
  strength: number;
}

interface Pattern {
  pattern: RegExp;
  strength: number;
}

/** Named groups `term` and `definition`. The patterns work on one sentence, anchored where a clause starts. */
const patterns: Record<string, Pattern[]> = {
  en: [
    {
      pattern:
        /^(?<term>[^,;:]{2,60}?),? (?:is|are|was|were) (?:defined as|known as|called|referred to as|termed) (?<definition>.{12,260})$/iu,
      strength: 0.95,
    },
    {
      pattern:
        /^(?<term>[^,;:]{2,60}?)(?:, [^,]{2,30},)? (?:may|can|could|might) (?:\p{L}+ly )?be (?:considered|regarded|defined|described|thought of|seen) as (?<definition>.{12,260})$/iu,
      strength: 0.95,
    },
    {
      pattern: /^(?:by|when we say) (?<term>[^,;:]{2,40}?),? (?:we|i) mean (?<definition>.{12,260})$/iu,
      strength: 0.95,
    },
    {
      pattern: /^(?<term>[^,;:]{2,50}?) (?:means?|refers? to|denotes?|stands? for) (?<definition>.{12,260})$/iu,
      strength: 0.9,
    },
    {
      pattern:
        /^(?<term>(?:(?:the|an?) )?[^,;:]{2,50}?) (?:is|are|was|were) (?<definition>(?:the|an?|any|one of|those) .{12,260})$/iu,
      strength: 0.7,
    },
    {
      pattern:
        /(?:^|[ ,(])(?:(?:in|of|by|with|from|on|as|called|an?|the|use|uses|have|has) )(?<term>(?:[\p{L}-]{2,30} ){0,2}[\p{L}-]{3,30}),? (?:i\. ?e\.,?|that is to say,?|that is,) (?<definition>(?:the|an?|any|those) [^,;.]{12,200})/iu,
      strength: 0.85,
    },
    {
      pattern:
        /(?:^|, |; )(?<term>[^,;:.]{3,40}), (?:which (?:is|are|was|were)|i\.e\.,?|that is,|in other words,?) (?<definition>(?:(?! (?:is|are|was|were) )[^;]){12,200}?)[,;.]/iu,
      strength: 0.75,
    },
    {
      pattern:
        /^(?<definition>[^,;]{12,140}?),? (?:is|are|was|were) (?:(?:also|often|usually|sometimes) )?(?:called|known as|termed) (?<term>(?:the |an? )?["“]?[\p{L}\p{N}' -]{3,40}["”]?)[,;.]/iu,
      strength: 0.8,
    },
  ],
  fr: [
    {
      pattern:
        /^(?<term>[^,;:]{2,50}?) (?:est|sont|désigne|signifie|s'appelle) (?<definition>(?:un|une|le|la|les|l'|des|ce) ?.{12,260})$/iu,
      strength: 0.7,
    },
  ],
  de: [
    {
      pattern:
        /^(?<term>[^,;:]{2,50}?) (?:ist|sind|bedeutet|heißt|bezeichnet) (?<definition>(?:ein|eine|einen|der|die|das) .{12,260})$/iu,
      strength: 0.7,
    },
  ],
  es: [
    {
      pattern:
        /^(?<term>[^,;:]{2,50}?) (?:es|son|significa|se llama) (?<definition>(?:un|una|el|la|los|las) .{12,260})$/iu,
      strength: 0.7,
    },
  ],
};

const leading =
  /^(?:and|so(?! (?:far|long|much|many|few|that|called)\b)|but|now|okay|well|then|also|because|that|here)[\s,]+/iu;
const leadingArticle =
  /^(?:the|an?|our|what we call|so-called|le|la|les|l'|un|une|der|die|das|ein|eine|el|los|las|una?)\s+/iu;
const notTerms =
  /^(?:this|that|these|those|it|he|she|they|we|you|i|there|here|what|which|who|one|ones|some|all|both|since|if|when|as|while|where|because|although|though|for|in|on|at|of|by|with|from|to|not|only|each|everything|something|nothing|another|others?|the (?:idea|point|question|problem|reason|thing|answer|result|first|second|third|last|next|same|other|rest|only|fact|one)s?)\b/iu;

/** The same without commas, as recognisers write it. */
const unmarkedAside =
  /^([^,]{2,40}?) (?:then|however|therefore|of course)(?:,? (?:for (?:our|this|that) purposes?|in (?:this|that|our) sense),?)? (?=(?:is|are|was|were|means?|refers?|may|can|could|might)\b)/iu;

/** "Printing, then, for our purpose, may be …": parentheses between the term and its verb are skipped. */
function withoutAsides(text: string): string {
  return text
    .replace(unmarkedAside, '$1 ')
    .replace(
      /^([^,]{2,40}), (?:then|however|therefore|of course|for (?:our|this|that) purposes?|in (?:this|that|our) sense|as we (?:said|saw))(?:, (?:for (?:our|this|that) purposes?|in (?:this|that|our) sense))?,/iu,
      '$1',
    );
}

/** Definitions as the text gives them, at most one a sentence, in order. Verbatim apart from capitals and end marks. */
export function findDefinitions(params: {
  sentences: readonly string[];
  terms: Terms;
  nouns: NounGuess;
}): Definition[] {
  const { sentences, terms, nouns } = params;
  const found: Definition[] = [];
  sentences.forEach((sentence, index) => {
    if (/[?？؟]\W*$/u.test(sentence) || sentence.length > 600) return;
    const text = withoutAsides(sentence.trim().replace(leading, ''));
    for (const { pattern, strength } of patterns[terms.language] ?? []) {
      const groups = pattern.exec(text)?.groups;
      const term = cleanTerm(groups?.term ?? '', terms, nouns);
      if (groups === undefined || term === null) continue;
      const definition = cleanDefinition(groups.definition ?? '');
      if (definition === null || containsTerm(definition, term, terms)) continue;
      found.push({ term, definition, sentence: index, strength });
      break;
    }
  });
  return found;
}

function cleanTerm(text: string, terms: Terms, nouns: NounGuess): string | null {
  const trimmed = text.trim().replace(/^["“'‘(]+|["”'’)]+$/gu, '');
  if (notTerms.test(trimmed)) return null;
  const bare = trimmed.replace(leadingArticle, '').replace(/^["“]+|["”]+$/gu, '');
  const words = findWords(bare);
  if (words.length === 0 || words.length > 4) return null;
  if (notTerms.test(bare)) return null;
  const content = words.filter(({ lower }) => isContentWord(lower) && !terms.isStopWord(lower));
  const last = words[words.length - 1];
  if (content.length === 0 || last === undefined || content.at(-1) !== last) return null;
  if (terms.language === 'en' && !content.some(({ lower }) => nouns.isNoun(lower))) return null;
  if (
    words.some(({ lower }) =>
      /^(?:i|we|you|he|she|they|it|is|are|was|were|has|have|that|which|if|when|because)$/.test(lower),
    )
  ) {
    return null;
  }
  return bare;
}

/** Points at something outside of the definition. */
const danglingDefinition =
  /^(?:this|that|these|those|it|he|she|they|we|you|i|and|which|what|same|the same|not|one of (?:them|those|these))\b/iu;

/** "… in three laws which are called X": what is before the pronoun speaks of X, and does not say what it is. */
const endsInPronoun = /\b(?:that|which|who|what|it|they|these|those|we|you)$/iu;

function cleanDefinition(text: string): string | null {
  if (danglingDefinition.test(text) || endsInPronoun.test(text.trim())) return null;
  const definition = tidyStatement(text.trim());
  const count = findWords(definition).length;
  return count >= 3 && count <= 45 ? definition : null;
}

/** A definition that repeats its term explains nothing. */
function containsTerm(definition: string, term: string, terms: Terms): boolean {
  const stems = new Set(terms.contentStems(definition));
  const own = terms.contentStems(term);
  return own.length > 0 && own.every((stem) => stems.has(stem));
}

export function shownTerm(term: string): string {
  return upperFirst(term);
}
