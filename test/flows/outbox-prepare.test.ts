import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseOperation } from '../../nodes/client/graphql/operation.js';
import { type FlowNode, graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { byLength } from '../support/length.js';
import { loadSettings } from '../support/load.js';
import { isEmpty, OutboxFlow, outboxState } from '../support/outbox-flow.js';
import { useSandbox } from '../support/sandbox.js';
import { makeStep } from '../support/steps.js';
import { until } from '../support/until.js';

const RACING = byLength({ usual: 1000, brief: 200 });
const OBJECTS = 10;
/** Between the writes of the second writer to one object. */
const MAX_RIVAL_PAUSE_MS = 10;

const READ = 'query FieldToWrite($id: ID!) { runStepField(id: $id) { value _etag } }';
const WRITE = `mutation UpdateRunStepFieldValue($input: UpdateRunStepFieldValueInput!) {
  updateRunStepFieldValue(input: $input) { runStepField { id } } }`;

describe('mutations of ion-graphql that are prepared, in a real Node-RED', () => {
  const ion = useSandbox({ runs: 5 });
  const folder = useTemporaryFolder();
  const writes = new OutboxFlow(ion, folder);
  let nodeRed: RunningNodeRed | undefined;
  const start = async (userDir: string) => {
    nodeRed = await RunningNodeRed.start(userDir, { settings: loadSettings });
    return nodeRed;
  };
  afterEach(async () => {
    writes.end();
    await nodeRed?.stop();
    nodeRed = undefined;
  });

  it(`never overwrite unread what a second writer wrote, and none of ${RACING} is lost`, async function () {
    this.timeout(300_000);
    await writes.begin(OBJECTS);
    // Each value is the one that was read, with one more line, so that a lost one would show.
    const { userDir, done } = await writes.prepare(
      'race',
      { perSecond: 500, count: RACING },
      {
        kinds: ['graphql'],
        nodes: {
          graphql: {
            prepare: READ,
            prepareVariables: `{ "input": { "id": variables.id, "etag": data.runStepField._etag,
              "value": data.runStepField.value & variables.value & "\\n" } }`,
          },
        },
      },
    );
    const { control } = ion.sandbox;
    const before = new Map<string, string>();
    const accepted: string[] = [];
    const overwritten: string[] = [];
    control.onCarriedOut = (mutation, args) => {
      if (mutation !== 'updateRunStepFieldValue') return;
      const { id, value } = args.input as { id: string; value: string };
      const read = before.get(String(id)) ?? '';
      before.set(String(id), value);
      if (!value.startsWith(read)) overwritten.push(value);
      accepted.push(value.slice(read.length).trimEnd());
    };
    const running = await start(userDir);
    let isOver = false;
    const client = ion.client({ retries: 0 });
    const { signal } = new AbortController();
    const rival = async (id: number) => {
      for (let count = 0; !isOver; count++) {
        const { data } = await client.request(parseOperation(READ), { variables: { id }, signal });
        const { value, _etag: etag } = (data as { runStepField: { value: string; _etag: string } })
          .runStepField;
        const input = { id, etag, value: `${value ?? ''}rival-${id}-${count}\n` };
        // Its own conflicts are no matter here.
        await client
          .request(parseOperation(WRITE), { variables: { input }, signal })
          .catch((error) => assert.equal(error.code, 'ION_CONFLICT'));
        await sleep(Math.random() * MAX_RIVAL_PAUSE_MS);
      }
    };
    const rivals = Promise.all(writes.fields.map(rival));
    await until(async () => (await done()).length === RACING && (await isEmpty(running)));
    isOver = true;
    await rivals;

    assert.deepEqual(overwritten, []);
    const own = accepted.filter((value) => !value.startsWith('rival-'));
    assert.deepEqual(own.toSorted(), (await done()).toSorted(), 'each of them, once');
    assert.equal((await outboxState(running)).givenUp, 0);
    const conflicts = (control.counters().executed.updateRunStepFieldValue ?? 0) - accepted.length;
    console.log(
      `      ${own.length} written beside ${accepted.length - own.length} of the second writer, ${conflicts} conflicts`,
    );
    assert.ok(conflicts > RACING / 20, 'they raced');
  });

  /** Ways in which the comment finds the issue of its message. */
  const ways = [
    {
      way: 'the key in an attribute',
      variable: '$incident: ScalarValue',
      filter: 'attributes: { key: { eq: "incident" }, value: { eq: $incident } }',
    },
    { way: 'the run step', variable: '$step: ID!', filter: 'runStepId: { eq: $step }' },
  ];
  for (const { way, ...by } of ways) {
    it(`that need the ID of an earlier one find it by ${way} after a SIGKILL between the two`, async () => {
      const { userDir, send } = await prepareChain(by);
      const stepOf = new Map<string, number>();
      for (const when of ['lost-issue', 'between', 'lost-comment']) {
        stepOf.set(`${when} ${way}`, (await makeStep(ion.client(), [])).step);
      }
      const isBetween = `IssueOfComment.*(between|"step":${stepOf.get(`between ${way}`)}\\b)`;
      const { control } = ion.sandbox;
      const carriedOut: [mutation: string, incident: string][] = [];
      control.onCarriedOut = (mutation, args) => {
        const { title, content } = args.input as { title?: string; content?: string };
        carriedOut.push([mutation, String(title ?? content)]);
      };
      const hang = { target: 'api', kind: 'hang' } as const;
      control.fault(
        // The issue is created, but its response is lost.
        { ...hang, match: 'createIssue.*lost-issue', execute: true },
        // The issue is delivered, and its comment is not sent yet.
        { ...hang, match: isBetween },
        // The comment is created, but its response is lost.
        { ...hang, match: 'createComment.*lost-comment', execute: true },
      );
      const running = await start(userDir);
      for (const [incident, step] of stepOf) await send(running, { incident, step });
      await until(() => carriedOut.length === 4);
      await until(() =>
        control
          .counters()
          .recent.some(({ body }) => new RegExp(isBetween).test(JSON.stringify(body))),
      );
      assert.equal((await outboxState(running)).waiting, 4);
      await running.kill();
      control.clearFaults();
      const again = await start(userDir);
      await until(() => isEmpty(again));
      assert.equal((await outboxState(again)).givenUp, 0);
      for (const incident of stepOf.keys()) {
        assert.deepEqual(
          carriedOut.filter(([, of]) => of === incident).map(([mutation]) => mutation),
          ['createIssue', 'createComment'],
          incident,
        );
        const [issue, ...others] = await issuesOf(incident);
        assert.deepEqual(others, []);
        assert.deepEqual(issue?.comments, [{ content: incident }]);
      }
    });
  }

  const issuesOf = async (title: string) => {
    const { signal } = new AbortController();
    const query =
      'query ($title: String) { issues(filters: { title: { eq: $title } }) { edges { node { comments { content } } } } }';
    const { data } = await ion
      .client()
      .request(parseOperation(query), { variables: { title }, signal });
    const { edges } = (data as { issues: { edges: { node: { comments: object[] } }[] } }).issues;
    return edges.map(({ node }) => node);
  };

  /** A flow that creates an issue for a message, and then a comment on it. */
  const prepareChain = async ({ variable, filter }: { variable: string; filter: string }) => {
    const find = (name: string) => `query ${name}(${variable}) {
      issues(filters: { ${filter} }) { edges { node { id entityId comments { id content } } } } }`;
    const outbox: FlowNode = {
      ...graphqlNode,
      delivery: 'outbox',
      variables: 'payload',
      order: 'payload.incident',
      orderType: 'msg',
      outputs: 2,
      wires: [[], []],
    };
    const flow: FlowNode[] = [
      {
        id: 'in',
        type: 'http in',
        url: '/incident',
        method: 'post',
        wires: [['issue', 'comment', 'out']],
      },
      { id: 'out', type: 'http response', wires: [] },
      {
        ...outbox,
        id: 'issue',
        query:
          'mutation ($input: CreateIssueInput!) { createIssue(input: $input) { issue { id } } }',
        prepare: find('Issue'),
        prepareVariables: `{ "input": { "title": variables.incident, "runStepId": variables.step,
          "attributes": [{ "key": "incident", "value": variables.incident }] } }`,
        alreadyDone: 'data.issues.edges[0].{ "createIssue": { "issue": node } }',
      },
      {
        ...outbox,
        id: 'comment',
        query:
          'mutation ($input: CreateCommentInput!) { createComment(input: $input) { comment { id } } }',
        prepare: find('IssueOfComment'),
        prepareVariables: `{ "input": { "content": variables.incident,
          "entityId": data.issues.edges[0].node.entityId } }`,
        alreadyDone:
          'data.issues.edges[0].node.comments[content = $$.variables.incident][0].{ "createComment": { "comment": $ } }',
      },
    ];
    const userDir = join(folder.path, `chain-${++chains}`);
    await mkdir(userDir);
    const { clientId, clientSecret } = ion.sandbox;
    await prepareUserDir(
      userDir,
      [
        { id: 'flow', type: 'tab', label: 'test' },
        // Each fault hits the request of one write.
        { ...sandboxConfig(ion.sandbox), writesPerRequest: 1 },
        ...flow.map((node) => ({ ...node, z: 'flow', x: 0, y: 0 })),
      ],
      { config: { clientId, clientSecret } },
    );
    const send = async (running: RunningNodeRed, payload: { incident: string; step: number }) => {
      await fetch(`${running.url}/incident`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(payload),
      });
    };
    return { userDir, send };
  };
  let chains = 0;
});
