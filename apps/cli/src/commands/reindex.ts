import { reindexLectures } from '@studymate/queue/reindex';
import { type Command, UsageError } from '../command.ts';
import { readConfig, withCore } from '../open.ts';

const help = `Usage: npm run studymate -- reindex [--json]

Rebuilds from the store what Redis held: the list of unfinished lectures, their jobs, and the list of failed jobs. For
after Redis has lost its data (FLUSHALL, a new server). Workers do it by themselves within a minute; this does it now,
and says what there is. Safe to run at any time, more than once, and while API and workers run.
Status 1 when a lecture's record cannot be read; all others are restored.`;

export const reindexCommand: Command = {
  summary: 'rebuild what Redis held from the store',
  help,
  options: { json: { type: 'boolean' } },
  async run(call, context) {
    if (call.positionals.length > 0) throw new UsageError('reindex: takes no more words');
    const found = await withCore(readConfig(context), async ({ lectures, failed, active, advancer }) => {
      const reindexed = await reindexLectures({
        lectures,
        failed,
        async takeUp(record) {
          await active.add(record, Date.parse(record.createdAt));
          await advancer.advance(record.id, { again: true });
        },
      });
      return { ...reindexed, deletionsFinished: await lectures.finishDeletions() };
    });
    for (const { lectureId, message } of found.unreadable) context.say(`${lectureId} cannot be read: ${message}`);
    if (call.values.json === true) {
      context.print(JSON.stringify(found));
    } else {
      context.print(
        [
          `lectures            ${found.lectures}`,
          `  unfinished        ${found.unfinished} (their jobs are queued)`,
          `  failed stages     ${found.failedJobs} (see: failed list)`,
          `  unreadable        ${found.unreadable.length}`,
          `deletions finished  ${found.deletionsFinished}`,
        ].join('\n'),
      );
    }
    return found.unreadable.length > 0 ? 1 : 0;
  },
};
