import { defineConfig } from 'vitest/config';

/**
 * unit: one package or app at a time. whole: the running whole and the house rules, one file after another, because
 * they install, build and use every core. faults: systems that are hurt and mostly wait until a lock runs out, two at a
 * time. system: what needs nginx, Chromium, Prometheus or Docker.
 */
export default defineConfig({
  test: {
    // What must not last forever; nothing is said about speed. A busy machine may take many times as long as a free one.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 90_000 } },
    globalSetup: ['scripts/lib/vitest-redis.mjs'],
    setupFiles: ['scripts/lib/vitest-seed.mjs'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'scripts/test/**/*.test.ts'],
          // Vitest would leave one of two cores idle.
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['e2e/*.test.ts'],
          testTimeout: 300_000,
          fileParallelism: false,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['e2e/faults/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['e2e/system/**/*.test.ts'],
          testTimeout: 300_000,
          fileParallelism: false,
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
