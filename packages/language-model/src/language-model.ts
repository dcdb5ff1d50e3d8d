import { z } from 'zod';

/** One message of a chat, as OpenAI's servers take it. */
export interface ChatMessage {
  role: 'system' | 'user';
  content: string;
}

export interface WriteOptions {
  signal: AbortSignal;
  /** How long the first word may take, where that is longer than later ones may: a long text has to be read first. */
  firstWordMs?: number;
  /** An answer that is longer has no end. */
  maxCharacters: number;
  /** A server that gives a word now and then must not keep a caller for ever. */
  longestMs: number;
}

/** The server did its work, and what it gave, or refused, for this text is of no use: the next text may fare better. */
export class UselessAnswerError extends Error {}

/** What a server says of a request that is too long for its model, or that it cannot make sense of. */
const refusals: readonly number[] = [400, 413, 422];

/** A server that speaks OpenAI's chat completions. */
export interface LanguageModel {
  /** The model, as its server calls it. */
  readonly model: string;
  /** Tells the answers of one server and model from those of another. */
  readonly name: string;
  /**
   * The answer as it comes.
   * @throws UselessAnswerError it does not end, or this text is refused
   * @throws Error whatever else goes wrong: nothing comes for too long, it breaks off, it is in another form
   */
  write(messages: readonly ChatMessage[], options: WriteOptions): AsyncGenerator<string>;
}

/** A longer text would not fit into what usual models read at once. */
export const maxModelCharacters = 100_000;
const maxEventCharacters = 100_000;
/** Some 300 bytes of events a word, and ten times as much; what comes beyond that, comments for one, is no answer. */
const maxAnswerBytes = 16 * 1024 * 1024;
/** What may follow the last word is of no interest, and some servers leave the connection open behind it. */
const farewellMs = 1_000;

const choiceSchema = z.object({
  delta: z
    .object({
      content: z.string().nullish(),
      /** What some servers call a model's thinking aloud; it is no part of the answer. */
      reasoning_content: z.string().nullish().catch(null),
      reasoning: z.string().nullish().catch(null),
    })
    .optional(),
  message: z.object({ content: z.string().nullish() }).optional(),
  finish_reason: z.string().nullish(),
});
const answerSchema = z.object({ choices: z.array(choiceSchema) });

/** @param deps.stallMs how long nothing of the answer may come */
export function createLanguageModel(deps: {
  baseUrl: string;
  apiKey: string | null;
  model: string;
  stallMs: number;
}): LanguageModel {
  const { baseUrl, apiKey, model, stallMs } = deps;

  const toRequest = (messages: readonly ChatMessage[]): RequestInit => ({
    method: 'POST',
    // A redirect would carry the text, and the key, to somebody else.
    redirect: 'error',
    headers: { 'content-type': 'application/json', ...(apiKey !== null && { authorization: `Bearer ${apiKey}` }) },
    body: JSON.stringify({ model, stream: true, temperature: 0.2, messages }),
  });

  return {
    model,
    name: `${baseUrl} ${model}`,
    async *write(messages, { signal, firstWordMs = 0, maxCharacters, longestMs }) {
      const stalled = new AbortController();
      let isWhole = false;
      let timer: NodeJS.Timeout | undefined;
      const watch = (mostMs: number) => {
        clearTimeout(timer);
        timer = setTimeout(() => stalled.abort(new Error(`nothing came for ${mostMs} ms`)), mostMs);
      };
      try {
        watch(Math.max(stallMs, firstWordMs));
        const both = AbortSignal.any([signal, stalled.signal, AbortSignal.timeout(longestMs)]);
        const response = await fetch(`${baseUrl}/chat/completions`, { ...toRequest(messages), signal: both });
        if (refusals.includes(response.status)) throw new UselessAnswerError(`it answered ${response.status}`);
        if (!response.ok || !response.body) throw new Error(`it answered ${response.status}`);
        let characters = 0;
        for await (const choice of readChoices(response.body)) {
          const content = choice.delta?.content ?? choice.message?.content ?? '';
          const thought = choice.delta?.reasoning_content ?? choice.delta?.reasoning ?? '';
          characters += content.length + thought.length;
          if (characters > maxCharacters) throw new UselessAnswerError('its answer does not end');
          if (content !== '') {
            clearTimeout(timer);
            yield content;
          }
          const isSign = content !== '' || thought !== '' || (!isWhole && Boolean(choice.finish_reason));
          // "length": it was cut off, but what there is of it counts.
          if (choice.finish_reason) isWhole = true;
          if (isSign) watch(isWhole ? Math.min(stallMs, farewellMs) : stallMs);
        }
        if (!isWhole) throw new Error('it broke off');
      } catch (error) {
        if (!isWhole || signal.aborted || error instanceof UselessAnswerError) throw error;
      } finally {
        clearTimeout(timer);
        stalled.abort();
      }
    },
  };
}

type Choice = z.infer<typeof choiceSchema>;

/** The first choice of each event of a stream, or of the one answer of a server that does not stream. */
async function* readChoices(body: ReadableStream<Uint8Array>): AsyncGenerator<Choice> {
  const decoder = new TextDecoder();
  let rest = '';
  let json = '';
  let size = 0;
  for await (const bytes of body as unknown as AsyncIterable<Uint8Array>) {
    size += bytes.length;
    if (size > maxAnswerBytes) throw new UselessAnswerError('its answer does not end');
    rest += decoder.decode(bytes, { stream: true });
    const lines = rest.split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('data:')) {
        const data = line.slice(5).trim();
        if (data === '[DONE]') {
          yield { finish_reason: 'stop' };
          return;
        }
        yield* toChoices(data);
      } else if (line !== '' && !/^(:|event:|id:|retry:)/.test(line)) json += line;
    }
    if (rest.length + json.length > maxEventCharacters) throw new Error('its events are too long');
  }
  if (json !== '' || rest.startsWith('{')) yield* toChoices(json + rest);
}

function toChoices(data: string): Choice[] {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    // Without the cause: the parser quotes what it could not read, and that may be what somebody said.
    throw new Error('it does not answer in JSON');
  }
  const parsed = answerSchema.safeParse(value);
  if (!parsed.success) throw new Error('it answers in another form');
  return parsed.data.choices.slice(0, 1);
}
