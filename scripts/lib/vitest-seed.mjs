// One run of the tests is like another: property-based tests draw the same cases each time. To draw others, and to look
// for what nobody has thought of: FAST_CHECK_SEED=$RANDOM npx vitest run packages/queue
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 1) });
