/** All our own keys in Redis (BullMQ makes its own under the same prefix). */
export function createKeys(prefix: string) {
  return {
    /** Hash of what is going on in a lecture; see live.ts. */
    live: (lectureId: string) => `${prefix}:live:${lectureId}`,
    /** Capped stream of a lecture's events. */
    events: (lectureId: string) => `${prefix}:events:${lectureId}`,
    /** Channel: the id of a lecture that has new events. */
    wake: `${prefix}:wake`,
    /** Channel: the id of a lecture whose work must stop. */
    cancel: `${prefix}:cancel`,
    /** The token of the request that works on an upload; see upload-locks.ts. */
    uploadLock: (uploadId: string) => `${prefix}:upload-lock:${uploadId}`,
    /** Channel: the id of an upload whose lock somebody waits for. */
    uploadWanted: `${prefix}:upload-wanted`,
    /** Sorted set of the lectures that are not finished, by the time they were queued. */
    active: `${prefix}:active`,
    /** Hash by unfinished lecture: its owner and its seconds of sound, as JSON; see active.ts. */
    work: `${prefix}:work`,
    /** Hash by lecture that has been begun: seconds of sound that are left to do. */
    left: `${prefix}:left`,
    /** Sorted set of owners by the finish tag of their jobs in a queue, and the virtual time; see fair-share.ts. */
    shares: (queue: string) => `${prefix}:shares:${queue}`,
    /** Sorted set of owners by the finish tag of their first chunks. */
    firstShares: (queue: string) => `${prefix}:shares:${queue}:first`,
    /** The tag of a job that is being added. */
    tag: (jobId: string) => `${prefix}:tag:${jobId}`,
    /** Sorted set of the stages that gave up (`<lecture>-<stage>`), by when; see failed.ts. */
    failed: `${prefix}:failed`,
    /** There when the set holds every failure of the store. */
    failedComplete: `${prefix}:failed-complete`,
    /** Hash: measured real-time factor, for estimates. */
    pace: `${prefix}:pace`,
    /** Set of the ids of workers that report what their models are doing. */
    modelWorkers: `${prefix}:model-workers`,
    /** What one worker last reported, as JSON; expires. */
    modelReport: (workerId: string) => `${prefix}:model-report:${workerId}`,
    /** List: seconds of a family's last loads, the newest first. */
    modelLoads: (family: string) => `${prefix}:model-loads:${family}`,
    /** Prefix of the counters of requests: `<prefix>:<address or owner>`; they expire within a minute. */
    rates: (name: string) => `${prefix}:rate:${name}`,
    /** Hash: how often a model family was used, by hours since 1970; expires. */
    demand: (family: string) => `${prefix}:demand:${family}`,
    /** A token that changes when one of an owner's lectures is put into another course; expires. */
    courseMoves: (owner: string) => `${prefix}:course-moves:${owner}`,
    /** Written to see whether Redis takes writes; expires. */
    probe: `${prefix}:probe`,
    /** Sorted set of an owner's short requests that wait for an answer, by when they are counted no longer. */
    waitingRequests: (owner: string) => `${prefix}:waiting:${owner}`,
  };
}
export type Keys = ReturnType<typeof createKeys>;

/** Live state and events are kept for a day after the last change; the store holds what lasts. */
export const liveTtlSeconds = 86_400;
