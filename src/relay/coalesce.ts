/** Runs something in a later turn of the event loop. */
export type Soon = (run: () => void) => void;

/** Returns a function that runs `run` soon: once, however often it is called until then. */
export function coalesce(soon: Soon, run: () => void): () => void {
  let isScheduled = false;
  return () => {
    if (isScheduled) return;
    isScheduled = true;
    soon(() => {
      isScheduled = false;
      run();
    });
  };
}
