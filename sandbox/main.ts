import { startSandbox } from './server.js';

async function main(): Promise<void> {
  const sandbox = await startSandbox({ port: Number(process.env.PORT ?? 4000), live: true });
  console.log(`ION sandbox
  API            ${sandbox.url}/graphql
  Token URL      ${sandbox.authUrl}/realms/api-keys/protocol/openid-connect/token
  Client id      ${sandbox.clientId}
  Client secret  ${sandbox.clientSecret}

Press Ctrl-C to end it.`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void sandbox.close());
  }
}

main().catch((error: Error) => {
  console.error(`The sandbox did not start: ${error.message}`);
  process.exitCode = 1;
});
