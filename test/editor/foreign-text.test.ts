import assert from 'node:assert/strict';
import fc from 'fast-check';
import { buildSchema, introspectionFromSchema } from 'graphql';
import { marked } from 'marked';
import { asCode, asMarkdown, shortened } from '../../nodes/editor/graphql/foreign-text.js';
import { graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';
import { httpServer, type TestServer } from '../support/servers.js';

/** Monaco, inside the page. */
declare const monaco: {
  editor: {
    getEditors(): {
      getModel(): { getLanguageId(): string; getValue(): string; setValue(text: string): void };
      setPosition(position: { lineNumber: number; column: number }): void;
      focus(): void;
      trigger(source: string, action: string, payload: object): void;
    }[];
  };
};

/** Possible attacks in Markdown and HTML, with a URL that shows when it is loaded. */
const hostile = (url: string) =>
  [
    `![x](${url}/markdown) ![x][r] <img src="${url}/html"> <img src=x onerror="fetch('${url}/script')">`,
    `[a](${url}/link) <${url}/auto> ${url}/bare www.example.com a@example.com [b](command:quit)`,
    '```',
    '</code></pre> ~~~',
    '```',
    `    <iframe src="${url}/frame"></iframe> <style>@import "${url}/style"</style> &lt;img&gt;`,
    '# 1. * - > | _a_ **b** ~~c~~ `d` $(sync~spin) \\![y](z)',
    '===',
    `[r]: ${url}/reference`,
  ].join('\n');

describe('texts of a schema', () => {
  /** The result of rendering a text as Markdown, except its line breaks. */
  const tagsIn = (markdown: string) =>
    (marked.parse(markdown, { async: false }).match(/<[^>]*>/g) ?? []).filter(
      (tag) => !['<p>', '</p>', '<br>'].includes(tag),
    );
  const decoded = (html: string) =>
    html
      .replace(/<\/?p>|<br>/g, '')
      .replace(/&lt;/g, '<')
      .replace(/&gt;/g, '>')
      .replace(/&quot;/g, '"')
      .replace(/&#39;/g, "'")
      .replace(/&amp;/g, '&');

  it('contain no active Markdown or HTML, whatever they hold', () => {
    const text = hostile('http://127.0.0.1:1');
    assert.deepEqual(tagsIn(asMarkdown(text)), []);
    const shown = decoded(marked.parse(asMarkdown(text), { async: false }));
    for (const line of text.split('\n')) assert.ok(shown.includes(line.trim()), line);
  });

  it('are shown unchanged, for any order of their characters', () => {
    const pieces = [...' \t\nab01', ...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~', '![x](http://x/y)'];
    const texts = fc
      .array(fc.constantFrom(...pieces, 'http://', 'www.', '<img src=x>', '```'))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(texts, (text) => {
        assert.deepEqual(tagsIn(asMarkdown(text)), []);
        const blanks = /\s+/g;
        const shown = decoded(marked.parse(asMarkdown(text), { async: false }));
        assert.equal(shown.replace(blanks, ''), text.replace(blanks, ''));
      }),
    );
  });

  it('do not leave their code block', () => {
    const html = marked.parse(asCode('A.b\n```\n![x](http://x/y)'), { async: false });
    assert.match(html, /^<pre><code class="language-graphql">[^<]*<\/code><\/pre>\n$/);
  });

  it('are truncated at a length that nobody reads', () => {
    const long = '!'.repeat(1_000_000);
    assert.equal(shortened(long).length, 2001);
    assert.ok(asMarkdown(long).length < 5000);
    assert.ok(asCode(long).length < 3000);
  });
});

describe('a hostile schema in the query editor', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  const loaded: string[] = [];
  let elsewhere: TestServer;
  let nodeRed: RunningNodeRed;
  let editor: Editor;

  const QUERY = `query Run($status: Status) {
  run(id: "1", status: OPEN) {
    title
  }
}
`;
  /** A schema in which every item has a text that begins with its name. */
  const schemaText = (url: string) => {
    const text = (name: string) => JSON.stringify(`${name}: ${hostile(url)}`);
    return `
      ${text('of Query')} type Query {
        ${text('of run')} run(${text('of id')} id: ID!, ${text('of status')} status: Status): Run
      }
      ${text('of Run')} type Run {
        ${text('of title')} title: String @deprecated(reason: ${text('for title')})
        ${text('of titles')} titles: String
      }
      ${text('of Status')} enum Status {
        ${text('of OPEN')} OPEN @deprecated(reason: ${text('for OPEN')})
        ${text('of OTHER')} OTHER
      }`;
  };

  before(async function () {
    elsewhere = await httpServer((request, response) => {
      loaded.push(String(request.url));
      response.end();
    });
    const { sandbox } = context;
    const { clientId, clientSecret } = sandbox;
    const schema = introspectionFromSchema(buildSchema(schemaText(elsewhere.url)));
    const body = JSON.stringify({ data: schema });
    sandbox.control.fault({ target: 'api', kind: 'body', body, match: '__schema', times: 99 });
    const place = { z: 'flow', x: 200, y: 100 };
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(sandbox, { name: 'sandbox' }),
      { ...graphqlNode, ...place, query: QUERY, wires: [] },
    ];
    await prepareUserDir(folder.path, flow, { config: { clientId, clientSecret } });
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
    editor = await Editor.open(this, nodeRed.url);
    await editor.edit('node');
    await editor.page.waitForFunction(() =>
      /^schema: \d+ types$/.test(document.querySelector('#ion-graphql-schema')?.textContent ?? ''),
    );
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
    await elsewhere?.close();
  });
  afterEach(() => {
    assert.deepEqual(loaded, []);
    assert.deepEqual(editor.errors, []);
  });

  /** Puts the cursor at the first position of a text, and acts there. */
  const at = (text: string, ...actions: string[]) =>
    editor.page.evaluate(
      ([text, actions]) => {
        const code = monaco.editor
          .getEditors()
          .find((each) => each.getModel().getLanguageId() === 'graphql');
        if (!code) throw new Error('no editor');
        const before = code.getModel().getValue().split(text)[0]?.split('\n') ?? [];
        const column = (before.at(-1)?.length ?? 0) + 2;
        code.focus();
        code.setPosition({ lineNumber: before.length, column });
        for (const action of actions) code.trigger('test', action, {});
      },
      [text, actions] as const,
    );
  const textIn = async (selector: string, text: string) => {
    const found = editor.page.locator(`${selector}:visible`, { hasText: text }).first();
    await found.waitFor();
    return found;
  };
  /** Without the spaces, which Markdown and HTML collapse. */
  const bare = (text: string | null) => String(text).replace(/\s+/g, '');

  for (const [text, code, description] of [
    ['run(', 'Query.run', 'of run'],
    ['status: OPEN', '(status: Status)', 'of status'],
    ['OPEN', 'Status.OPEN', 'for OPEN'],
    ['title', 'Run.title', 'for title'],
    ['Status)', 'Status', 'of Status'],
  ] as const) {
    it(`describes ${code}, and loads nothing`, async () => {
      await at(text, 'editor.action.showHover');
      const hover = await textIn('.monaco-hover', `${description}:`);
      const shown = bare(await hover.textContent());
      const active = await hover.locator('img, iframe, style, [href], [data-href]').count();
      await editor.page.keyboard.press('Escape');
      await hover.waitFor({ state: 'hidden' });
      assert.ok(shown.includes(bare(code)));
      assert.ok(shown.includes(bare(hostile(elsewhere.url))));
      assert.equal(active, 0);
    });
  }

  it('completes with descriptions, and loads nothing', async () => {
    await at('title', 'editor.action.triggerSuggest');
    await textIn('.suggest-widget', 'titles');
    await at('title', 'editor.action.triggerSuggest', 'toggleSuggestionDetails');
    const details = await textIn('.suggest-details', 'of title');
    assert.ok(bare(await details.textContent()).includes(bare(hostile(elsewhere.url))));
    assert.equal(await details.locator('img, iframe, style, [href], [data-href]').count(), 0);
    await editor.page.keyboard.press('Escape');
  });
});
