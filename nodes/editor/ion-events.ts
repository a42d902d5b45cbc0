import { labels } from './labels.js';

const label = labels('ion-events');

RED.nodes.registerType('ion-events', {
  category: 'ION',
  color: '#9CC7D1',
  icon: 'ion-events.svg',
  inputs: 0,
  outputs: 1,
  paletteLabel: 'ion events',
  defaults: {
    name: { value: '' },
    config: { label: label('config'), value: '', type: 'ion-config', required: true },
    via: { value: 'poll' },
    resource: { value: 'RUN_STEPS' },
    actions: { value: ['CREATE', 'UPDATE'] },
    filters: { value: [] },
    fields: { value: [] },
    interval: { value: 10 },
    path: { value: '' },
    signatureHeader: { value: 'x-ion-signature' },
    expectedResponseCode: { value: 200 },
    verify: { value: true },
    register: { value: false },
    publicUrl: { value: '' },
  },
  credentials: { secret: { type: 'password' } },
  label() {
    return this.name || 'ion events';
  },
});
