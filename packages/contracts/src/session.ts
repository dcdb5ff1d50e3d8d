import { z } from 'zod';

/** What turns a key (AUTH=keys) or a token (AUTH=jwt) into a cookie; either name is taken for either. */
const credentialSchema = z
  .string()
  .min(1)
  .max(8_192)
  .regex(/^[!-:<-~]+$/, 'must have no spaces, semicolons or other letters');
export const sessionRequestSchema = z
  .object({ apiKey: credentialSchema.optional(), token: credentialSchema.optional() })
  .refine(({ apiKey, token }) => (apiKey === undefined) !== (token === undefined), 'must have either apiKey or token');
export type SessionRequest = z.infer<typeof sessionRequestSchema>;

/** Whose request it is. */
export const sessionSchema = z.object({ owner: z.string() });
export type Session = z.infer<typeof sessionSchema>;
