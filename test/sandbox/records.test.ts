import assert from 'node:assert/strict';
import { isEnumType } from 'graphql';
import { attributeOwner } from '../../sandbox/graphql/members.js';
import { isStored, objectTypes, schema } from '../../sandbox/graphql/schema.js';
import { resourceOf } from '../../sandbox/webhooks/payload.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { start, type TestSandbox } from './client.js';

describe('sandbox: records around runs', () => {
  const folder = useTemporaryFolder();
  let sandbox: TestSandbox;
  beforeEach(async () => {
    sandbox = await start({ runs: 12, dataFolder: folder.path });
  });
  afterEach(() => sandbox.close());

  it('are related: orders, receipts, teams, kits, attributes, procedures', async () => {
    const found = await sandbox.ask(`{
      purchaseOrder(id: 1) {
        supplier { name }
        attributes { key value purchaseOrderId }
        purchaseOrderLines { part { partNumber } receiptItems { receipt { receivedBy { name } } } }
        _PurchaseOrderLinesCount
      }
      team(id: 1) { supervisor { name } users { id } }
      user(id: 4) { teams { name } roles { name } }
      partKit(id: 1) { run { id } partKitItems { part { partNumber } quantity } }
      procedure(id: 1) { steps { title fields { name type } } parts { id } isLatestVersion }
      part(id: 1) { attributes { key value } mboms { mbomItems { partId } } entity { id type } }
    }`);
    const { purchaseOrder, team, user, partKit, procedure, part } = found;
    assert.equal(purchaseOrder.supplier.name, 'Example Metals');
    assert.deepEqual(purchaseOrder.attributes, [
      { key: 'Buyer', value: 'Example Purchasing', purchaseOrderId: 1 },
    ]);
    assert.equal(purchaseOrder._PurchaseOrderLinesCount, 2);
    assert.deepEqual(purchaseOrder.purchaseOrderLines[0], {
      part: { partNumber: 'EX-1007' },
      receiptItems: [{ receipt: { receivedBy: { name: 'Test Operator 1' } } }],
    });
    assert.deepEqual(team, {
      supervisor: { name: 'Test Operator 1' },
      users: [{ id: 1 }, { id: 2 }, { id: 3 }],
    });
    assert.deepEqual(user, {
      teams: [{ name: 'Example Test Team' }],
      roles: [{ name: 'Quality' }],
    });
    assert.equal(partKit.partKitItems.length, 2);
    assert.deepEqual(procedure.steps[0], {
      title: 'Kit parts',
      fields: [{ name: 'Notes', type: 'STRING' }],
    });
    assert.deepEqual([procedure.parts, procedure.isLatestVersion], [[{ id: 1 }], true]);
    assert.deepEqual(part.attributes, [{ key: 'Drawing number', value: 'DRW-1001' }]);
    assert.deepEqual(part.mboms, [{ mbomItems: [{ partId: 7 }, { partId: 8 }] }]);
    assert.deepEqual(part.entity, { id: 15, type: 'PARTS' });
  });

  it('are filtered by columns, relations and attributes', async () => {
    const count = async (list: string, filters: string) =>
      (await sandbox.ask(`{ ${list}(filters: ${filters}) { edges { node { id } } } }`))[list].edges
        .length;
    assert.equal(await count('purchaseOrders', '{ status: { in: [ORDERED, DRAFT] } }'), 2);
    assert.equal(
      await count(
        'purchaseOrderLines',
        '{ purchaseOrder: { supplier: { name: { like: "%Metals" } } } }',
      ),
      2,
    );
    assert.equal(
      await count(
        'parts',
        '{ attributes: { key: { eq: "Drawing number" }, value: { eq: "DRW-1003" } } }',
      ),
      1,
    );
    assert.equal(await count('users', '{ teams: { name: { ilike: "%TEST%" } } }'), 2);
  });

  it('survive a restart, with their relations and ids', async () => {
    const { createSupplier } = await sandbox.ask(
      'mutation { createSupplier(input: { name: "Example Late", attributes: [{ key: "Rating", value: "B" }] }) { supplier { id _etag } } }',
    );
    const { id, _etag } = createSupplier.supplier;
    await sandbox.close();
    sandbox = await start({ runs: 12, dataFolder: folder.path });
    const { supplier } = await sandbox.ask(
      `{ supplier(id: ${id}) { name _etag attributes { value } } }`,
    );
    assert.deepEqual(supplier, { name: 'Example Late', _etag, attributes: [{ value: 'B' }] });
  });

  it('are linked and separated', async () => {
    const { addLabelToItem } = await sandbox.ask(
      'mutation { addLabelToItem(input: { labelId: 1, entityId: 11 }) { labelId entityId } }',
    );
    assert.deepEqual(addLabelToItem, { labelId: 1, entityId: 11 });
    const labels = async () =>
      (await sandbox.ask('{ run(id: 1) { labels { value } } }')).run.labels;
    assert.deepEqual(await labels(), [{ value: 'Example: urgent' }]);
    await sandbox.ask(
      'mutation { removeLabelFromItem(input: { labelId: 1, entityId: 11 }) { labelId } }',
    );
    assert.deepEqual(await labels(), []);
    await sandbox.ask('mutation { addUserToTeam(input: { teamId: 2, userId: 1 }) { teamId } }');
    const { team } = await sandbox.ask('{ team(id: 2) { users { id } } }');
    assert.deepEqual(team.users, [{ id: 4 }, { id: 5 }, { id: 1 }]);
  });

  it('include what has been installed in a unit, which is no longer available', async () => {
    const query = `{
      partInventory(id: 7) {
        buildRequirements { part { partNumber } abomInstallations { partInventory { lotNumber } quantity } }
      }
      installed: partInventory(id: 10) { quantity quantityInstalled quantityAvailable }
    }`;
    const before = await sandbox.ask(query);
    assert.deepEqual(before.partInventory.buildRequirements, [
      {
        part: { partNumber: 'EX-1004' },
        abomInstallations: [{ partInventory: { lotNumber: 'LOT-0010' }, quantity: 2 }],
      },
    ]);
    await sandbox.ask(`mutation {
      createBuildRequirement(input: { partId: 4, partInventoryId: 7 }) { buildRequirement { id } }
      createAbomInstallation(input: { buildRequirementId: 2, partInventoryId: 10, quantity: 3 }) {
        abomInstallation { id }
      }
    }`);
    const { partInventory, installed } = await sandbox.ask(query);
    assert.equal(partInventory.buildRequirements.length, 2);
    const { quantity, quantityInstalled, quantityAvailable } = installed;
    assert.deepEqual([quantityInstalled, quantityAvailable], [5, quantity - 5]);
  });

  it('include labels, whose ZPL a printer takes', async () => {
    const { barcodeTemplates, location } = await sandbox.ask(`{
      barcodeTemplates(filters: { entityType: { eq: LOCATIONS } }) { edges { node { id } } }
      location(id: 9) { entityId }
    }`);
    const templateId = barcodeTemplates.edges[0].node.id;
    const { createBarcodeLabel } = await sandbox.ask(
      'mutation($input: CreateBarcodeLabelInput!) { createBarcodeLabel(input: $input) { barcodeLabel { barcode qrCode iuid } } }',
      { input: { templateId, entityId: location.entityId } },
    );
    const { barcode, iuid, qrCode } = createBarcodeLabel.barcodeLabel;
    assert.equal(qrCode, JSON.stringify({ uid: iuid }));
    assert.ok(barcode.startsWith('^XA') && barcode.endsWith('^XZ'));
    assert.ok(barcode.includes(`^FDMA,${qrCode}^FS`) && barcode.includes('^FDShelf A1^FS'));
  });

  it('include parts, of which each has a number and a revision of its own', async () => {
    const create = (input: string) =>
      `mutation { createPart(input: ${input}) { part { partNumber revision } } }`;
    const twice = create('{ partNumber: "EX-2001" }');
    const { createPart } = await sandbox.ask(twice);
    assert.deepEqual(createPart.part, { partNumber: 'EX-2001', revision: 'A' });
    assert.match(await sandbox.refusal(twice), /EX-2001 with revision A is not unique/);
    const other = await sandbox.ask(create('{ partNumber: "EX-2001", revision: "B" }'));
    assert.equal(other.createPart.part.revision, 'B');
  });

  it('include units of a part with what they cost and their attributes', async () => {
    const { createPartInventory } = await sandbox.ask(
      `mutation { createPartInventory(input: { partId: 1, quantity: 2, cost: 1.5, uri: "https://example.test/1", attributes: [{ key: "Certificate", value: "CERT-900" }] }) {
        partInventory { id _etag cost Cost uri attributes { Etag value } }
      } }`,
    );
    const { id, _etag, attributes, ...unit } = createPartInventory.partInventory;
    const [{ Etag, value }] = attributes;
    assert.equal(value, 'CERT-900');
    assert.deepEqual(unit, { cost: 1.5, Cost: 1.5, uri: 'https://example.test/1' });
    const { updatePartInventory } = await sandbox.ask(
      `mutation { updatePartInventory(input: { id: ${id}, etag: "${_etag}", cost: 2, attributes: [{ key: "Certificate", value: "CERT-901", etag: "${Etag}" }] }) {
        partInventory { cost attributes { value } }
      } }`,
    );
    assert.deepEqual(updatePartInventory.partInventory, {
      cost: 2,
      attributes: [{ value: 'CERT-901' }],
    });
  });

  it('include issues with their attributes', async () => {
    const { createIssue } = await sandbox.ask(
      `mutation { createIssue(input: { title: "Example", attributes: [{ key: "Defect code", value: "D-1" }] }) {
        issue { attributes { key value } }
      } }`,
    );
    assert.deepEqual(createIssue.issue.attributes, [{ key: 'Defect code', value: 'D-1' }]);
  });

  it('refuse relations to rows that do not exist', async () => {
    assert.equal(
      await sandbox.refusal('mutation { createPartKit(input: { runId: 999 }) { partKit { id } } }'),
      'Run with id 999 was not found.',
    );
  });

  it('include procedures whose own steps a run gets', async () => {
    const { createProcedure } = await sandbox.ask(
      'mutation { createProcedure(title: "Example welding") { procedure { id version type } } }',
    );
    const { id } = createProcedure.procedure;
    assert.deepEqual(createProcedure.procedure, { id, version: 1, type: 'BUILD' });
    const { createStep } = await sandbox.ask(
      `mutation { createStep(input: { title: "Weld", procedureId: ${id} }) { step { id } } }`,
    );
    await sandbox.ask(
      `mutation { createStepField(input: { stepId: ${createStep.step.id}, name: "Current", type: NUMBER, unit: "A" }) { stepField { id } } }`,
    );
    const { createRun } = await sandbox.ask(
      `mutation { createRun(input: { procedureId: ${id} }) { run { steps { title fields { name unit } } } } }`,
    );
    assert.deepEqual(createRun.run.steps, [
      { title: 'Weld', fields: [{ name: 'Current', unit: 'A' }] },
    ]);
    const { createProcedureVersion } = await sandbox.ask(
      `mutation { createProcedureVersion(familyId: ${id}) { procedure { version status steps { title } } } }`,
    );
    assert.deepEqual(createProcedureVersion.procedure, {
      version: 2,
      status: 'DRAFT',
      steps: [{ title: 'Weld' }],
    });
  });

  it('include the attributes that an organization defines', async () => {
    const { me } = await sandbox.ask('{ me { organization { id _etag } } }');
    const { id, _etag } = me.organization;
    const input = { id, etag: _etag, key: 'Serial of the fixture', type: 'STRING' };
    const settings = 'organization { settings { runs { attributes { key type } } } }';
    const { updateOrganizationRunAttributes } = await sandbox.ask(
      `mutation($input: UpdateAttributeSettingsInput!) { updateOrganizationRunAttributes(input: $input) { ${settings} } }`,
      { input },
    );
    assert.deepEqual(updateOrganizationRunAttributes.organization.settings.runs.attributes, [
      { key: 'External key', type: 'STRING' },
      { key: 'Serial of the fixture', type: 'STRING' },
    ]);
  });

  it('have the table names of webhooks, except those that ION does not list', () => {
    const resources = schema.getType('ResourceEnum');
    assert.ok(isEnumType(resources));
    const types = objectTypes().filter(({ name }) => isStored(name));
    const unknown = types.filter(({ name }) => {
      const owner = attributeOwner(name);
      const table = owner ? { type: 'RunAttribute', row: { owner } } : { type: name, row: {} };
      return !resources.getValue(resourceOf(table as never));
    });
    assert.deepEqual(
      unknown.map(({ name }) => name),
      [
        ...['BuildRequirement', 'ABomInstallation', 'Rule'],
        ...['WebhookReceiver', 'WebhookHeader', 'WebhookSubscription', 'WebhookEvent'],
        ...['FieldDiff', 'StepDiff'],
      ],
    );
  });

  it('say that they are not simulated if their rules are not public', async () => {
    assert.equal(
      await sandbox.refusal(
        '{ barcodeTemplateFieldOptions(templateEntityType: RUNS) { options } }',
      ),
      'The sandbox does not simulate barcodeTemplateFieldOptions.',
    );
  });
});
