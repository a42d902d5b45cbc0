import { ownOperation } from '../graphql/own-operation.js';

export const FIELD_MUTATION = ownOperation(
  `mutation UpdateRunStepFieldValue($input: UpdateRunStepFieldValueInput!) {
  updateRunStepFieldValue(input: $input) {
    runStepField {
      id
      ... on RunStepField @wished { name type value unit valid notApplicable runStepId _updated }
      _etag
    }
  }
}`,
);
