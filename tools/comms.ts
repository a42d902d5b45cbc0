import { WebSocket } from 'undici';

/** What the editor hears: status changes and debug messages. */
export interface EditorEvent {
  topic: string;
  data: Record<string, unknown>;
}

/**
 * Hears what a Node-RED's editor hears from now on.
 * @param url of the Node-RED
 * @throws where it does not answer
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
