import { rightMessages, targetIds } from './flow.js';
import { type FuzzCase, judgeMessage, type Outcome, type Surface } from './surface.js';

export const messages: Surface = {
  name: 'messages',
  make(random, bench, seeds) {
    const id = random.pick(targetIds);
    const msg = random.pick(rightMessages(id));
    let runs = 0;
    const fuzzCase: FuzzCase = {
      what: id,
      async run(): Promise<Outcome> {
        const { outcome, what } = await judgeMessage(bench, { node: id, msg, seeds, salt: runs++ });
        fuzzCase.what = `${id} gets ${what}`;
        return outcome;
      },
    };
    return fuzzCase;
  },
};
