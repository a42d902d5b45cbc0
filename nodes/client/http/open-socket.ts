import dns, { type LookupAddress } from 'node:dns';
import { connect, type Socket } from 'node:net';
import { closedError } from '../errors.js';
import { addAbortListener } from '../support/abort-listeners.js';

/** After which the next address is tried as well, as RFC 8305 recommends. */
const NEXT_ATTEMPT_MS = 250;
/** Addresses of one name that are tried. */
const MAX_ADDRESSES = 10;
const KEEP_ALIVE_MS = 60_000;

export interface OpenSocketOptions {
  host: string;
  port: number;
  timeoutMs: number;
  /** Breaks it off with `ION_CLOSED`. */
  signal: AbortSignal;
}

type Callback = (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void;

/**
 * Connects to whichever address of a host answers first. Node.js itself gives each but the last
 * address 250 ms and then drops it, which is too short for a slow network.
 * @param callback gets `ETIMEDOUT` where none answers in time, else what the first attempt failed
 * with, or the DNS
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
      // That an address cannot be reached from here says less than what another one answered.
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
  // As Node.js itself asks; Windows does not know the hint.
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

/** IPv4 and IPv6 by turns, beginning with the one that the system prefers. */
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
