import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import GithubSlugger from 'github-slugger';
import { marked } from 'marked';
import { type DefaultTreeAdapterTypes, parseFragment } from 'parse5';
import { root } from '../../tools/package.js';

type Node = DefaultTreeAdapterTypes.ChildNode;

/** External pages that this package may link to. Add a host when it is needed. */
const HOSTS = new Set([
  'graphql.org',
  'keepachangelog.com',
  // Quoted from errors; they do not exist.
  'auth.example.com',
  'login.example.com',
  'manual.firstresonance.io',
  'nodered.org',
  'semver.org',
  'www.w3.org',
]);
/** Address of the demo. */
const THIS_MACHINE = '127.0.0.1';
/** Exists here, but not in the repository. */
const BUILT = /^(dist|node_modules)(\/|$)/;

interface Page {
  links: string[];
  /** Valid fragments in a link to this page. */
  anchors: Set<string>;
}

const pages = new Map<string, Page>();

/** A Markdown or HTML file, by its path below the root. */
function pageOf(path: string): Page {
  const known = pages.get(path);
  if (known) return known;
  const text = readFileSync(join(root, path), 'utf8');
  const html = path.endsWith('.md') ? marked.parse(text, { async: false }) : text;
  const page: Page = { links: [], anchors: new Set() };
  read(parseFragment(html).childNodes, page, new GithubSlugger());
  pages.set(path, page);
  return page;
}

function read(nodes: readonly Node[], page: Page, slugger: GithubSlugger): void {
  for (const node of nodes) {
    // A help text is the content of a script element.
    if (node.nodeName === 'script') read(parseFragment(textOf(node)).childNodes, page, slugger);
    if (!('attrs' in node)) continue;
    for (const { name, value } of node.attrs) {
      if (name === 'href' || name === 'src') page.links.push(value);
      if (name === 'id') page.anchors.add(value);
    }
    if (/^h[1-6]$/.test(node.nodeName)) page.anchors.add(slugger.slug(textOf(node)));
    read(node.childNodes, page, slugger);
  }
}

function textOf(node: Node): string {
  if ('value' in node) return node.value;
  return 'childNodes' in node ? node.childNodes.map(textOf).join('') : '';
}

/** The problem with a link, or `undefined`. */
function problemOf(link: string, from: string): string | undefined {
  if (/^[a-z][a-z+.-]*:/i.test(link)) return problemOfUrl(link);
  const [file = '', anchor] = link.split('#').map(decodeURIComponent);
  // npm and GitHub would each resolve it from a different root.
  if (file.startsWith('/')) return 'an absolute path';
  const path = file === '' ? from : relative(root, join(root, dirname(from), file));
  if (path.startsWith('..')) return 'leads out of the repository';
  if (BUILT.test(path) || !existsSync(join(root, path))) return 'no such file';
  if (anchor === undefined) return undefined;
  if (!path.endsWith('.md')) return 'an anchor in a file without headings';
  return pageOf(path).anchors.has(anchor) ? undefined : 'no such heading';
}

function problemOfUrl(link: string): string | undefined {
  if (!URL.canParse(link)) return 'no URL';
  const { protocol, hostname } = new URL(link);
  if (protocol === 'http:' && hostname === THIS_MACHINE) return undefined;
  if (protocol !== 'https:') return 'not https';
  return HOSTS.has(hostname) ? undefined : 'a host that is not on the list';
}

const below = (folder: string, ending: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));

describe('the links', () => {
  const documents = [
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'SECURITY.md',
    'sandbox/README.md',
    ...below('docs', '.md'),
  ];
  const help = readdirSync(join(root, 'nodes', 'locales')).flatMap((language) =>
    below(join('nodes', 'locales', language), '.html'),
  );

  for (const file of [...documents, ...help]) {
    it(`of ${file} all have a target`, () => {
      const problems = pageOf(file).links.flatMap((link) => {
        const problem = problemOf(link, file);
        return problem ? [`${link}: ${problem}`] : [];
      });
      assert.deepEqual(problems, []);
    });
  }

  it('are found in Markdown, in HTML within it, and in help texts', () => {
    const { links, anchors } = pageOf('README.md');
    assert.ok(links.includes('docs/images/demo-light.png'));
    assert.ok(links.includes('docs/images/ion-config-light.png'));
    assert.ok(links.includes('LICENSE'));
    assert.ok(anchors.has('your-first-flow-in-five-minutes'));
    const [helpText = ''] = help;
    assert.ok(pageOf(helpText).links.includes('https://manual.firstresonance.io'));
  });

  for (const [link, problem] of [
    ['docs/none.md', 'no such file'],
    ['dist/ion-runs.js', 'no such file'],
    ['/docs/reliability.md', 'an absolute path'],
    ['../elsewhere.md', 'leads out of the repository'],
    ['#no-such-heading', 'no such heading'],
    ['docs/reliability.md#promise', 'no such heading'],
    ['http://nodered.org', 'not https'],
    ['https://example.com', 'a host that is not on the list'],
    ['https://', 'no URL'],
    ['mailto:somebody@example.com', 'not https'],
    ['#install', undefined],
    ['docs/reliability.md#faults-of-the-auth-server', undefined],
  ] as const) {
    it(`such as ${link} ${problem ? `is refused: ${problem}` : 'is fine'}`, () => {
      assert.equal(problemOf(link, 'README.md'), problem);
    });
  }
});
