import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type ErrorCode, errorCatalogue } from '@studymate/contracts/errors';
import { testRedisUrl } from '@studymate/queue/testing';
import type { Express } from 'express';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { docsStyle, toDocsPage } from '../src/openapi/docs-page.ts';
import { apiVersion, toOpenApiDocument } from '../src/openapi/document.ts';
import { operations } from '../src/openapi/operations.ts';
import { startTestApi, type TestApi } from './support/test-api.ts';

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl() });
});
afterAll(async () => {
  await t?.close();
});

interface Document {
  openapi: string;
  info: { version: string };
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, unknown> }>>;
  components: { schemas: Record<string, unknown> };
}
const read = async () => (await fetch(`${t.url}/openapi.json`)).json() as Promise<Document>;

/** "METHOD /path" of all that the router has. */
async function listRoutes(): Promise<string[]> {
  const { stack } = (t.api.handler as unknown as Express).router;
  const paths = stack.flatMap(({ route }) => (route ? [route.path] : []));
  const found: string[] = [];
  for (const path of paths) {
    const allow = (await fetch(`${t.url}${path}`, { method: 'OPTIONS' })).headers.get('allow') ?? '';
    const methods = allow.split(', ').filter((name) => name !== 'HEAD' && name !== 'OPTIONS');
    found.push(...methods.map((name) => `${name} ${path}`));
  }
  return found;
}

test('every route of the app is described, and nothing else is', async () => {
  // What lies at "/" is the page, where it has been built.
  const routes = (await listRoutes()).filter((route) => route !== 'GET /');
  expect(Object.keys(operations).sort()).toEqual(routes.sort());
});

test('openapi.json: OpenAPI 3.1 with every operation once, whose references all lead somewhere', async () => {
  const document = await read();
  expect(document).toEqual(JSON.parse(JSON.stringify(toOpenApiDocument(operations))));
  expect(document.openapi).toMatch(/^3\.1\./);
  const all = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  expect(all).toHaveLength(Object.keys(operations).length);
  expect(new Set(all.map(({ operationId }) => operationId)).size).toBe(all.length);
  const text = JSON.stringify(document);
  const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference);
  expect(references.length).toBeGreaterThan(20);
  const known = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
  expect(known).toEqual(expect.arrayContaining([...new Set(references)]));
  expect(text).not.toContain('$defs');
});

test('openapi.json: has every code that a caller can be answered with', async () => {
  const text = JSON.stringify(await read());
  /** What is never an answer: it stands in the log, or is answered before there is a route. */
  const others: ErrorCode[] = ['superseded', 'method_not_allowed', 'headers_too_large'];
  const missing = Object.keys(errorCatalogue).filter((code) => !text.includes(`\`${code}\`:`));
  expect(missing.sort()).toEqual([...others].sort());
});

test('its version is that of the package', async () => {
  const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  expect(apiVersion).toBe(manifest.version);
});

test('/docs: has every operation, runs no script, and its policy allows its one style alone', async () => {
  const response = await fetch(`${t.url}/docs`);
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const page = await response.text();
  for (const key of Object.keys(operations)) {
    const path = key.split(' ')[1]?.replace(/:(\w+)/g, '{$1}');
    expect(page).toContain(`</b> ${path}</h3>`);
  }
  expect(page).not.toMatch(/<script|javascript:|\son\w+=|https?:/i);
  const policy = response.headers.get('content-security-policy') ?? '';
  const hash = createHash('sha256').update(docsStyle).digest('base64');
  expect(policy).toContain(`default-src 'none'; style-src 'sha256-${hash}'`);
  expect(policy).not.toMatch(/unsafe|script-src|\*/);
  expect(page.match(/<style>([^<]*)<\/style>/)?.[1]).toBe(docsStyle);
});

test('/docs: what stands in the description cannot become a tag', () => {
  const [key, operation] = Object.entries(operations)[0] ?? [];
  const hostile = { [`${key}`]: { ...operation, summary: '<img src=x onerror="alert(1)">' } };
  expect(toDocsPage(toOpenApiDocument(hostile as typeof operations))).not.toContain('<img');
});
