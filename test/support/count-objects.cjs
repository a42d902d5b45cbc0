const { Session } = require('node:inspector');

const COUNT = Symbol.for('node-red-ion.count-objects');
const objectGroup = 'counted';

/** Number of living objects of each class, in one pass: each pass collects all garbage first. */
module.exports = (classes) => {
  const counts = Object.fromEntries(Object.keys(classes).map((name) => [name, 0]));
  const names = namesByPrototype(classes);
  globalThis[COUNT] = (objects) => {
    for (const object of objects) {
      for (const name of names(Object.getPrototypeOf(object))) counts[name]++;
    }
  };
  const session = new Session();
  session.connect();
  try {
    const { result } = ask(session, 'Runtime.evaluate', { expression: 'Object.prototype' });
    const { objects } = ask(session, 'Runtime.queryObjects', {
      prototypeObjectId: result.objectId,
    });
    ask(session, 'Runtime.callFunctionOn', {
      objectId: objects.objectId,
      functionDeclaration: `function () { globalThis[Symbol.for('${COUNT.description}')](this); }`,
    });
  } finally {
    delete globalThis[COUNT];
    ask(session, 'Runtime.releaseObjectGroup', {});
    session.disconnect();
  }
  return counts;
};

/** The answer of the inspector, which comes at once. */
function ask(session, method, params) {
  let answer;
  session.post(method, { objectGroup, ...params }, (error, result) => {
    const thrown = error ?? result.exceptionDetails?.exception;
    if (thrown) throw new Error(`${method}: ${thrown.message ?? thrown.description}`);
    answer = result;
  });
  return answer;
}

/** Gives the names of the classes that have a prototype in its chain. */
function namesByPrototype(classes) {
  const known = new Map([[null, []]]);
  const own = new Map(Object.entries(classes).map(([name, each]) => [each.prototype, name]));
  const namesOf = (prototype) => {
    let names = known.get(prototype);
    if (names) return names;
    names = namesOf(Object.getPrototypeOf(prototype));
    if (own.has(prototype)) names = [...names, own.get(prototype)];
    known.set(prototype, names);
    return names;
  };
  return namesOf;
}
