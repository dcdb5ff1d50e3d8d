import { AppError } from '@studymate/contracts/errors';
import type { Request, Response, Router } from 'express';

export type Handler = (req: Request, res: Response) => unknown;
type Method = 'get' | 'head' | 'post' | 'put' | 'patch' | 'delete' | 'options';

/**
 * Adds a path with all its methods at once, so that any other method is answered by 405 with `Allow`. GET answers
 * HEAD too, where HEAD has no handler of its own; what OPTIONS is answered besides `Allow` may be given. `res.locals.route` is the pattern from here on: the label under which the request is counted.
 */
export function addRoute(router: Router, path: string, methods: Partial<Record<Method, Handler>>): void {
  const { options, ...others } = methods;
  const names = Object.keys(others).map((method) => method.toUpperCase());
  if (methods.get && !methods.head) names.push('HEAD');
  const allow = [...names, 'OPTIONS'].join(', ');
  router.all(path, async (req, res) => {
    res.locals.route = path;
    const method = req.method === 'HEAD' && !methods.head ? 'get' : req.method.toLowerCase();
    const handler = Object.hasOwn(others, method) ? methods[method as Method] : undefined;
    if (handler) {
      await handler(req, res);
      return;
    }
    res.setHeader('allow', allow);
    if (req.method === 'OPTIONS') {
      if (options) await options(req, res);
      else res.status(204).end();
      return;
    }
    throw new AppError('method_not_allowed', `This path takes ${names.join(', ')}.`);
  });
}
