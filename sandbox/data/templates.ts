import type { TemplateField, TemplateStep } from './model.js';

type FieldPlan = Omit<TemplateField, 'id'>;

const FIELD: Record<string, FieldPlan> = {
  torque: { name: 'Torque', type: 'NUMBER', unit: 'N·m', required: true, range: [10, 12] },
  temperature: { name: 'Temperature', type: 'NUMBER', unit: '°C', required: true, range: [20, 24] },
  pressure: { name: 'Pressure', type: 'NUMBER', unit: 'kPa', required: true, range: [310, 330] },
  passed: { name: 'Passed', type: 'BOOLEAN', required: true },
  notes: { name: 'Notes', type: 'STRING', required: false },
  batch: { name: 'Adhesive batch', type: 'STRING', required: true },
  finish: {
    name: 'Finish',
    type: 'SELECT',
    required: true,
    options: ['Matte', 'Gloss', 'Bare'],
  },
  defects: {
    name: 'Defects found',
    type: 'MULTISELECT',
    required: false,
    options: ['Scratch', 'Dent', 'Void', 'Discoloration'],
  },
  cured: { name: 'Cured at', type: 'DATETIME', required: true },
  photo: { name: 'Photo', type: 'FILE_ATTACHMENT', required: false },
  inspector: { name: 'Inspector', type: 'ION', required: false, allowedIonType: 'USERS' },
  signoff: { name: 'Quality sign-off', type: 'SIGNOFF', required: false },
  tool: { name: 'Torque wrench', type: 'TOOL', required: false },
};

interface StepPlan {
  title: string;
  /** Index of the seeded work center, from 0. */
  location: number;
  fields: FieldPlan[];
}

function step(title: string, location: number, ...fields: (keyof typeof FIELD)[]): StepPlan {
  return {
    title,
    location,
    fields: fields.map((name) => FIELD[name]).filter((f) => f !== undefined),
  };
}

/** The fictional procedures: three to six steps each, together fields of every type. */
export const PROCEDURES: readonly { title: string; steps: StepPlan[] }[] = [
  {
    title: 'Example bracket assembly',
    steps: [
      step('Kit parts', 3, 'notes'),
      step('Fasten bracket', 0, 'torque', 'tool', 'passed'),
      step('Final inspection', 2, 'passed', 'defects', 'inspector', 'signoff'),
    ],
  },
  {
    title: 'Example panel bonding',
    steps: [
      step('Prepare surface', 1, 'finish', 'temperature'),
      step('Apply adhesive', 1, 'batch', 'temperature'),
      step('Cure', 4, 'cured', 'temperature'),
      step('Inspect bond line', 2, 'passed', 'defects', 'photo'),
    ],
  },
  {
    title: 'Example valve build',
    steps: [
      step('Kit parts', 3, 'notes'),
      step('Assemble valve', 0, 'torque', 'tool'),
      step('Proof test', 5, 'pressure', 'passed'),
      step('Leak test', 5, 'pressure', 'passed', 'photo'),
      step('Pack', 3, 'notes'),
    ],
  },
  {
    title: 'Example harness test',
    steps: [
      step('Connect harness', 5, 'notes'),
      step('Continuity test', 5, 'passed', 'temperature'),
      step('Release', 2, 'passed', 'signoff'),
    ],
  },
  {
    title: 'Example tank integration',
    steps: [
      step('Receive tank', 3, 'notes'),
      step('Mount fittings', 0, 'torque', 'tool', 'passed'),
      step('Bond insulation', 1, 'batch', 'finish'),
      step('Cure', 4, 'cured', 'temperature'),
      step('Pressure test', 5, 'pressure', 'passed'),
      step('Final inspection', 2, 'passed', 'defects', 'inspector', 'signoff'),
    ],
  },
  {
    title: 'Example coating',
    steps: [
      step('Mask', 1, 'notes'),
      step('Coat', 1, 'finish', 'temperature', 'batch'),
      step('Bake', 4, 'cured', 'temperature'),
      step('Inspect coating', 2, 'passed', 'defects', 'photo'),
    ],
  },
];

/** Numbers the steps and fields of a procedure as templates. */
export function makeTemplate(
  plans: readonly StepPlan[],
  firstStepId: number,
  firstFieldId: number,
  workCentres: readonly number[],
): TemplateStep[] {
  let fieldId = firstFieldId;
  return plans.map((plan, i) => ({
    id: firstStepId + i,
    title: plan.title,
    content: `${plan.title}: fictional work instruction.`,
    leadTime: 3600,
    locationId: workCentres[plan.location] ?? 1,
    fields: plan.fields.map((field) => ({ ...field, id: fieldId++ })),
  }));
}
