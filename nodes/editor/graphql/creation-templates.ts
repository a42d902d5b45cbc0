import type { WriteTemplate } from './write-template.js';

/** Puts the key of one's own into the attribute that keeps it. */
const KEEP_KEY = `$merge([variables, {
  "input": $merge([variables.input, {
    "attributes": $append(variables.input.attributes, [{ "key": variables.attribute, "value": variables.key }])
  }])
}])`;

/** None waits for another one, nor for one of another type with the same key. */
const byKey = (type: string) => ({ value: `"${type} " & variables.key`, type: 'jsonata' });

/** Creations for the outbox, exactly once each, by the name of the mutation. */
export const creationTemplates = {
  createIssue: {
    query: `# Exactly once for each key, which must be a
# text. An attribute of issues keeps the
# key: your organization has to define that
# attribute in ION.
mutation CreateIssue($input: CreateIssueInput!) {
  createIssue(input: $input) {
    issue {
      id
      entityId
      title
      status
    }
  }
}
`,
    variables: `{
  "attribute": "External key",
  "key": "press-7/2026-11-30/0815",
  "input": { "title": "Torque out of range", "runStepId": 1 }
}`,
    prepare: `query IssueWithKey($attribute: String!, $key: ScalarValue!) {
  issues(filters: { attributes: { key: { eq: $attribute }, value: { eq: $key } } }, first: 1) {
    edges {
      node {
        id
        entityId
        title
        status
      }
    }
  }
}
`,
    prepareVariables: KEEP_KEY,
    alreadyDone: '{ "createIssue": { "issue": data.issues.edges[0].node } }',
    order: byKey('new issue'),
  },
  createComment: {
    query: `# Exactly once for each text on an object:
# put a key of your own into the text.
# Issues, runs and steps have an entityId,
# which is not their id.
mutation CreateComment($entityId: ID!, $content: String!) {
  createComment(input: { entityId: $entityId, content: $content }) {
    comment {
      id
      content
      slateContent
    }
  }
}
`,
    variables: `{
  "entityId": 1,
  "content": "Torque out of range [press-7/2026-11-30/0815]"
}`,
    prepare: `# ION may keep the text as rich text only;
# then it is looked for in the newest
# comments.
query SameComment($entityId: ID!, $content: String!) {
  same: comments(filters: { entityId: { eq: $entityId }, content: { eq: $content } }, first: 1) {
    ...Comments
  }
  newest: comments(filters: { entityId: { eq: $entityId } }, sort: [_CREATED_DESC], first: 50) {
    ...Comments
  }
}

fragment Comments on CommentsConnection {
  edges {
    node {
      id
      content
      slateContent
    }
  }
}
`,
    prepareVariables: '',
    alreadyDone: `(
  $bare := function($text) { $replace($string($text), /\\s/, "") };
  $isSame := function($text) { $bare($text) = $bare($$.variables.content) };
  $newest := data.newest.edges.node[$isSame(content) or $isSame($join(slateContent.**.text))];
  { "createComment": { "comment": [data.same.edges.node, $newest][0] } }
)`,
    order: { value: '"entity " & variables.entityId', type: 'jsonata' },
  },
  createPartInventory: {
    query: `# Exactly once for each key, which must be a
# text. An attribute of part inventories
# keeps the key: your organization has to
# define that attribute in ION.
mutation CreatePartInventory($input: CreatePartInventoryInput!) {
  createPartInventory(input: $input) {
    partInventory {
      id
      entityId
      serialNumber
      lotNumber
      quantity
    }
  }
}
`,
    variables: `{
  "attribute": "External key",
  "key": "line-2/2026-11-30/0815",
  "input": { "partId": 1, "serialNumber": "SN-2026-0815", "quantity": 1 }
}`,
    prepare: `query PartInventoryWithKey($attribute: String!, $key: ScalarValue!) {
  partInventories(filters: { attributes: { key: { eq: $attribute }, value: { eq: $key } } }, first: 1) {
    edges {
      node {
        id
        entityId
        serialNumber
        lotNumber
        quantity
      }
    }
  }
}
`,
    prepareVariables: KEEP_KEY,
    alreadyDone:
      '{ "createPartInventory": { "partInventory": data.partInventories.edges[0].node } }',
    order: byKey('new part inventory'),
  },
  createRun: {
    query: `# Exactly once for each key, which must be a
# text. An attribute of runs keeps the key:
# your organization has to define that
# attribute in ION.
mutation CreateRun($input: CreateRunInput!) {
  createRun(input: $input) {
    run {
      id
      entityId
      title
      status
    }
  }
}
`,
    variables: `{
  "attribute": "External key",
  "key": "order-4711/1",
  "input": { "title": "Order 4711", "procedureId": 1, "partInventoryId": 1 }
}`,
    prepare: `query RunWithKey($attribute: String!, $key: ScalarValue!) {
  runs(filters: { attributes: { key: { eq: $attribute }, value: { eq: $key } } }, first: 1) {
    edges {
      node {
        id
        entityId
        title
        status
      }
    }
  }
}
`,
    prepareVariables: KEEP_KEY,
    alreadyDone: '{ "createRun": { "run": data.runs.edges[0].node } }',
    order: byKey('new run'),
  },
  createAbomInstallation: {
    query: `# Exactly once for each build requirement
# and part inventory.
mutation CreateAbomInstallation($buildRequirementId: ID!, $partInventoryId: ID!, $quantity: Float) {
  createAbomInstallation(
    input: { buildRequirementId: $buildRequirementId, partInventoryId: $partInventoryId, quantity: $quantity }
  ) {
    abomInstallation {
      id
      quantity
    }
  }
}
`,
    variables: '{ "buildRequirementId": 1, "partInventoryId": 2, "quantity": 1 }',
    prepare: `query AbomInstallation($buildRequirementId: ID!, $partInventoryId: ID!) {
  abomInstallation(buildRequirementId: $buildRequirementId, partInventoryId: $partInventoryId) {
    id
    quantity
  }
}
`,
    prepareVariables: '',
    alreadyDone: '{ "createAbomInstallation": { "abomInstallation": data.abomInstallation } }',
    order: {
      value: '"installation " & variables.buildRequirementId & "/" & variables.partInventoryId',
      type: 'jsonata',
    },
  },
} satisfies Record<string, WriteTemplate>;
