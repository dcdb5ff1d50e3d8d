import { z } from 'zod';
import { idSchema } from './ids.ts';

/**
 * A question that was asked, and where its answers lie. No word of a lecture is in it: when a lecture goes, nothing of it stays
 * here.
 */
export const conversationTurnSchema = z.object({
  question: z.string(),
  /** As it was understood: after the one before, where it leans on that. */
  understoodAs: z.string(),
  answerable: z.boolean(),
  passages: z.array(z.object({ lectureId: idSchema, startSeconds: z.number(), endSeconds: z.number() })),
  askedAt: z.iso.datetime(),
});
export type ConversationTurn = z.infer<typeof conversationTurnSchema>;

/** As it is stored. */
export const storedConversationTurnSchema = conversationTurnSchema.extend({ schemaVersion: z.literal(1) });

/** Oldest question first. */
export const conversationSchema = z.object({ id: idSchema, turns: z.array(conversationTurnSchema) });
export type Conversation = z.infer<typeof conversationSchema>;

export const conversationsQuerySchema = z.object({ limit: z.coerce.number().int().min(1).max(100).default(20) });

/** Those that were begun last first, each with its last question. */
export const conversationListSchema = z.object({
  conversations: z.array(
    z.object({ id: idSchema, questions: z.number().int().positive(), last: conversationTurnSchema }),
  ),
});
export type ConversationList = z.infer<typeof conversationListSchema>;
