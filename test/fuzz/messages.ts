import { rightMessages, targetIds } from './flow.js';
import { hostileMessage } from './hostile-values.js';
import { judgeMessage, type Outcome, type Surface } from './surface.js';
import { Random } from './values.js';

export const messages: Surface = {
  name: 'messages',
  make(random, bench, seeds) {
    const id = random.pick(targetIds);
    const msg = random.pick(rightMessages(id));
    // The message is created again inside Node-RED, because it cannot be sent there.
    const { what } = hostileMessage(new Random(...seeds), msg);
    let runs = 0;
    return {
      what: `${id} gets ${what}`,
      async run(): Promise<Outcome> {
        const { outcome } = await judgeMessage(bench, { node: id, msg, seeds, salt: runs++ });
        return outcome;
      },
    };
  },
};
