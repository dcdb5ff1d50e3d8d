import helmet from 'helmet';

/** For answers of this API; the page and /docs have a policy of their own. Files of users can never run as a page. */
export function createSecurityHeaders() {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], sandbox: [] },
    },
    xFrameOptions: { action: 'deny' },
    // Whatever ends TLS in front of us knows whether all of its host is https.
    strictTransportSecurity: false,
  });
}
