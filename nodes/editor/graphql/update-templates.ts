import { BY_STEP } from './session-templates.js';
import type { WriteTemplate } from './write-template.js';

/** The etag of the attribute, which is not that of its owner. */
const attributeEtag = (owner: string) => `$merge([variables, {
  "etag": data.${owner}.attributes[key = $$.variables.attribute].Etag
}])`;

/**
 * Updates for the outbox: the etag is fresh, and the wanted value is compared with the present one, as
 * text, because ION may keep a number as text.
 */
export const updateTemplates = {
  updateRunStepAttribute: {
    query: `# The step must have the attribute already.
# The etag is that of the attribute, read
# again before each try.
mutation UpdateRunStepAttribute($runStepId: Int!, $attribute: String!, $value: ScalarValue, $etag: String!) {
  updateRunStepAttribute(input: { runStepId: $runStepId, key: $attribute, value: $value, etag: $etag }) {
    runStepAttribute {
      key
      value
      Etag
    }
  }
}
`,
    variables: '{ "runStepId": 1, "attribute": "Oven", "value": "Oven 3" }',
    prepare: `query RunStepAttributes($runStepId: ID!) {
  runStep(id: $runStepId) {
    attributes {
      key
      value
      Etag
    }
  }
}
`,
    prepareVariables: attributeEtag('runStep'),
    alreadyDone: `{
  "updateRunStepAttribute": {
    "runStepAttribute": data.runStep.attributes[key = $$.variables.attribute and $string(value) = $string($$.variables.value)]
  }
}`,
    order: BY_STEP,
  },
  updateRunAttribute: {
    query: `# The run must have the attribute already.
# The etag is that of the attribute, read
# again before each try.
mutation UpdateRunAttribute($runId: Int!, $attribute: String!, $value: ScalarValue, $etag: String!) {
  updateRunAttribute(input: { runId: $runId, key: $attribute, value: $value, etag: $etag }) {
    runAttribute {
      key
      value
      Etag
    }
  }
}
`,
    variables: '{ "runId": 1, "attribute": "Priority", "value": "High" }',
    prepare: `query RunAttributes($runId: ID!) {
  run(id: $runId) {
    attributes {
      key
      value
      Etag
    }
  }
}
`,
    prepareVariables: attributeEtag('run'),
    alreadyDone: `{
  "updateRunAttribute": {
    "runAttribute": data.run.attributes[key = $$.variables.attribute and $string(value) = $string($$.variables.value)]
  }
}`,
    order: { value: '"run " & variables.runId', type: 'jsonata' },
  },
  updatePartInventory: {
    query: `# The query under Prepare has to select what
# the input changes, because the two are
# compared.
mutation UpdatePartInventory($input: UpdatePartInventoryInput!) {
  updatePartInventory(input: $input) {
    partInventory {
      id
      serialNumber
      lotNumber
      quantity
      quantityScrapped
      locationId
      _etag
    }
  }
}
`,
    variables: '{ "id": 1, "input": { "quantity": 12, "locationId": 2 } }',
    prepare: `query PartInventory($id: ID!) {
  partInventory(id: $id) {
    id
    serialNumber
    lotNumber
    quantity
    quantityScrapped
    locationId
    _etag
  }
}
`,
    prepareVariables: `$merge([variables, {
  "input": $merge([variables.input, { "id": variables.id, "etag": data.partInventory._etag }])
}])`,
    alreadyDone: `(
  $wanted := variables.input;
  $present := data.partInventory;
  $isDone := function($name) { $string($lookup($present, $name)) = $string($lookup($wanted, $name)) };
  $differing := $filter($keys($wanted), function($name) { $not($isDone($name)) });
  $count($differing) = 0 ? { "updatePartInventory": { "partInventory": $present } }
)`,
    order: { value: '"part inventory " & variables.id', type: 'jsonata' },
  },
  setDatagridValue: {
    query: `# A cell that is still empty has no etag;
# any other one is changed with its own.
mutation SetDatagridValue($rowId: Int!, $columnId: Int!, $value: ScalarValue, $etag: String) {
  setDatagridValue(input: { rowId: $rowId, columnId: $columnId, value: $value, etag: $etag }) {
    datagridValue {
      id
      value
      _etag
    }
  }
}
`,
    variables: '{ "rowId": 1, "columnId": 1, "value": 12.5 }',
    prepare: `query DatagridValue($rowId: ID!, $columnId: ID!) {
  datagridValues(filters: { rowId: { eq: $rowId }, columnId: { eq: $columnId } }, first: 1) {
    edges {
      node {
        id
        value
        _etag
      }
    }
  }
}
`,
    prepareVariables: '$merge([variables, { "etag": data.datagridValues.edges[0].node._etag }])',
    alreadyDone: `{
  "setDatagridValue": {
    "datagridValue": data.datagridValues.edges[0].node[$string(value) = $string($$.variables.value)]
  }
}`,
    order: { value: '"datagrid row " & variables.rowId', type: 'jsonata' },
  },
} satisfies Record<string, WriteTemplate>;
