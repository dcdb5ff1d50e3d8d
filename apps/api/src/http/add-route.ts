import { AppError } from '@studymate/contracts/errors';
import type { Request, Response, Router } from 'express';

export type Handler = (req: Request, res: Response) => unknown;
type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/**
 * Adds a path with all its methods at once, so that any other method is answered by 405 with `Allow`. GET answers
 * HEAD too. `res.locals.route` is the pattern from here on: the label under which the request is counted.
 */
export function addRoute(router: Router, path: string, methods: Partial<Record<Method, Handler>>): void {
  const names = Object.keys(methods).map((method) => method.toUpperCase());
  if (methods.get) names.push('HEAD');
  const allow = [...names, 'OPTIONS'].join(', ');
  router.all(path, async (req, res) => {
    res.locals.route = path;
    const method = req.method === 'HEAD' ? 'get' : req.method.toLowerCase();
    const handler = Object.hasOwn(methods, method) ? methods[method as Method] : undefined;
    if (handler) {
      await handler(req, res);
      return;
    }
    res.setHeader('allow', allow);
    if (req.method === 'OPTIONS') {
      res.status(204).end();
      return;
    }
    throw new AppError('method_not_allowed', `This path takes ${names.join(', ')}.`);
  });
}
