import type { Request, Response, Router } from 'express';
import { z } from 'zod';
import { addRoute } from '../http/add-route.ts';
import { readJsonBody } from '../http/json-body.ts';
import type { Authenticator } from './authenticate.ts';
import { sessionCookie } from './credentials.ts';
import { anonymousOwner, ownerOf } from './owner.ts';

const sessionSchema = z.object({ apiKey: z.string().min(1).max(512) });
const maxAgeSeconds = 30 * 86_400;

/**
 * GET, POST and DELETE /api/v1/session: whose key came with the request; and pages cannot send headers with event streams and players, so a key can be turned into
 * a cookie that no script of the page can read. The cookie holds the key itself: it works in every copy of the API, and
 * ends with the key.
 */
export function addSessionRoute(router: Router, deps: { auth: Authenticator }): void {
  addRoute(router, '/api/v1/session', {
    async get(req, res) {
      await deps.auth.authenticate(req, res, () => {});
      res.json({ owner: ownerOf(res) });
    },
    async post(req, res) {
      const { apiKey } = await readJsonBody(req, { schema: sessionSchema, maxBytes: 4096 });
      // Without keys there is nothing to remember; a page that asks all the same may go on.
      if (deps.auth.mode === 'off') {
        res.json({ owner: anonymousOwner });
        return;
      }
      const { owner } = await deps.auth.checkKey(apiKey, req.ip ?? '');
      setCookie(req, res, apiKey, maxAgeSeconds);
      res.json({ owner });
    },
    delete(req, res) {
      setCookie(req, res, '', 0);
      res.status(204).end();
    },
  });
}

/** `Secure` where the browser came by https, which it says itself; on plain http such a cookie would be dropped. */
function setCookie(req: Request, res: Response, value: string, ageSeconds: number): void {
  const isSecure = req.secure || (req.headers.origin ?? '').startsWith('https://');
  res.setHeader(
    'set-cookie',
    `${sessionCookie}=${value}; Path=/api; Max-Age=${ageSeconds}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`,
  );
}
