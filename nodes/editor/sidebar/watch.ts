// Reports to the server that this editor shows the sidebar, which begins to send the state then.
import { adminRequest } from '../shared/admin-request.js';
import type { StatusMessage } from './status.js';

const TOPIC = 'ion/status';
/** The server forgets an editor after 10 s. */
const RENEW_MS = 5000;

interface Handlers {
  /** The watch has begun, or the connection is there again: messages may have been missed. */
  begun(): void;
  message(message: StatusMessage): void;
  /** The server refuses it. */
  failed(thrown: unknown): void;
}

export interface Watch {
  start(): void;
  stop(): void;
}

export function prepareWatch({ begun, message, failed }: Handlers): Watch {
  const watcher = RED.nodes.id();
  let timer: number | undefined;
  const post = (body: object) => {
    return adminRequest({ url: 'ion-config/watch', method: 'POST', body: { watcher, ...body } });
  };
  const receive = (_topic: string, data: StatusMessage) => message(data);
  const begin = () => {
    post({}).then(() => timer !== undefined && begun(), failed);
  };
  return {
    start() {
      if (timer !== undefined) return;
      RED.comms.subscribe(TOPIC, receive);
      RED.comms.on('connect', begin);
      // Without a connection, the next connection begins again.
      timer = window.setInterval(() => post({}).catch(() => {}), RENEW_MS);
      begin();
    },
    stop() {
      if (timer === undefined) return;
      window.clearInterval(timer);
      timer = undefined;
      RED.comms.unsubscribe(TOPIC, receive);
      RED.comms.off('connect', begin);
      post({ isEnd: true }).catch(() => {});
    },
  };
}
