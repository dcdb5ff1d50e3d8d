import { AppError } from '@studymate/contracts/errors';
import { type ApiKeyInfo, createKeyStore, isOwnerName } from '@studymate/storage/key-store';
import { type Command, type CommandCall, type CommandContext, textOption, UsageError } from '../command.ts';
import { readConfig, withStore } from '../open.ts';
import { toTable } from '../table.ts';

const help = `Usage: npm run studymate -- keys create --owner NAME [--label TEXT] [--json]
       npm run studymate -- keys list [--json]
       npm run studymate -- keys revoke ID [--json]

Keys for the API, asked for when it runs with AUTH=keys. A key belongs to an owner, who sees only what was made with
the owner's keys; the owner "local" has what was made while AUTH was off. "create" prints the key once: only its
hash is kept. A revoked key works no more after a few seconds.`;

export const keysCommand: Command = {
  summary: 'make, list and revoke API keys',
  help,
  options: { owner: { type: 'string' }, label: { type: 'string' }, json: { type: 'boolean' } },
  async run(call, context) {
    const [action, ...rest] = call.positionals;
    if (action === 'create') return create(call, rest, context);
    if (action === 'list') return list(call, rest, context);
    if (action === 'revoke') return revoke(call, rest, context);
    throw new UsageError(action === undefined ? 'keys: say what to do' : `keys: there is no "${action}"`);
  },
};

async function create(call: CommandCall, rest: string[], context: CommandContext): Promise<number> {
  const owner = textOption(call, 'owner');
  const label = textOption(call, 'label') ?? '';
  if (rest.length > 0) throw new UsageError('keys create: takes options only');
  if (owner === undefined) throw new UsageError('keys create: --owner is missing');
  if (!isOwnerName(owner)) {
    throw new UsageError(
      '--owner: give 1 to 100 lower-case letters, digits, ".", "_", "@", "+", "-", a letter or digit first',
    );
  }
  const config = readConfig(context);
  const made = await withStore(config, (blobs) => createKeyStore({ blobs }).create({ owner, label }), {
    mayMake: true,
  });
  if (call.values.json === true) {
    context.print(JSON.stringify({ key: made.key, ...made.info }));
  } else {
    context.say(
      `Key ${made.info.id} of ${owner}, kept in ${config.s3 ? `the bucket ${config.s3.bucket}` : config.dataDir}. It is shown only now:`,
    );
    context.print(made.key);
  }
  if (config.api.auth !== 'keys')
    context.say(`AUTH is ${config.api.auth} here: the API does not ask for keys before AUTH=keys is set.`);
  return 0;
}

async function list(call: CommandCall, rest: string[], context: CommandContext): Promise<number> {
  refuseOptions(call, 'keys list');
  if (rest.length > 0) throw new UsageError('keys list: takes no more words');
  const keys = await withStore(readConfig(context), (blobs) => createKeyStore({ blobs }).list());
  if (call.values.json === true) context.print(JSON.stringify({ keys }));
  else if (keys.length === 0) context.say('There are no keys.');
  else context.print(toTable([['ID', 'OWNER', 'LABEL', 'CREATED', 'STATE'], ...keys.map(toRow)]));
  return 0;
}

function toRow({ id, owner, label, createdAt, revokedAt }: ApiKeyInfo): string[] {
  return [id, owner, label, createdAt, revokedAt === null ? 'works' : `revoked ${revokedAt}`];
}

async function revoke(call: CommandCall, rest: string[], context: CommandContext): Promise<number> {
  refuseOptions(call, 'keys revoke');
  const [id] = rest;
  if (id === undefined || rest.length > 1) throw new UsageError('keys revoke: give the id of one key (keys list)');
  const info = await withStore(readConfig(context), (blobs) => createKeyStore({ blobs }).revoke(id));
  if (!info) throw new AppError('not_found', 'There is no key with this id; "keys list" shows the ids.');
  if (call.values.json === true) context.print(JSON.stringify(info));
  else context.print(`Key ${info.id} of ${info.owner} is revoked.`);
  return 0;
}

function refuseOptions(call: CommandCall, name: string): void {
  for (const option of ['owner', 'label']) {
    if (call.values[option] !== undefined) throw new UsageError(`${name}: takes no --${option}`);
  }
}
