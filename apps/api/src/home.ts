import { existsSync } from 'node:fs';
import path from 'node:path';
import express, { type Router } from 'express';
import { addRoute } from './http/add-route.ts';

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
      },
    });
    // What is asked of the API costs no look at the disk.
    router.use((req, res, next) => (/^\/(api|v1)\//i.test(req.path) ? next() : files(req, res, next)));
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
