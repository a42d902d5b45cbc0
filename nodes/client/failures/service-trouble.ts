/**
 * Texts of a service about its own state. ION is Python (SQLAlchemy, psycopg2, PostgreSQL), whose
 * texts reach a client inside `errors` with HTTP 200. The rules of a plant use the same words
 * ("Leak rate limit exceeded", "Press 4 is under maintenance"), so a pattern matches either a text
 * that only programs write, or the whole message.
 */
const RATE = [
  /too many requests|\brequests? (was |were |is |are |has been |have been )?throttled|ThrottlingException|request limit exceeded/i,
  /\b(api|request|query|your|secondary|global|hit the|reached the|exceeded the) rate.?limit|\brate.?limited\b/i,
  /\b(api|request|requests|query|usage) quota exceeded/i,
];

/** Exceptions of Python's drivers and workers that concern the database and not the values. */
const EXCEPTIONS = [
  /\b(Operational|Interface|PendingRollback|StaleData|Disconnection|ResourceClosed|Serialization|System|Io|Timeout|MaxRetry|NewConnection|BrokenPipe|WorkerLost|(Postgres)?Connection(Reset|Refused|Aborted)?)Error\b/,
  /\b(DeadlockDetected|SerializationFailure|LockNotAvailable|QueryCancell?ed|TransactionRollback|InFailedS(ql|QL)Transaction|ReadOnlyS(ql|QL)Transaction|ActiveS(ql|QL)Transaction|Idle(InTransaction)?SessionTimeout|TransactionTimeout|StatementCompletionUnknown|AdminShutdown|CrashShutdown|CannotConnectNow|DatabaseDropped|TooManyConnections|Connection(Exception|Failure|DoesNotExist)|SqlclientUnableToEstablishSqlconnection|InsufficientResources|ConfigurationLimitExceeded|DiskFull|OutOfMemory|ObjectInUse|UndefinedTable|UndefinedColumn|InsufficientPrivilege|ConnectTimeout|ReadTimeout|PoolTimeout|(Soft)?TimeLimitExceeded)(Error)?\b/,
];

