import { idSchema } from '@studymate/contracts/ids';
import { stageNameSchema, stageNames } from '@studymate/contracts/stages';
import type { FailedFilter, FailedJob } from '@studymate/queue/failed';
import {
  type Command,
  type CommandCall,
  type CommandContext,
  numberOption,
  textOption,
  UsageError,
} from '../command.ts';
import { readConfig, withCore } from '../open.ts';
import { toTable } from '../table.ts';

const help = `Usage: npm run studymate -- failed list [FILTER…] [--limit N] [--cursor C] [--json]
       npm run studymate -- failed retry (FILTER… | --all) [--limit N] [--json]

The stages of lectures that gave up, newest first, and how to have them done again. A retry is the same as a user's: a new
attempt of the stage and of what depends on it.

FILTER: --lecture ID, --owner NAME, --stage NAME, --code CODE; all that are given must fit
        (stages: ${stageNames.join(', ')})
--limit: how many are listed (1 to 100, default 50), or done again at most (1 to 1000, default 100)
--cursor: goes on after an earlier list
retry: status 1 when some were refused, or when none fits.`;

export const failedCommand: Command = {
  summary: 'list the stages that gave up, and do them again',
  help,
  options: {
    lecture: { type: 'string' },
    owner: { type: 'string' },
    stage: { type: 'string' },
    code: { type: 'string' },
    limit: { type: 'string' },
    cursor: { type: 'string' },
    all: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  async run(call, context) {
    const [action, ...rest] = call.positionals;
    if (rest.length > 0) throw new UsageError('failed: takes one word, "list" or "retry"');
    if (action === 'list') return list(call, context);
    if (action === 'retry') return retry(call, context);
    throw new UsageError(action === undefined ? 'failed: say what to do' : `failed: there is no "${action}"`);
  },
};

function readFilter(call: CommandCall): FailedFilter {
  const lectureId = textOption(call, 'lecture');
  const owner = textOption(call, 'owner');
  const code = textOption(call, 'code');
  const stageText = textOption(call, 'stage');
  const stage = stageText === undefined ? undefined : stageNameSchema.safeParse(stageText).data;
  if (stageText !== undefined && stage === undefined)
    throw new UsageError(`--stage: give one of ${stageNames.join(', ')}`);
  if (lectureId !== undefined && !idSchema.safeParse(lectureId).success) {
    throw new UsageError("--lecture: give a lecture's id, 26 letters and digits");
  }
  return {
    ...(lectureId !== undefined && { lectureId }),
    ...(owner !== undefined && { owner }),
    ...(stage !== undefined && { stage }),
    ...(code !== undefined && { code }),
  };
}

async function list(call: CommandCall, context: CommandContext): Promise<number> {
  if (call.values.all === true) throw new UsageError('failed list: takes no --all');
  const filter = readFilter(call);
  const limit = numberOption(call, 'limit', { min: 1, max: 100 });
  const cursor = textOption(call, 'cursor');
  const page = await withCore(readConfig(context), ({ failed }) =>
    failed.list({ ...filter, ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) }),
  );
  if (call.values.json === true) {
    context.print(JSON.stringify(page));
    return 0;
  }
  const isFiltered = Object.keys(filter).length > 0 || cursor !== undefined;
  if (page.jobs.length === 0) context.say(isFiltered ? 'None fits.' : 'No stage has failed.');
  else context.print(toTable([head, ...page.jobs.map(toRow)]));
  if (page.nextCursor !== null) context.say(`There may be more: --cursor ${page.nextCursor}`);
  return 0;
}

const head = ['FAILED', 'LECTURE', 'OWNER', 'STAGE', 'PART', 'TRIES', 'CODE', 'MESSAGE'];
const maxMessageLength = 100;

function toRow(job: FailedJob): string[] {
  const { failedAt, lectureId, owner, stage, part, tries, code, message } = job;
  return [
    failedAt,
    lectureId,
    owner,
    stage,
    String(part),
    String(tries ?? '?'),
    code,
    message.slice(0, maxMessageLength),
  ];
}

async function retry(call: CommandCall, context: CommandContext): Promise<number> {
  if (call.values.cursor !== undefined) throw new UsageError('failed retry: takes no --cursor');
  const filter = readFilter(call);
  const isAll = call.values.all === true;
  if (isAll === Object.keys(filter).length > 0) {
    throw new UsageError('failed retry: say which by a filter, or --all for all of them');
  }
  const limit = numberOption(call, 'limit', { min: 1, max: 1_000 });
  const result = await withCore(readConfig(context), ({ failed }) =>
    failed.retry(filter, { ...(limit !== undefined && { limit }) }),
  );
  for (const { job, message } of result.refused) context.say(`${job.lectureId} ${job.stage}: refused: ${message}`);
  if (call.values.json === true) context.print(JSON.stringify(result));
  else if (result.retried.length === 0 && result.refused.length === 0) context.say('None fits.');
  else context.print(`${result.retried.length} will be done again, ${result.refused.length} refused.`);
  if (result.more) context.say('There may be more: run it again.');
  return result.retried.length === 0 || result.refused.length > 0 ? 1 : 0;
}
