import { entityId } from './data/entities.js';
import { seededUid } from './data/seed-labels.js';
import { type Settings, startSandbox } from './server.js';

async function main(): Promise<void> {
  const { PORT, CLIENT_ID, CLIENT_SECRET, DATA, LIVE, RUNS, SEED, SETTINGS } = process.env;
  const settings = SETTINGS ? readSettings(SETTINGS) : {};
  const sandbox = await startSandbox({
    port: Number(PORT || 4000),
    live: LIVE !== 'false',
    ...(RUNS && { runs: wholeNumber('RUNS', RUNS) }),
    ...(SEED && { seed: wholeNumber('SEED', SEED) }),
    clientId: CLIENT_ID || undefined,
    clientSecret: CLIENT_SECRET || undefined,
    dataFolder: DATA || undefined,
    settings,
  });
  const prefix = settings.tokenPath === 'old' ? '/auth' : '';
  console.log(`ION sandbox. For the dialog of an ION config node, with the environment "Custom URLs":
  API URL        ${sandbox.url}
  Auth URL       ${sandbox.authUrl}
  Client ID      ${sandbox.clientId}
  Client secret  ${sandbox.clientSecret}

For other clients:
  GraphQL        ${sandbox.url}/graphql
  Access tokens  ${sandbox.authUrl}${prefix}/realms/api-keys/protocol/openid-connect/token

Codes to scan:
  SN-00013       the serial number of a unit
  LOC:Oven 1     the name of a station
  {"uid":"${seededUid(entityId('PartInventory', 7))}"}   the label of unit SN-00007

${DATA ? `The data is kept in ${DATA}.` : 'The data is lost at the end; DATA=folder keeps it.'}
Press Ctrl-C to end it.`);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void sandbox.close().catch(fail));
  }
}

/** @throws RangeError if the text is no whole number from 0 on */
function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,6}$/.test(text))
    throw new RangeError(`${name} must be a whole number, not "${text}"`);
  return Number(text);
}

/** The sandbox checks their names and values. */
function readSettings(text: string): Partial<Settings> {
  try {
    return JSON.parse(text) as Partial<Settings>;
  } catch {
    throw new TypeError('SETTINGS is not JSON');
  }
}

function fail({ message }: Error): void {
  console.error(`The sandbox failed: ${message}`);
  process.exitCode = 1;
}

main().catch(fail);
