// node scripts/refresh-flow-library.mjs: asks Node-RED's flow library to look at npm for a new
// version of this package, as its page "Add a node" does.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const { FLOW_LIBRARY = 'https://flows.nodered.org' } = process.env;
const page = `${FLOW_LIBRARY}/add/node`;
const root = join(import.meta.dirname, '..');
const { name } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));

const signal = AbortSignal.timeout(60_000);
const form = await fetch(page, { signal });
const html = await form.text();
const [input = ''] = html.match(/<input[^>]*id="add-node-csrf"[^>]*>/) ?? [];
const [, csrf] = input.match(/value="([^"]*)"/) ?? [];
if (!form.ok || !csrf) fail(`${page} answered HTTP ${form.status}, without the expected form.`);

const answer = await fetch(page, {
  method: 'POST',
  signal,
  headers: {
    cookie: form.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';')[0])
      .join('; '),
  },
  body: new URLSearchParams({ module: name, _csrf: csrf }),
});
const text = await answer.text();
if (!answer.ok) fail(`${page} answered HTTP ${answer.status}: ${text}`);
console.log(`The flow library looks at ${name}.`);

function fail(text) {
  console.error(text);
  process.exit(1);
}
