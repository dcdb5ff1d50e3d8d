import { AppError } from '@studymate/contracts/errors';
import { sessionRequestSchema } from '@studymate/contracts/session';
import type { Request, Response, Router } from 'express';
import { addRoute } from '../http/add-route.ts';
import { readJsonBody } from '../http/json-body.ts';
import type { Authenticator } from './authenticate.ts';
import { sessionCookie } from './credentials.ts';
import { ownerOf } from './owner.ts';

const maxAgeSeconds = 30 * 86_400;
/** Browsers drop larger cookies, name and attributes included (https://www.rfc-editor.org/rfc/rfc6265#section-6.1). */
const maxCookieBytes = 3_900;

/**
 * GET, POST and DELETE /api/v1/session: whose key or token came with the request; and pages cannot send headers with
 * event streams and players, so a key or token can be turned into a cookie that no script of the page can read. The cookie
 * holds the key itself: it works in every copy of the API, and ends with the key.
 */
export function addSessionRoute(router: Router, deps: { auth: Authenticator }): void {
  const { auth } = deps;
  addRoute(router, '/api/v1/session', {
    async get(req, res) {
      await auth.authenticate(req, res, () => {});
      res.json({ owner: ownerOf(res) });
    },
    async post(req, res) {
      const { apiKey, token } = await readJsonBody(req, { schema: sessionRequestSchema, maxBytes: 16_384 });
      const credential = token ?? apiKey ?? '';
      const { owner, expiresAtMs } = await auth.identify(credential, req.ip ?? '');
      // Without keys there is nothing to remember; a page that asks all the same may go on.
      if (auth.mode !== 'off') {
        if (credential.length > maxCookieBytes) {
          throw new AppError(
            'invalid_request',
            `token: has more than ${maxCookieBytes} characters, too many for a cookie`,
          );
        }
        const leftSeconds = expiresAtMs === null ? maxAgeSeconds : Math.floor((expiresAtMs - Date.now()) / 1000);
        setCookie(req, res, credential, Math.max(0, Math.min(maxAgeSeconds, leftSeconds)));
      }
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
