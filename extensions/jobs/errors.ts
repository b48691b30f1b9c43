// Why a job is stopped: `ctx.signal.reason` in its handler.

/** Somebody has cancelled the job. */
export class JobCancelled extends Error {
  override readonly name = 'JobCancelled'
}

/** The attempt has taken longer than its `timeout`. */
export class JobTooLate extends Error {
  override readonly name = 'JobTooLate'
}

/** Another process has the job, or may have it: what is done here is not kept. */
export class JobLost extends Error {
  override readonly name = 'JobLost'
}

/** This process ends before the job does; another one begins it again. */
export class JobHandedBack extends Error {
  override readonly name = 'JobHandedBack'
}
