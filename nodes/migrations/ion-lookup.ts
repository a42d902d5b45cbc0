import { fillIn, type NodeMigrations } from './migrate.js';

export const lookupMigrations: NodeMigrations = {
  type: 'ion-lookup',
  steps: [
    // The defaults, for a node that was not saved by a dialog.
    (properties) => {
      const filled = fillIn({
        by: 'barcode',
        part: '',
        partType: 'str',
        step: '',
        stepType: 'str',
        fields: true,
        remember: 24,
        output: 'work',
      })(properties);
      if ((filled.valueType ?? '') !== '') return filled;
      return { ...filled, value: filled.value || 'payload', valueType: 'msg' };
    },
  ],
};
