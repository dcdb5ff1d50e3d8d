import type { Json } from './document.ts';

/** The page's only style; its hash stands in the page's policy. */
export const docsStyle = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h2 { margin-top: 2.5rem; }
section { border-top: 1px solid #8886; padding: .75rem 0; }
h3 { font: 600 1rem/1.5 ui-monospace, monospace; margin: 0; overflow-wrap: anywhere; }
h3 b { display: inline-block; min-width: 4.5rem; }
p { margin: .25rem 0; }
table { border-collapse: collapse; margin: .25rem 0; }
td { padding: .1rem .75rem .1rem 0; vertical-align: top; }
code, pre { font: .875rem/1.45 ui-monospace, monospace; }
pre { overflow: auto; max-height: 30rem; padding: .75rem; background: #8881; border-radius: .25rem; }
summary { cursor: pointer; }
`;

interface Described {
  operationId: string;
  summary: string;
  tags: string[];
  parameters: { name: string; in: string; description?: string; schema: unknown }[];
  requestBody?: { content: Record<string, unknown> };
  responses: Record<string, { description: string; content?: Record<string, unknown> }>;
}

/** An OpenAPI document of ours as a page without scripts. Pure. */
export function toDocsPage(document: Json): string {
  const { info, paths, components, tags } = document as {
    info: { title: string; version: string; description: string };
    paths: Record<string, Record<string, Described>>;
    components: { schemas: Record<string, unknown> };
    tags: { name: string }[];
  };
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  const sections = tags.map(({ name }) => {
    const own = all.filter(({ operation }) => operation.tags.includes(name));
    return `<h2 id="${toAnchor(name)}">${toHtml(name)}</h2>\n${own.map(toSection).join('\n')}`;
  });
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `<section id="schema-${toHtml(name)}"><h3>${toHtml(name)}</h3>${toPre(schema)}</section>`,
  );
  const contents = tags.map(({ name }) => `<li><a href="#${toAnchor(name)}">${toHtml(name)}</a></li>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${toHtml(info.title)} ${toHtml(info.version)}: the HTTP API</title>
<style>${docsStyle}</style>
</head>
<body>
<h1>${toHtml(info.title)} ${toHtml(info.version)}</h1>
<p>${toHtml(info.description)} For programs: <a href="/openapi.json">openapi.json</a>.</p>
<ul>${contents.join('')}<li><a href="#schemas">Schemas</a></li></ul>
${sections.join('\n')}
<h2 id="schemas">Schemas</h2>
${schemas.join('\n')}
</body>
</html>
`;
}

function toSection({ method, path, operation }: { method: string; path: string; operation: Described }): string {
  const { operationId, summary, parameters, requestBody, responses } = operation;
  const rows = parameters.map(
    ({ name, in: place, description = '', schema }) =>
      `<tr><td><code>${toHtml(name)}</code></td><td>${place}</td><td>${toHtml(description)}</td><td><code>${toHtml(JSON.stringify(schema))}</code></td></tr>`,
  );
  const answers = Object.entries(responses).map(
    ([status, { description, content = {} }]) =>
      `<tr><td><code>${status}</code></td><td>${toHtml(Object.keys(content).join(', '))}</td><td>${toText(description)}</td></tr>`,
  );
  const bodies = Object.entries({ ...requestBody?.content }).map(
    ([type, schema]) => `<details><summary>Body: ${toHtml(type)}</summary>${toPre(schema)}</details>`,
  );
  return `<section id="${toHtml(operationId)}">
<h3><b>${method.toUpperCase()}</b> ${toHtml(path)}</h3>
<p>${toHtml(summary)}</p>
${rows.length > 0 ? `<table>${rows.join('')}</table>` : ''}
${bodies.join('')}
<details><summary>Answers</summary><table>${answers.join('')}</table>${toPre(toSchemas(responses))}</details>
</section>`;
}

/** The schemas of the answers that are none of the refusals, which are alike everywhere. */
function toSchemas(responses: Described['responses']): unknown {
  return Object.fromEntries(
    Object.entries(responses).flatMap(([status, { content }]) =>
      content && Number(status) < 400 ? [[status, content]] : [],
    ),
  );
}

function toPre(value: unknown): string {
  return `<pre>${toHtml(JSON.stringify(value, null, 2))}</pre>`;
}

function toText(text: string): string {
  return toHtml(text)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replaceAll('\n\n', '<br>');
}

function toAnchor(name: string): string {
  return name.toLowerCase().replaceAll(' ', '-');
}

function toHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
