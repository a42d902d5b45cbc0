// The inputs of the dialog that a template may fill, as texts that can be compared and restored.

export interface TemplateInput {
  read(): string;
  write(text: string): void;
}

/** The inputs, except the query. The delivery comes first: it opens the editor of "Prepare". */
export function templateInputs(preparation: { text: string }) {
  return {
    delivery: choice('#node-input-delivery'),
    order: typed('#node-input-order'),
    prepare: {
      read: () => preparation.text,
      write: (text: string) => {
        preparation.text = text;
      },
    },
    prepareVariables: expression('#node-input-prepareVariables'),
    alreadyDone: expression('#node-input-alreadyDone'),
    variables: typed('#node-input-variables'),
    testVariables: {
      read: () => String($('#ion-graphql-test-variables').val() ?? ''),
      write: (json: string) => void $('#ion-graphql-test-variables').val(json).trigger('input'),
    },
    pages: choice('#node-input-pages'),
  } satisfies Record<string, TemplateInput>;
}

export type TemplateInputs = ReturnType<typeof templateInputs>;

/** A type and a value, as the text of a typed input. */
export function asTyped(type: string, value: string): string {
  return JSON.stringify([type, value]);
}

function typed(selector: string): TemplateInput {
  return {
    read: () => asTyped($(selector).typedInput('type'), $(selector).typedInput('value')),
    write(text) {
      const [type, value] = JSON.parse(text) as [string, string];
      $(selector).typedInput('type', type).typedInput('value', value);
    },
  };
}

function expression(selector: string): TemplateInput {
  return {
    read: () => $(selector).typedInput('value'),
    // An input has one line, so the editor stores a line break as a tab.
    write: (text) => void $(selector).typedInput('value', text.trim().replace(/\n/g, '\t')),
  };
}

function choice(selector: string): TemplateInput {
  return {
    read: () => String($(selector).val()),
    write: (value) => void $(selector).val(value).trigger('change'),
  };
}
