import { existsSync } from 'node:fs';
import path from 'node:path';
import express, { type Router } from 'express';
import { addRoute } from './http/add-route.ts';

/** The builder leaves scripts and styles compressed beside what they are: no processor is busy with that when they are asked for. */
const packedEnding = '.br';
const packedTypes: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

function isPacked(urlPath: string): boolean {
  return urlPath.startsWith('/assets/') && path.extname(urlPath) in packedTypes;
}

/** `/`: the page when it has been built, else a short list of what there is. */
export function addHome(router: Router, deps: { webDir: string | null }): void {
  const { webDir } = deps;
  if (webDir !== null && existsSync(path.join(webDir, 'index.html'))) {
    const files = express.static(webDir, {
      index: 'index.html',
      dotfiles: 'ignore',
      redirect: false,
      setHeaders(res, filePath) {
        res.setHeader(
          'content-security-policy',
          "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; object-src 'none'; form-action 'self'; " +
            "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        );
        // The builder puts a hash into the names of all files but the page's own.
        const isHashed = path.basename(path.dirname(filePath)) === 'assets';
        res.setHeader('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
        if (isHashed) res.appendHeader('vary', 'Accept-Encoding');
        if (!filePath.endsWith(packedEnding)) return;
        res.setHeader('content-encoding', 'br');
        res.setHeader('content-type', packedTypes[path.extname(filePath.slice(0, -packedEnding.length))] ?? '');
      },
    });
    router.use((req, res, next) => {
      // What is asked of the API costs no look at the disk.
      if (/^\/(api|v1)\//i.test(req.path)) next();
      else if (isPacked(req.path) && req.acceptsEncodings('br') === 'br') {
        const { url } = req;
        req.url = `${req.path}${packedEnding}`;
        files(req, res, (error) => {
          req.url = url;
          if (error === undefined) files(req, res, next);
          else next(error);
        });
      } else files(req, res, next);
    });
    return;
  }
  addRoute(router, '/', {
    get: (_req, res) =>
      res.json({
        name: 'StudyMate',
        lectures: '/api/v1/lectures',
        health: '/health/ready',
        models: '/api/v1/models/status',
      }),
  });
}
