import { type ConversationList, conversationsQuerySchema } from '@studymate/contracts/conversation';
import { AppError } from '@studymate/contracts/errors';
import { idSchema } from '@studymate/contracts/ids';
import type { Request, Router } from 'express';
import { ownerOf } from '../auth/owner.ts';
import { addRoute } from '../http/add-route.ts';
import { parseRequest } from '../http/json-body.ts';
import type { Services } from '../services.ts';

const notFound = () => new AppError('not_found', 'There is no such conversation.');

/** /api/v1/conversations: what an owner has asked. Everybody sees their own alone. */
export function addConversationRoutes(router: Router, { conversations }: Pick<Services, 'conversations'>): void {
  addRoute(router, '/api/v1/conversations', {
    async get(req, res) {
      const { limit } = parseRequest(conversationsQuerySchema, req.query);
      const listed = await conversations.list(ownerOf(res), limit);
      const found = listed.flatMap(({ last, ...rest }) => (last ? [{ ...rest, last }] : []));
      res.json({ conversations: found } satisfies ConversationList);
    },
  });

  addRoute(router, '/api/v1/conversations/:id', {
    async get(req, res) {
      const id = readId(req);
      const turns = await conversations.read(ownerOf(res), id);
      if (turns.length === 0) throw notFound();
      res.json({ id, turns });
    },
    async delete(req, res) {
      if (!(await conversations.delete(ownerOf(res), readId(req)))) throw notFound();
      res.status(204).end();
    },
  });
}

/** @throws AppError `not_found` for what cannot be an id of ours */
function readId(req: Request): string {
  const id = idSchema.safeParse(req.params.id);
  if (!id.success) throw notFound();
  return id.data;
}
