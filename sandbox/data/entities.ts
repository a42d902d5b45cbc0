/** The types that have an entity id, with their names in Entitytypeenum; the order is fixed. */
export const entityTypes = {
  Run: 'RUNS',
  RunStep: 'RUN_STEPS',
  RunStepField: 'UNATTACHED',
  PartInventory: 'PARTS_INVENTORY',
  Part: 'PARTS',
  Location: 'LOCATIONS',
  Issue: 'ISSUES',
  User: 'USERS',
  Procedure: 'PROCEDURES',
  Step: 'STEPS',
  PartKit: 'PARTS_KITS',
  PartKitItem: 'PART_KIT_ITEMS',
  PurchaseOrder: 'PURCHASE_ORDERS',
  PurchaseOrderLine: 'PURCHASE_ORDER_LINES',
  Receipt: 'RECEIPTS',
  Supplier: 'SUPPLIERS',
  MBom: 'MBOMS',
  MBomApproval: 'MBOM_APPROVALS',
  MBomApprovalRequest: 'MBOM_APPROVAL_REQUESTS',
  IssueApproval: 'ISSUE_APPROVALS',
  IssueApprovalRequest: 'ISSUE_APPROVAL_REQUESTS',
  PurchaseOrderApproval: 'PURCHASE_ORDER_APPROVALS',
  PurchaseOrderApprovalRequest: 'PURCHASE_ORDER_APPROVAL_REQUESTS',
  RedlineApproval: 'REDLINE_APPROVALS',
  RedlineApprovalRequest: 'REDLINE_APPROVAL_REQUESTS',
  StepApproval: 'STEP_APPROVALS',
  StepApprovalRequest: 'STEP_APPROVAL_REQUESTS',
  Review: 'REVIEWS',
  ReviewRequest: 'REVIEW_REQUESTS',
  Plan: 'PLANS',
  PlanInput: 'PLAN_INPUTS',
  MRPJob: 'MRP_JOBS',
} as const;
export type EntityType = keyof typeof entityTypes;

const ENTITIES = Object.keys(entityTypes) as EntityType[];
/** The types whose entity id ends in a digit from 1 to 8; the ids of the others end in 9. */
const SHORT = 8;

/** The number that attachments and comments refer to: unique over all types, unlike the id. */
export function entityId(type: EntityType, id: number): number {
  const index = ENTITIES.indexOf(type);
  return index < SHORT ? id * 10 + index + 1 : (id * 100 + index) * 10 + 9;
}

export function isEntityType(type: string): type is EntityType {
  return type in entityTypes;
}

/** The type and the id behind an entity id. */
export function parseEntityId(entity: number): { type: EntityType; id: number } | undefined {
  const [digit, rest] = [entity % 10, Math.floor(entity / 10)];
  const type = ENTITIES[digit === 9 ? rest % 100 : digit - 1];
  return type && { type, id: digit === 9 ? Math.floor(rest / 100) : rest };
}
