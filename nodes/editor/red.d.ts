// The used part of the editor's API. The published types lack messages from validators, custom types
// of typed inputs and the Monaco editor.

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

/** An object that looks up texts in a catalogue. */
interface Texts {
  _(key: string, values?: Record<string, string | number>): string;
}

interface EditedNode extends Texts {
  id: string;
  name: string;
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
  credentials?: Record<string, { type: 'text' | 'password'; label?: string; validate?: Validator }>;
  label(this: EditedNode): string;
  labelStyle?(this: EditedNode): string;
  /** The tooltip of an output port. */
  outputLabels?(this: EditedNode, index: number): string;
  onadd?(this: EditedNode): void;
  oneditprepare?(this: EditedNode): void;
  oneditsave?(this: EditedNode): void;
  oneditcancel?(this: EditedNode): void;
  oneditresize?(this: EditedNode, size: { width: number; height: number }): void;
}

/** Both count from 0. */
interface CursorPosition {
  row: number;
  column: number;
}

interface CodeEditor {
  getValue(): string;
  /** In the older code editor, −1 places the cursor at the start. */
  setValue(value: string, cursor?: -1): void;
  on(event: 'change', listener: () => void): void;
  getCursorPosition(): CursorPosition;
  /** In the older code editor, the first line is line 1. */
  gotoLine(line: number, column: number): void;
  focus(): void;
  destroy(): void;
  resize(): void;
}

interface TypedInputType {
  value: string;
  label: string;
  icon?: string;
  hasValue?: boolean;
  options?: { value: string; label: string }[];
  validate?(value: string): Validation;
  /** Opens a larger editor for the value, by a button in the input. */
  expand?(this: { value(): string; value(next: string): void }): void;
  /** Several options may be chosen. The value is a list with commas. */
  multiple?: boolean;
  valueLabel?(container: JQuery, chosen: (string | { value: string })[]): void;
}

/** An item of the editor's tree. */
interface TreeListItem {
  id: string;
  label: string;
  sublabel?: string;
  icon?: string;
  checkbox?: boolean;
  selected?: boolean;
  expanded?: boolean;
  children?:
    | TreeListItem[]
    | ((done: (children: TreeListItem[]) => void, item: TreeListItem) => void);
}

interface NotificationOptions {
  type?: 'success' | 'warning' | 'error';
  modal?: boolean;
  fixed?: boolean;
  buttons?: { text: string; class?: string; click(): void }[];
}

interface TrayOptions {
  title: string;
  /** In pixels. `Infinity`: as wide as the window allows it. */
  width: number;
  focusElement: false;
  buttons: { id: string; text: string; class?: string; click(): void }[];
  open(tray: JQuery): void;
  /** Without a height while the tray is dragged or opens. */
  resize(size: { width: number; height?: number }): void;
  /** The tray slides in. */
  show(): void;
  /** The tray has left the page. */
  close(): void;
}

interface SubflowProperty {
  name: string;
  value: unknown;
}

/** A node in the editor, with the properties of a subflow if it is an instance of one. */
type SubflowNode = { id: string; d?: boolean; env?: SubflowProperty[] } & Record<string, unknown>;

interface EditorNode {
  d?: boolean;
  z?: string;
  changed?: boolean;
  /** Only while the editor needs them. */
  credentials?: Record<string, string>;
  [property: string]: unknown;
}

