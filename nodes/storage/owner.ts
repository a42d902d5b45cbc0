/** The owner of data on the disk, as errors name it. */
export interface Owner {
  /** For example `outbox`, for sentences that begin with "The outbox". */
  name: string;
  /** The sentence behind a failure that may pass, for example "Send it again later.". */
  advice: string;
}

/** A folder below the user folder, and its owner. */
export interface Place {
  folder: string;
  owner: Owner;
}