/** PostgreSQL and its poolers, MySQL, Redis. */
const DATABASE = [
  /deadlock (detected|found)|could not serialize access|could not obtain lock|lock wait timeout|statement timeout|canceling statement due to|terminating connection|server closed the connection|current transaction is aborted|transaction has been rolled back|can.t reconnect until invalid transaction|tuple concurrently updated/i,
  /(remaining )?connection slots are|too many clients already|sorry, too many clients|too many connections(?= for (role|database)|['"]|[).]*$)|no more connections allowed|max number of clients|query_wait_timeout|server conn crashed|couldn.t get a connection/i,
  /in a read-only transaction|during recovery\b|--read-only option|read only replica|database (system )?is (starting up|shutting down|in recovery|not accepting|locked|unavailable|read.?only)|failover in progress|cached plan must not change|another operation is in progress|relation "[\w.]+" does not exist|permission denied for (table|relation|schema|sequence|database|view|function) |password authentication failed for user/i,
  /QueuePool|\b(connection|session|thread)[ -]?pool\b|pool (is )?(exhausted|timed? ?out|timeout)|(get|acquire|acquiring|fetching) a (new )?connection|no space left on device|could not extend file|out of shared memory|cannot allocate memory|too many open files/i,
  /server has gone away|lost connection to \w+ server|maximum statement execution time|\b(LOADING Redis|MISCONF Redis|MASTERDOWN|CLUSTERDOWN|OOM command)\b|database (query |connection )?error|communications link failure/i,
];

/** Connections of programs. A text about the connection of a machine must not match. */
const CONNECTIONS = [
  /\b(ECONNRESET|ECONNREFUSED|ECONNABORTED|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)\b|\[?errno -?\d|error -?\d+ connecting to/i,
  /could not (connect to|translate host name|receive data from)|connection to server at|name resolution|name or service not known|no route to host|network is unreachable|max retries exceeded|SSL (SYSCALL error|connection has been closed)/i,
  /connection (was )?(reset|aborted) by|connection timed out|connection error\b|connection (closed|terminated) (by|unexpectedly)|connection (was |has been )?(closed|lost) (in the middle|unexpectedly)|unexpectedly closed the connection|underlying connection/i,
  /timeout (reading|writing) (from|to) |timed out (reading|writing|fetching|waiting) |upstream (connect error|request timeout|server)|(no healthy|from) upstream|socket hang up|broken pipe$/i,
  /^(error: )?(the |this |existing )?(connection|cursor) ((is|was|has been|already|is already) )?(closed|reset|refused|lost|terminated|aborted)[.!]?$|: connection (refused|reset|closed)\b/i,
];

const SERVER = [
  /\b(an?|the) (unexpected|unknown|internal)( server)? error( has)?( occurred|[.!]|$)|something went wrong|internal server error|could not open JPA/i,
  /\b(service|server|system|api|gateway|backend|database|ION) (is |are )?(currently |temporarily )*(unavailable|overloaded|too busy|down for maintenance|under (\w+ )?maintenance|in maintenance mode)/i,
  /\b(request|query|statement|execution|connection|read|write|call|response|server|database|transaction) (has |was )?timed[ -]?out[.!]?($| (after|by|on|while|\()|[,;(])|operation timed out[.!]?$|context deadline exceeded|code = (unavailable|deadline|internal|aborted)|worker exited prematurely/i,
  /\b(request|query|statement|connection|database) timeout\b|timeout exceeded when|\b(hard|soft) time limit \(|longer than the time limit|(worker|celery).{0,20} time limit/i,
];

/** Patterns for a whole message, without the prefixes of exceptions and servers. */
const WHOLE = {
  rate: /^(rate (limit )?exceeded|rate.?limit (exceeded|reached|hit)( for .{0,60})?|throttl(ed|ing)|quota exceeded)[.!]*$/i,
  state:
    /^(unexpected (server |execution )?error|unknown (server )?error|(internal|server|connection|network|database|unexpected internal) (server )?error|INTERNAL_SERVER_ERROR|an? (\w+ )?error (has )?occurred|fetch failed|(\d{3} )?(bad gateway|gateway time.?out|service (temporarily )?unavailable|internal server error)|(resource )?temporarily unavailable|(request |query |execution |operation |connection |read |gateway )?(timed? ?-?out|timeout|timeout (exceeded|expired|error))|deadline exceeded|(down for|under) maintenance|maintenance mode|please (try|retry) (again )?(later|in [\w ]{1,30})|try again later|server (is )?(too )?busy|I\/O error[^.!]{0,200})[.!]*$/i,
};
const PREFIX = /^\w*(error|exception|fault): ?/i;
const MAX_PREFIXES = 5;

const DATABASE_AND_CONNECTIONS = [...EXCEPTIONS, ...DATABASE, ...CONNECTIONS];
const STATE = [...DATABASE_AND_CONNECTIONS, ...SERVER];

export type ServiceTrouble = 'rate' | 'state';

/**
 * The kind of trouble if all messages of a response concern the service. A single message about
 * anything else makes the whole response a rejection of the operation.
 */
export function serviceTrouble(messages: readonly string[]): ServiceTrouble | undefined {
  const kinds = messages.map(kindOf);
  if (kinds.length === 0 || kinds.includes(undefined)) return undefined;
  return kinds.includes('state') ? 'state' : 'rate';
}

/** Whether all messages of a response concern the database, or the connection to it. */
export function concernsDatabase(messages: readonly string[]): boolean {
  const matchesAny = (text: string) =>
    DATABASE_AND_CONNECTIONS.some((each) => each.test(text.trim()));
  return messages.length > 0 && messages.every(matchesAny);
}

function kindOf(text: string): ServiceTrouble | undefined {
  const message = text.trim();
  const isIn = (patterns: readonly RegExp[]) => patterns.some((each) => each.test(message));
  const bare = withoutPrefixes(message);
  if (isIn(RATE) || WHOLE.rate.test(bare)) return 'rate';
  return isIn(STATE) || WHOLE.state.test(bare) ? 'state' : undefined;
}

function withoutPrefixes(text: string): string {
  let rest = text;
  for (let count = 0; count < MAX_PREFIXES && PREFIX.test(rest); count++) {
    rest = rest.replace(PREFIX, '');
  }
  return rest;
}
