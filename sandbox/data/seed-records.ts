import { formatMicros } from './clock.js';
import { Random } from './random.js';
import { PATTERNS, seededLabels } from './seed-labels.js';
import type { Store } from './store.js';

type Columns = Record<string, unknown>;

/** Adds the records around runs: procedures' steps, teams, kits, purchasing. Plainly fictional. */
export function seedRecords(store: Store): void {
  // Its own random numbers, so that the rest of the seed does not depend on these rows.
  const random = new Random(31_337);
  const time = formatMicros(Date.now() * 1000 - 1_814_400_000_000);
  const put = (type: string, id: number, columns: Columns) =>
    store.table(type).put({
      id,
      _created: time,
      _updated: time,
      _etag: random.etag(),
      createdById: 1,
      updatedById: 1,
      ...columns,
    });
  const putAll = (type: string, rows: readonly Columns[]) => {
    for (const [i, row] of rows.entries()) put(type, i + 1, row);
  };
  seedProcedureSteps(store, put);
  seedAttributes(store, put);
  for (const [type, rows] of Object.entries(RECORDS)) putAll(type, rows);
  putAll('BarcodeLabel', seededLabels(store));
}

type Put = (type: string, id: number, columns: Columns) => void;

/** The steps and fields of the procedures; createRun copies them. */
function seedProcedureSteps(store: Store, put: Put): void {
  for (const procedure of store.procedures.all()) {
    const { id: procedureId, partId } = procedure;
    put('PartProcedure', procedureId, { partId, procedureId, required: false });
    for (const [position, step] of (procedure.template ?? []).entries()) {
      const { id, title, content, leadTime, locationId } = step;
      const columns = { procedureId, position, title, content, leadTime, locationId };
      put('Step', id, { ...columns, type: 'CONTENT', version: 1, familyId: id, parentId: null });
      for (const [index, { range: _, ...field }] of step.fields.entries()) {
        const isRequired = field.required;
        put('StepField', field.id, {
          ...field,
          stepId: id,
          position: index,
          allowNotApplicable: !isRequired,
          signoffRoleId: field.type === 'SIGNOFF' ? 1 : null,
        });
      }
    }
  }
}

/** The ids of the attributes of runs come first. */
const FIRST_ATTRIBUTE = 1001;

function seedAttributes(store: Store, put: Put): void {
  const plan = [
    ...store.parts.all().map(({ id }) => ['Part', id, 'Drawing number', `DRW-${1000 + id}`]),
    ...store.partInventories
      .all()
      .slice(0, 12)
      .map(({ id }) => ['PartInventory', id, 'Certificate', `CERT-${id}`]),
    ...store.locations.all().map(({ id }) => ['Location', id, 'Area', id < 5 ? 'North' : 'South']),
    ['PurchaseOrder', 1, 'Buyer', 'Example Purchasing'],
    ['Supplier', 1, 'Rating', 'A'],
  ] as const;
  for (const [i, [owner, ownerId, key, value]] of plan.entries()) {
    put('RunAttribute', FIRST_ATTRIBUTE + i, { owner, ownerId, key, type: 'STRING', value });
  }
}

const LABEL = { format: 'ZPL', heightInches: 1, widthInches: 2, dpi: 203, deactivated: false };

const RECORDS: Record<string, readonly Columns[]> = {
  Team: [
    { name: 'Example Assembly Team', supervisorId: 1 },
    { name: 'Example Test Team', supervisorId: 4 },
  ],
  TeamUser: [
    { teamId: 1, userId: 1 },
    { teamId: 1, userId: 2 },
    { teamId: 1, userId: 3 },
    { teamId: 2, userId: 4 },
    { teamId: 2, userId: 5 },
  ],
  RunBatch: [{ title: 'Example batch' }],
  Role: [{ name: 'Quality' }, { name: 'Operator' }],
  UserRole: [
    { userId: 1, roleId: 2 },
    { userId: 2, roleId: 2 },
    { userId: 4, roleId: 1 },
  ],
  TeamRole: [{ teamId: 2, roleId: 1 }],
  Label: [{ value: 'Example: urgent' }, { value: 'Example: rework' }],
  UnitOfMeasurement: [{ type: 'each' }, { type: 'kg' }],
  Currency: [{ type: 'USD' }],
  Contact: [{ name: 'Example Receiving', email: 'receiving@example.test' }],
  Supplier: [
    { name: 'Example Metals', email: 'orders@metals.example.test' },
    { name: 'Example Fasteners', email: 'orders@fasteners.example.test' },
  ],
  PartSubtype: [{ name: 'Example casting', description: null }],
  LocationSubtype: [{ name: 'Example cell', description: null }],
  BarcodeTemplate: [
    { name: 'Example location label', entityType: 'LOCATIONS', ...LABEL },
    { name: 'Example inventory label', entityType: 'PARTS_INVENTORY', ...LABEL },
    { name: 'Example run label', entityType: 'RUNS', ...LABEL },
    { name: 'Example kit label', entityType: 'PARTS_KITS', ...LABEL },
  ],
  BarcodePattern: PATTERNS,
  IssueDispositionType: [
    { title: 'Rework', active: true },
    { title: 'Scrap', active: true },
  ],
  PartKit: [
    { runId: 1, status: 'DELIVERED', locationId: 5, deliveryLocationId: 2 },
    { runId: 2, status: 'REQUESTED', locationId: 5, deliveryLocationId: 2 },
  ],
  PartKitItem: [
    { partKitId: 1, partId: 7, quantity: 4 },
    { partKitId: 1, partId: 8, quantity: 2 },
    { partKitId: 2, partId: 7, quantity: 4 },
  ],
  PurchaseOrder: [
    { supplierId: 1, currencyId: 1, status: 'RECEIVED', description: 'Example order of metal' },
    { supplierId: 2, currencyId: 1, status: 'ORDERED', description: 'Example order of fasteners' },
    { supplierId: 2, currencyId: 1, status: 'DRAFT', description: null },
  ],
  PurchaseOrderLine: [
    { purchaseOrderId: 1, partId: 7, quantity: 10, cost: 12.5, status: 'RECEIVED', position: 0 },
    { purchaseOrderId: 1, partId: 8, quantity: 5, cost: 40, status: 'RECEIVED', position: 1 },
    { purchaseOrderId: 2, partId: 9, quantity: 200, cost: 0.5, status: 'ORDERED', position: 0 },
  ],
  BuildRequirement: [{ partId: 4, partInventoryId: 7, quantityPerParentPartInventory: 2 }],
  ABomInstallation: [{ buildRequirementId: 1, partInventoryId: 10, quantity: 2 }],
  Receipt: [{ receivedById: 1, receivedAt: '2026-01-15T08:00:00.000000+00:00' }],
  ReceiptItem: [
    { receiptId: 1, purchaseOrderLineId: 1, partInventoryId: 1, quantity: 10 },
    { receiptId: 1, purchaseOrderLineId: 2, partInventoryId: 2, quantity: 5 },
  ],
  MBom: [{ partId: 1, status: 'RELEASED', version: 1 }],
  MBomItem: [
    { mbomId: 1, partId: 7, quantity: 4, madeOnAssembly: false },
    { mbomId: 1, partId: 8, quantity: 2, madeOnAssembly: false },
  ],
};
