const { Session } = require('node:inspector');

const OBJECTS = Symbol.for('node-red-ion.objects');
const objectGroup = 'counted';

/** Number of living objects of each class, in one pass: each pass collects all garbage first. */
exports.countObjects = (classes) => {
  const counts = Object.fromEntries(Object.keys(classes).map((name) => [name, 0]));
  const names = namesByPrototype(classes);
  withObjects('Object.prototype', (objects) => {
    for (const object of objects) {
      for (const name of names(Object.getPrototypeOf(object))) counts[name]++;
    }
  });
  return counts;
};

/** The classes that are declared in a file, by their names. */
exports.classesIn = (text) => {
  const classes = {};
  withObjects('Function.prototype', (functions) => {
    for (const each of functions) {
      // Such as a prototype that is made of another function.
      if (typeof each !== 'function') continue;
      const source = Function.prototype.toString.call(each);
      if (source.startsWith('class') && text.includes(source)) classes[each.name] = each;
    }
  });
  return classes;
};

/** Calls back with all living objects that have a prototype in their chain. */
function withObjects(prototype, callback) {
  globalThis[OBJECTS] = callback;
  const session = new Session();
  session.connect();
  try {
    const { result } = ask(session, 'Runtime.evaluate', { expression: prototype });
    const { objects } = ask(session, 'Runtime.queryObjects', {
      prototypeObjectId: result.objectId,
    });
    ask(session, 'Runtime.callFunctionOn', {
      objectId: objects.objectId,
      functionDeclaration: `function () { globalThis[Symbol.for('${OBJECTS.description}')](this); }`,
    });
  } finally {
    delete globalThis[OBJECTS];
    ask(session, 'Runtime.releaseObjectGroup', {});
    session.disconnect();
  }
}

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
