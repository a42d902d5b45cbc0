import { join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import type { IonClient } from '../client/client.js';
import { closedError, IonError, toIonError } from '../client/errors.js';
import { WorkFinder } from '../client/work/work-finder.js';
import { type AnswerFolder, AnswerStore } from '../lookup/answer-store.js';
import { Lookups } from '../lookup/lookups.js';
import { configFolder } from '../storage/folder.js';

/** The folder in Node-RED's user folder; it has one folder per config node. */
const FOLDER = 'ion-lookup';
const NOT_REMEMBERED = '@ion-nodes/node-red-ion/ion-config:ion-config.log.lookupsNotRemembered';
const NOT_DELETED = '@ion-nodes/node-red-ion/ion-config:ion-config.log.lookupsNotDeleted';

/** Holds the look-ups of a config node, which are made on first use. */
export class LookupHolder {
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #client: () => IonClient;
  #lookups: Lookups | undefined;
  #isClosed = false;

  /** @param client its answers for one ION environment never serve for another */
  constructor(RED: NodeAPI, node: Node, client: () => IonClient) {
    this.#RED = RED;
    this.#node = node;
    this.#client = client;
  }

  /** @throws IonError `ION_CONFIG` if the settings of the client cannot work; `ION_CLOSED` */
  get lookups(): Lookups {
    if (this.#isClosed) throw closedError();
    this.#lookups ??= this.#make(this.#client());
    return this.#lookups;
  }

  /**
   * @param isRemoved whether the config node is deleted: then nobody needs the remembered answers, and
   * they are deleted as well
   */
  async close(isRemoved: boolean): Promise<void> {
    this.#isClosed = true;
    await this.#lookups?.close();
    if (!isRemoved) return;
    await this.#delete().catch((thrown) => {
      const { message: reason } = toIonError(thrown, 'ION_CONFIG');
      this.#node.warn(this.#RED._(NOT_DELETED, { reason }));
    });
  }

  async #delete(): Promise<void> {
    let place: AnswerFolder;
    try {
      place = this.#place(this.#client());
    } catch {
      // Without usable settings or a user folder, nobody knows where it is.
      return;
    }
    await AnswerStore.delete(place);
  }

  #make(client: IonClient): Lookups {
    return new Lookups({
      finder: new WorkFinder(client),
      client,
      memory: {
        open: async (wait) => AnswerStore.open({ ...this.#place(client), wait }),
        isPresent: async () => AnswerStore.isIn(this.#place(client)),
        onFailure: ({ message: reason }) => {
          this.#node.warn(this.#RED._(NOT_REMEMBERED, { reason }));
        },
      },
    });
  }

  #place({ endpoint }: IonClient): AnswerFolder {
    const { userDir } = this.#RED.settings;
    if (!userDir) {
      throw new IonError('ION_CONFIG', 'Node-RED has no user folder to keep the memory in.');
    }
    const within = join(userDir, FOLDER);
    return { folder: configFolder(within, this.#node.id, endpoint), within };
  }
}
