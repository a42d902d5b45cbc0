import { IonError, quote, reasonOf } from '../client/errors.js';
import { codeOf } from '../client/http/network-errors.js';
import type { Owner } from './owner.js';

type Library = typeof import('classic-level');

/** The range in package.json, as it is written on npm's command line. */
const WANTED = 'classic-level@3';
const RESTART = 'and start Node-RED again';

let loading: Promise<Library> | undefined;

/**
 * LevelDB, loaded on first use: it is large, and many flows store nothing. It is an optional
 * dependency, because there is no binary for some machines.
 * @throws IonError `ION_CONFIG` if it is not installed or does not load, until Node-RED restarts
 */
export function loadLevel(owner: Owner): Promise<Library> {
  loading ??= import('classic-level');
  return loading.catch((cause) => {
    throw new IonError('ION_CONFIG', explain(cause, owner), { cause });
  });
}

function explain(cause: unknown, { name }: Owner): string {
  const isMissing = /^(ERR_)?MODULE_NOT_FOUND$/.test(codeOf(cause));
  const needs = `The ${name} needs the package classic-level (LevelDB), which`;
  const advice = "in Node-RED's user folder";
  if (isMissing) {
    return `${needs} is not installed (${platform()}). Run "npm install ${WANTED}" ${advice}, without --omit=optional, ${RESTART}. If it has no binary for this machine, npm compiles it, which needs Python, make and a C++ compiler.`;
  }
  return `${needs} does not load on this machine (${platform()}): ${quote(reasonOf(cause))}. Run "npm rebuild classic-level" ${advice}, ${RESTART}. If it has no binary for this machine, npm compiles it, which needs Python, make and a C++ compiler.`;
}

/** For example "linux arm64, glibc 2.28, Node.js v20.18.1". */
function platform(): string {
  const { platform, arch, version } = process;
  return [`${platform} ${arch}`, ...cLibrary(), `Node.js ${version}`].join(', ');
}

function cLibrary(): string[] {
  if (process.platform !== 'linux' || !process.report) return [];
  const report = process.report as typeof process.report & { excludeNetwork?: boolean };
  const { excludeNetwork } = report;
  // Or the report would ask DNS for the name of every connection.
  report.excludeNetwork = true;
  const { header } = report.getReport() as unknown as {
    header: { glibcVersionRuntime?: string };
  };
  if (excludeNetwork !== undefined) report.excludeNetwork = excludeNetwork;
  return [header.glibcVersionRuntime ? `glibc ${header.glibcVersionRuntime}` : 'musl'];
}
