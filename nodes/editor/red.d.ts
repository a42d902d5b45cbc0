// What the dialogs use of the editor's API. The published types know no messages from validators,
// no typed-input types of one's own and no Monaco editor, so this file states them once.

type ValidatorOptions = { label?: string };
/** True, or the text that the editor shows in the red triangle's tooltip. */
type Validation = boolean | string;

type Validator = (this: EditedNode, value: never, options: ValidatorOptions) => Validation;

interface NodeProperty {
  value: unknown;
  type?: string;
  label?: string;
  required?: boolean;
  validate?: Validator;
}

interface EditedNode {
  id: string;
  name: string;
  _(key: string, values?: Record<string, string | number>): string;
  [property: string]: unknown;
}

interface NodeDefinition {
  category: string;
  color?: string;
  icon?: string;
  inputs?: number;
  outputs?: number;
  paletteLabel?: string;
  defaults: Record<string, NodeProperty>;
  credentials?: Record<string, { type: 'text' | 'password' }>;
  label(this: EditedNode): string;
  labelStyle?(this: EditedNode): string;
  oneditprepare?(this: EditedNode): void;
  oneditsave?(this: EditedNode): void;
  oneditcancel?(this: EditedNode): void;
  oneditresize?(this: EditedNode, size: { width: number; height: number }): void;
}

interface CodeEditor {
  getValue(): string;
  setValue(value: string): void;
  destroy(): void;
  resize(): void;
}

interface TypedInputType {
  value: string;
  label: string;
  icon?: string;
  hasValue?: boolean;
}

declare const RED: {
  _(key: string, values?: Record<string, string | number>): string;
  nodes: {
    registerType(type: string, definition: NodeDefinition): void;
  };
  editor: {
    createEditor(options: { id: string; mode: string; value: string }): CodeEditor;
  };
  validators: {
    typedInput(options: { typeField: string; allowBlank?: boolean }): Validator;
  };
  tray: { resize(): void };
};

interface JQuery {
  typedInput(options: {
    default?: string;
    types: (string | TypedInputType)[];
    typeField?: string | JQuery;
  }): this;
  typedInput(action: 'type' | 'value'): string;
  typedInput(action: 'type' | 'value', value: string): this;
  typedInput(action: 'width', width: string | number): this;
  editableList<Row>(options: {
    addItem(container: JQuery, index: number, row: Partial<Row>): void;
    removable?: boolean;
    sortable?: boolean;
    addButton?: string | boolean;
    height?: string | number;
  }): this;
  editableList<Row>(action: 'addItem', row: Row): this;
  editableList(action: 'items'): JQuery;
  editableList(action: 'height' | 'width', size: number): this;
}
