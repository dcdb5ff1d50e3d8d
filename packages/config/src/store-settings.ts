import { z } from 'zod';
import { boolean, httpUrl, type Setting, setting } from './setting.ts';

/** Where lectures and recordings lie. */
export const storeSettings = {
  STORE: setting(
    z.enum(['file', 's3'], 'give "file" or "s3"'),
    'file',
    'Where lectures and recordings lie: file, in DATA_DIR; s3, in a bucket (S3_…), which machines reach that share no disk.',
  ),
  S3_BUCKET: setting(
    z.string().regex(/^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$/, 'give the name of a bucket, such as studymate-lectures'),
    '',
    'STORE=s3: the bucket. It must exist, and its server must honour If-None-Match on PUT.',
  ),
  S3_ENDPOINT: setting(
    z.union(
      [z.literal(''), httpUrl.refine((text) => !/[?#]/.test(text))],
      'give an address such as https://s3.example',
    ),
    '',
    'STORE=s3: address of the server; without it, that of AWS in S3_REGION.',
  ),
  S3_REGION: setting(
    z.string().regex(/^[a-z0-9-]{1,64}$/, 'give a region such as eu-central-1'),
    'us-east-1',
    'STORE=s3: the region that requests are signed for.',
  ),
  S3_ACCESS_KEY_ID: setting(z.string().regex(/^[!-~]*$/, 'give a key without spaces'), '', 'STORE=s3: the access key.'),
  S3_SECRET_ACCESS_KEY: setting(
    z.string().regex(/^[!-~]*$/, 'give a key without spaces'),
    '',
    'STORE=s3: the secret of that key.',
  ),
  S3_SESSION_TOKEN: setting(
    z.string().regex(/^[!-~]*$/, 'give a token without spaces'),
    '',
    'STORE=s3: the token of keys that hold for a time; a process must be started anew with the next ones.',
  ),
  S3_PREFIX: setting(
    z
      .string()
      .max(200)
      .regex(/^([\w.-]+\/)*[\w.-]*$/, 'give names with "/" between them, such as studymate/production')
      .refine((text) => !/(^|\/)\.\.?(\/|$)/.test(text), 'give names other than "." and ".."'),
    '',
    'STORE=s3: what all our keys in the bucket begin with; without it, the bucket is ours alone.',
  ),
  S3_FORCE_PATH_STYLE: setting(
    z.union([z.literal('').transform(() => null), boolean], 'give true or false'),
    '',
    'STORE=s3: true puts the bucket into the path of an address, false into the name of the host; without it, true where S3_ENDPOINT is given or S3_BUCKET has a dot.',
  ),
} as const satisfies Record<string, Setting<z.ZodType>>;
