import { WebSocket } from 'undici';

/** Events that the editor receives: status changes and debug messages. */
export interface EditorEvent {
  topic: string;
  data: Record<string, unknown>;
}

/**
 * Records from now on all events for a Node-RED's editor.
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
