import { defaultQuery } from './default-query.js';

export interface QueryTemplate {
  query: string;
  /** An example of the variables, as JSON. */
  variables?: string;
}

/** Queries to start from, by the key of their name in the catalogue. */
export const queryTemplates = {
  runs: { query: defaultQuery },
  openRuns: {
    query: `query OpenRuns {
  runs(filters: { status: { in: [TODO, IN_PROGRESS] } }, sort: [_UPDATED_DESC], first: 100) {
    edges {
      node {
        id
        title
        status
        percentComplete
        partInventory {
          serialNumber
          part {
            partNumber
          }
        }
      }
    }
  }
}
`,
  },
  run: {
    query: `query Run($id: ID!) {
  run(id: $id) {
    id
    title
    status
    _etag
    steps {
      id
      title
      status
      _etag
      fields {
        id
        name
        type
        value
        _etag
      }
    }
  }
}
`,
    variables: '{ "id": 1 }',
  },
  procedures: {
    query: `query Procedures {
  procedures {
    edges {
      node {
        id
        title
        status
      }
    }
  }
}
`,
  },
  parts: {
    query: `query Parts {
  parts(first: 100) {
    edges {
      node {
        id
        partNumber
        description
        revision
      }
    }
  }
}
`,
  },
  fieldValue: {
    query: `mutation RecordValue($input: UpdateRunStepFieldValueInput!) {
  updateRunStepFieldValue(input: $input) {
    runStepField {
      id
      name
      value
      _etag
    }
  }
}
`,
    variables: '{ "input": { "id": 1, "etag": "_etag of the field", "value": 12.5 } }',
  },
  stepStatus: {
    query: `mutation StepStatus($input: UpdateRunStepInput!) {
  updateRunStep(input: $input) {
    runStep {
      id
      title
      status
      _etag
    }
  }
}
`,
    variables: '{ "input": { "id": 1, "etag": "_etag of the step", "status": "IN_PROGRESS" } }',
  },
  updateRun: {
    query: `mutation UpdateRun($input: UpdateRunInput!) {
  updateRun(input: $input) {
    run {
      id
      title
      status
      _etag
    }
  }
}
`,
    variables: '{ "input": { "id": 1, "etag": "_etag of the run", "title": "A new title" } }',
  },
  me: {
    query: `query WhoAmI {
  me {
    id
    name
    email
    organization {
      id
      domain
    }
  }
}
`,
  },
} satisfies Record<string, QueryTemplate>;
