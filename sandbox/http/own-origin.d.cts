import type { IncomingMessage } from 'node:http';

export function hasForeignHost(request: IncomingMessage): boolean;
export function hasForeignOrigin(request: IncomingMessage): boolean;
