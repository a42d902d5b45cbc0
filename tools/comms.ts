import { WebSocket } from 'undici';

/** An event that Node-RED publishes to its editor: a status change or a debug message. */
export interface EditorEvent {
  topic: string;
  data: Record<string, unknown>;
}

/**
 * Subscribes to the events that a Node-RED publishes to its editor.
 * @param url of the Node-RED
 * @throws if it does not respond
 */
export async function openComms(
  url: string,
  topics: string[],
  onEvents: (events: EditorEvent[]) => void,
): Promise<WebSocket> {
  const comms = new WebSocket(`${url.replace('http', 'ws')}/comms`);
  comms.addEventListener('message', ({ data }) => {
    onEvents([JSON.parse(String(data)) as EditorEvent | EditorEvent[]].flat());
  });
  await new Promise((resolve, reject) => {
    comms.addEventListener('open', resolve);
    comms.addEventListener('error', ({ error }) => reject(error));
  });
  for (const subscribe of topics) comms.send(JSON.stringify({ subscribe }));
  return comms;
}
