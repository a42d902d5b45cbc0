import dns, { type LookupAddress } from 'node:dns';
import { connect, type Socket } from 'node:net';
import { closedError } from '../errors.js';
import { addAbortListener } from '../support/abort-listeners.js';

/** Delay before the next address is tried as well, as RFC 8305 recommends. */
const NEXT_ATTEMPT_MS = 250;
/** Maximum number of addresses that are tried. */
const MAX_ADDRESSES = 10;
const KEEP_ALIVE_MS = 60_000;

export interface OpenSocketOptions {
  host: string;
  port: number;
  timeoutMs: number;
  /** Ends the attempts with `ION_CLOSED`. */
  signal: AbortSignal;
}

type Callback = (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void;

/**
 * Connects to the address of a host that responds first ("happy eyeballs"). Node.js itself abandons
 * each address but the last one after 250 ms, which is too short for a slow network.
 * @param callback receives `ETIMEDOUT` if no address responds in time, otherwise the error of DNS
 * or of the first attempt
 */
export function openSocket(options: OpenSocketOptions, callback: Callback): void {
  const { host, port, timeoutMs, signal } = options;
  if (signal.aborted) {
    callback(closedError(), null);
    return;
  }
  const attempts = new Set<Socket>();
  let addresses: LookupAddress[] = [];
  let failure: NodeJS.ErrnoException | undefined;
  let nextAttempt: NodeJS.Timeout | undefined;
  let isOver = false;

  const end: Callback = (...result) => {
    if (isOver) return;
    isOver = true;
    clearTimeout(deadline);
    clearTimeout(nextAttempt);
    stopListening();
    for (const attempt of attempts) attempt.destroy();
    callback(...result);
  };
  const attempt = () => {
    clearTimeout(nextAttempt);
    const address = addresses.shift();
    if (!address) {
      if (attempts.size === 0) end(failure ?? new Error(`${host} has no address`), null);
      return;
    }
    const socket = connect({ host: address.address, port, noDelay: true });
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    attempts.add(socket);
    const failed = (error: NodeJS.ErrnoException) => {
      attempts.delete(socket);
      // Another error explains more than a network that is not available here, such as IPv6.
      if (!failure || isUnreachable(failure)) failure = error;
      if (!isOver) attempt();
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      attempts.delete(socket);
      socket.off('error', failed);
      end(null, socket);
    });
    if (addresses.length > 0) nextAttempt = setTimeout(attempt, NEXT_ATTEMPT_MS);
  };

  const deadline = setTimeout(() => end(timedOut(timeoutMs), null), timeoutMs);
  const stopListening = addAbortListener(signal, () => end(closedError(), null));
  // The hint that Node.js uses itself; Windows does not support it.
  const hints = process.platform === 'win32' ? 0 : dns.ADDRCONFIG;
  dns.lookup(host, { all: true, hints }, (error, found) => {
    if (isOver) return;
    if (error) end(error, null);
    else {
      addresses = alternating(found).slice(0, MAX_ADDRESSES);
      attempt();
    }
  });
}

/** IPv4 and IPv6 addresses in turn, starting with the family that the system prefers. */
function alternating(addresses: LookupAddress[]): LookupAddress[] {
  const family = addresses[0]?.family;
  const preferred = addresses.filter((each) => each.family === family);
  const others = addresses.filter((each) => each.family !== family);
  return addresses.flatMap((_, i) => [preferred.slice(i, i + 1), others.slice(i, i + 1)].flat());
}

function isUnreachable({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ENETUNREACH' || code === 'EHOSTUNREACH' || code === 'EADDRNOTAVAIL';
}

function timedOut(timeoutMs: number): Error {
  return Object.assign(new Error(`no connection within ${timeoutMs} ms`), { code: 'ETIMEDOUT' });
}
