import type { ApiContext } from '../context.js';
import { current, existing, type Mutation, withArgs, withInput } from './common.js';

interface Received {
  etag: string;
  receiptId: number;
  partInventoryId?: number | null;
  purchaseOrderLineId?: number | null;
  quantity: number;
}

/** Adds an item to a receipt, whose etag the input has. */
function receive(input: Received, { store, user }: ApiContext) {
  const receipt = current(store.table('Receipt'), { id: input.receiptId, etag: input.etag });
  const { receiptId, partInventoryId = null, purchaseOrderLineId = null, quantity } = input;
  if (partInventoryId) existing(store.partInventories, partInventoryId);
  if (purchaseOrderLineId) existing(store.table('PurchaseOrderLine'), purchaseOrderLineId);
  const item = { receiptId, partInventoryId, purchaseOrderLineId, quantity };
  store.table('ReceiptItem').insert(item, user.id);
  return receipt;
}

const receiveAll = withArgs<{ input?: Received[] | null }>(({ input }, context) => {
  const [receipt] = (input ?? []).map((each) => receive(each, context));
  return { receipt: receipt ?? null };
});

type Removed = Received & { id?: number };

const remove = withInput<Removed>((input, { store }) => {
  const receipt = current(store.table('Receipt'), { id: input.receiptId, etag: input.etag });
  const items = store.of('ReceiptItem', 'receiptId', receipt.id) as readonly (typeof receipt &
    Removed)[];
  const item = items.find(({ id, partInventoryId }) =>
    input.id === undefined ? partInventoryId === input.partInventoryId : id === input.id,
  );
  if (!item) throw new Error(`The item was not found in receipt ${receipt.id}.`);
  store.table('ReceiptItem').delete(item.id);
  return { receipt };
});

/** Receipts: their items. */
export const purchasingMutations: Record<string, Mutation> = {
  addInventoryToReceipt: withInput<Received>((input, context) => ({
    receipt: receive(input, context),
  })),
  addItemsToReceipt: receiveAll,
  addInventoriesToReceipt: receiveAll,
  removeInventoryFromReceipt: remove,
  removeItemFromReceipt: remove,
};
