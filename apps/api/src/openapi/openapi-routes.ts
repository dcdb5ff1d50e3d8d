import { createHash } from 'node:crypto';
import type { Router } from 'express';
import { addRoute } from '../http/add-route.ts';

const cacheControl = 'public, max-age=300';

/** GET /openapi.json and GET /docs. Both are made when they are first asked for: a start must not wait for it. */
export function addOpenApiRoutes(router: Router): void {
  let made: Promise<{ json: string; page: string; policy: string }> | undefined;
  const make = async () => {
    const [{ toOpenApiDocument }, { operations }, { docsStyle, toDocsPage }] = await Promise.all([
      import('./document.ts'),
      import('./operations.ts'),
      import('./docs-page.ts'),
    ]);
    const document = toOpenApiDocument(operations);
    const styleHash = createHash('sha256').update(docsStyle).digest('base64');
    return {
      json: JSON.stringify(document),
      page: toDocsPage(document),
      policy: `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    };
  };
  const get = () => {
    made ??= make();
    return made;
  };

  addRoute(router, '/openapi.json', {
    async get(_req, res) {
      const { json } = await get();
      res.setHeader('cache-control', cacheControl);
      res.setHeader('content-type', 'application/json; charset=utf-8');
      res.end(json);
    },
  });
  addRoute(router, '/docs', {
    async get(_req, res) {
      const { page, policy } = await get();
      res.setHeader('cache-control', cacheControl);
      res.setHeader('content-security-policy', policy);
      res.setHeader('content-type', 'text/html; charset=utf-8');
      res.end(page);
    },
  });
}