interface EditorApi {
  _(key: string, values?: Record<string, string | number>): string;
  nodes: {
    registerType(type: string, definition: NodeDefinition): void;
    id(): string;
    /**
     * `d` marks a node that is disabled, `z` is the tab or subflow that it is in, `changed` one that
     * differs from the deployed node.
     */
    node(id: string): EditorNode | null;
    subflow(id: string): { env?: SubflowProperty[] } | undefined;
    workspace(id: string): { label: string; disabled?: boolean } | undefined;
    filterNodes(filter: { type: string }): SubflowNode[];
    eachConfig(visit: (config: EditorNode & { id: string; type: string }) => void): void;
  };
  editor: {
    /** Other options are those of Monaco. */
    createEditor(options: {
      id: string;
      mode: string;
      value: string;
      minimap?: { enabled: boolean };
      acceptSuggestionOnEnter?: 'smart';
      ariaLabel?: string;
    }): CodeEditor;
    /** Opens the dialog of a config node; the name is that of a dialog's property. */
    editConfig(name: string, type: string, id: string): void;
    editExpression(options: { value: string; focus: boolean; complete(text: string): void }): void;
  };
  validators: {
    typedInput(options: { typeField: string; allowBlank?: boolean }): Validator;
  };
  tray: {
    /** The tray below leaves the page. The title is HTML. */
    show(options: TrayOptions): void;
    /** `done` runs when the tray below is back in the page. */
    close(done: () => void): void;
    resize(): void;
  };
  popover: {
    panel(content: JQuery): {
      show(options: {
        target: JQuery;
        align: 'left' | 'right';
        offset: [number, number];
        dispose: boolean;
        onclose?(): void;
      }): void;
      hide(dispose: boolean): void;
    };
  };
  view: {
    importNodes(nodes: object[], options: object): void;
    /** Shows a node in its flow. */
    reveal(id: string): void;
    select(id: string): void;
  };
  workspaces: { active(): string; isLocked(): boolean };
  sidebar: {
    addTab(options: {
      id: string;
      label: string;
      name: string;
      iconClass: string;
      content: JQuery;
      enableOnEdit: boolean;
      action: string;
    }): void;
    /** Must not be called for a tab that does not exist. */
    removeTab(id: string): void;
    show(id: string): void;
  };
  actions: { add(name: string, handler: () => void): void };
  events: {
    on(event: 'registry:node-type-removed', listener: (type: string) => void): void;
  };
  comms: {
    subscribe(topic: string, listener: (topic: string, data: never) => void): void;
    unsubscribe(topic: string, listener: (topic: string, data: never) => void): void;
    /** Called also after a lost connection. */
    on(event: 'connect', listener: () => void): void;
    off(event: 'connect', listener: () => void): void;
  };
  i18n: { lang(): string };
  clipboard: { copyText(text: string): boolean };
  settings: { httpNodeRoot: string | false };
  user: { hasPermission(permission: string): boolean };
  utils: {
    getNodeLabel(node: object, otherwise: string): string;
    createObjectElement(value: unknown, options: object): JQuery;
    normalisePropertyExpression(expression: string): (string | number)[];
    parseContextKey(key: string): { key: string; store?: string };
    validateTypedProperty(value: string, type: string, options: ValidatorOptions): Validation;
  };
  /** The content is an element, because the editor would interpret a text as HTML. */
  notify(content: JQuery, options: NotificationOptions): { close(): void };
}

declare const RED: EditorApi;

/** JSONata, which the editor loads for its own expressions. */
declare function jsonata(expression: string): {
  assign(name: string, value: unknown): void;
  evaluate(input: unknown): Promise<unknown>;
};

interface JQuery {
  typedInput(options: {
    default?: string;
    types: (string | TypedInputType)[];
    typeField?: string | JQuery;
  }): this;
  typedInput(action: 'type' | 'value'): string;
  typedInput(action: 'types', types: (string | TypedInputType)[]): this;
  typedInput(action: 'type' | 'value', value: string): this;
  typedInput(action: 'width', width: string | number): this;
  editableList<Row>(options: {
    addItem(container: JQuery, index: number, row: Partial<Row>): void;
    removeItem?(): void;
    removable?: boolean;
    sortable?: boolean;
    addButton?: string | boolean;
    height?: string | number;
  }): this;
  editableList<Row>(action: 'addItem', row: Row): this;
  editableList(action: 'items'): JQuery;
  editableList(action: 'height' | 'width', size: number): this;
  autoComplete(options: {
    search(typed: string): string[] | { value: string; label: string }[];
    minLength?: number;
  }): this;
  searchBox(options: { style?: 'compact'; delay?: number; change(): void }): this;
  treeList(options: {
    data: TreeListItem[];
    multi?: boolean;
    selectable?: boolean;
    autoSelect?: boolean;
  }): this;
  treeList(action: 'data', data: TreeListItem[]): this;
}
