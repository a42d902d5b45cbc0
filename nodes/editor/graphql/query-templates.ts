/** Queries to start from, by the key of their name in the catalogue. */
export const queryTemplates = {
  runs: `query {
  runs(first: 10) {
    edges {
      node {
        id
        title
        status
        steps {
          id
          title
          status
        }
      }
    }
  }
}
`,
  openRuns: `query OpenRuns {
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
  run: `query Run($id: ID!) {
  run(id: $id) {
    id
    title
    status
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
  procedures: `query Procedures {
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
  fieldValue: `mutation RecordValue($input: UpdateRunStepFieldValueInput!) {
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
  stepStatus: `mutation StepStatus($input: UpdateRunStepInput!) {
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
  me: `query WhoAmI {
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
} as const;
