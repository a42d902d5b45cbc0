/**
 * Texts by which a service speaks of its own state. ION is Python (SQLAlchemy, psycopg2,
 * PostgreSQL), whose texts reach a client inside `errors` under HTTP 200.
 */
const RATE =
  /\brate.?limit|too many requests|throttl(ed|ing)|quota exceeded|request limit exceeded/i;

/** Classes of Python's database drivers that mean the database, and not the values. */
const DATABASE_ERRORS =
  /\b(OperationalError|InterfaceError|PendingRollbackError|StaleDataError|DisconnectionError|ResourceClosedError|DeadlockDetected|SerializationFailure|LockNotAvailable|QueryCanceled|TransactionRollback|InFailedSqlTransaction|ReadOnlySqlTransaction|ActiveSqlTransaction|IdleInTransactionSessionTimeout|IdleSessionTimeout|TransactionTimeout|StatementCompletionUnknown|AdminShutdown|CrashShutdown|CannotConnectNow|DatabaseDropped|TooManyConnections|Connection(Exception|Failure|DoesNotExist)|SqlclientUnableToEstablishSqlconnection|InsufficientResources|ConfigurationLimitExceeded|DiskFull|OutOfMemory(Error)?|SystemError|IoError|ObjectInUse|UndefinedTable|UndefinedColumn|InsufficientPrivilege|ConnectionError|ConnectTimeout|ReadTimeout|MaxRetryError|NewConnectionError|BrokenPipeError|ConnectionResetError|ConnectionRefusedError|SoftTimeLimitExceeded|TimeLimitExceeded)\b/;

const DATABASE_TEXTS =
  /deadlock|could not serialize access|could not obtain lock|lock (wait )?timeout|statement timeout|canceling statement due to|terminating connection|server closed the connection|SSL (SYSCALL error|connection has been closed)|connection (was |has been |is |already |unexpectedly )?(closed|reset|refused|lost|terminated|aborted)|unexpectedly closed|could not (connect to|translate host name|receive data from)|connection to server|(remaining )?connection slots|too many (clients|connections)|database (system )?is (starting up|shutting down|in recovery|not accepting|locked|unavailable|read.?only)|in a read-only transaction|(queue|connection|session|thread|worker) ?pool\b|pool (is )?(exhausted|timed? ?out|timeout|limit|full)|can.t reconnect until invalid transaction|transaction (has been|was|is) (aborted|rolled back)|current transaction is aborted|no space left|disk (is )?full|out of (shared )?memory|failover in progress|\b(ECONNRESET|ECONNREFUSED|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN)\b|broken pipe|max retries exceeded|upstream (connect|request|server)/i;

const SERVER_TEXTS =
  /internal (server )?error|server error|service (is )?(temporarily )?unavailable|temporarily unavailable|(try|retry) (again )?(later|in (a |some )?(few )?(moment|second|minute))|bad gateway|gateway time.?out|(request|query|statement|operation|execution|connection|read|write|call|response|server|database|transaction) (has |was )?time[d.]?[ -]?out|^timed?[ -]?out\.?$|timeout (exceeded|expired|reached|of \d)|time limit|deadline exceeded|exceeded (the )?(time|timeout|deadline)|\ban? (unexpected|unknown) error|something went wrong|under maintenance|maintenance mode/i;

export type ServiceTrouble = 'rate' | 'state';

/**
 * Whether the messages of an answer speak of the service and not of the operation. One that speaks
 * of neither makes the whole answer a refusal.
 */
export function serviceTrouble(messages: readonly string[]): ServiceTrouble | undefined {
  const kinds = messages.map(kindOf);
  if (kinds.length === 0 || kinds.includes(undefined)) return undefined;
  return kinds.includes('state') ? 'state' : 'rate';
}

function kindOf(text: string): ServiceTrouble | undefined {
  const message = text.trim();
  if (RATE.test(message)) return 'rate';
  const isState = [DATABASE_ERRORS, DATABASE_TEXTS, SERVER_TEXTS].some((each) =>
    each.test(message),
  );
  return isState ? 'state' : undefined;
}
