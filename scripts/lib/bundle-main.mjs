// The `dist/main.js` of an app that is built with a code cache; the builder puts in the bundle's name.
import { fileURLToPath } from 'node:url';
import { loadBundle } from './load-bundle.mjs';

loadBundle(fileURLToPath(new URL(BUNDLE_NAME, import.meta.url)));
