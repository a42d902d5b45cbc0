/** A sequence of requests of which only the latest counts. */
export interface LatestRequest {
  /** Starts a request and aborts the one before it. The signal says whether it still counts. */
  start(): AbortSignal;
  /** Aborts the request in flight, for example because the dialog closes. */
  cancel(): void;
}

/** Creates a sequence without a request. */
export function latestRequest(): LatestRequest {
  let controller: AbortController | undefined;
  const cancel = () => controller?.abort();
  return {
    start() {
      cancel();
      controller = new AbortController();
      return controller.signal;
    },
    cancel,
  };
}
