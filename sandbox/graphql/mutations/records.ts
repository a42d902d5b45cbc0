import { randomUUID } from 'node:crypto';
import { type AttributeInput, createAttributes, updateAttributes } from './attributes.js';
import { columns, current, existing, type Mutation, type Versioned, withInput } from './common.js';

interface InventoryInput {
  partId?: string | null;
  locationId?: string | null;
  autogenerateSerialType?: string | null;
  autogenerateLotNumber?: boolean | null;
  attributes?: AttributeInput[] | null;
}

const INVENTORY_STEERING = ['autogenerateSerialType', 'autogenerateLotNumber'];

/** Writes to the records around runs: inventory, notifications. */
export const recordMutations: Record<string, Mutation> = {
  createPartInventory: withInput<InventoryInput>((input, context) => {
    const { store, user } = context;
    const part = existing(store.parts, input.partId);
    if (input.locationId) existing(store.locations, input.locationId);
    const number = String(store.partInventories.nextId).padStart(5, '0');
    const partInventory = store.partInventories.insert(
      {
        partId: part.id,
        serialNumber: null,
        lotNumber: null,
        quantity: 1,
        quantityScrapped: 0,
        quantityKitted: 0,
        quantityInstalled: 0,
        status: 'AVAILABLE',
        received: true,
        locationId: null,
        supplierId: null,
        unitOfMeasureId: null,
        ...columns(input, ...INVENTORY_STEERING),
        ...(input.autogenerateSerialType ? { serialNumber: `SN-${number}` } : {}),
        ...(input.autogenerateLotNumber ? { lotNumber: `LOT-${number}` } : {}),
      },
      user.id,
    );
    createAttributes('PartInventory', partInventory.id, input.attributes, context);
    return { partInventory };
  }),

  updatePartInventory: withInput<Versioned & InventoryInput>((input, context) => {
    const { store, user } = context;
    const item = current(store.partInventories, input);
    if (input.partId) existing(store.parts, input.partId);
    if (input.locationId) existing(store.locations, input.locationId);
    updateAttributes('PartInventory', item.id, input.attributes, context);
    return {
      partInventory: store.partInventories.update(
        item.id,
        columns(input, ...INVENTORY_STEERING),
        user.id,
      ),
      splitInventory: null,
    };
  }),

  dispatchNotification: withInput<{ userId: string }>((input, { store }) => {
    existing(store.users, input.userId);
    return { response: { messageId: randomUUID() } };
  }),
};
