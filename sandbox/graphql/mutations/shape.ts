import {
  type GraphQLField,
  type GraphQLInputField,
  getNamedType,
  isInputObjectType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import type { Row } from '../../data/model.js';
import type { ApiContext } from '../context.js';
import { checkEtag } from './common.js';

export type Field = GraphQLField<unknown, unknown>;
export type Input = Record<string, unknown>;

/** The members of the response. */
export function payload(field: Field): Field[] {
  const type = getNamedType(field.type);
  return isObjectType(type) ? Object.values(type.getFields()) : [];
}

/** The members of what a mutation takes, as `input` or as plain arguments. */
export function inputFields(field: Field): Record<string, Pick<GraphQLInputField, 'type'>> {
  const input = field.args.find(({ name }) => /^(i|deleteI)nput$/.test(name));
  const type = input && getNamedType(input.type);
  if (isInputObjectType(type) && field.args.length === 1) return type.getFields();
  return Object.fromEntries(field.args.map((argument) => [argument.name, argument]));
}

export function given(args: Input): Input {
  const { input, deleteInput, ...plain } = args;
  return { ...((input ?? deleteInput) as Input | undefined), ...plain };
}

/** The members of an input that say which row is meant. */
export function keysOf(fields: Record<string, Pick<GraphQLInputField, 'type'>>): string[] {
  if ('id' in fields) return ['id'];
  return Object.keys(fields).filter((name) => name !== 'etag' && isNonNullType(fields[name]?.type));
}

/** The row that an input means, in the state that its etag names. */
export function rowOf(
  type: string,
  keys: readonly string[],
  input: Input,
  { store }: ApiContext,
): Row {
  const row = findByKeys(type, keys, input, store);
  if (!row) {
    const which = keys.map((key) => `${key} ${input[key]}`).join(' and ');
    throw new Error(`${type} with ${which} was not found.`);
  }
  if ('etag' in input) checkEtag(row, String(input.etag));
  return row;
}

/** The row whose columns have the values of some arguments. */
export function findByKeys(
  type: string,
  keys: readonly string[],
  values: Input,
  store: ApiContext['store'],
): Row | undefined {
  if (keys.length === 1 && keys[0] === 'id') return store.table(type).get(Number(values.id));
  return store.table(type).find((row) =>
    keys.every((key) => {
      const columns = row as unknown as Input;
      // The query for a role of a disposition type has a shorter name for one column.
      const name = key in columns || key !== 'gateType' ? key : 'issueApprovalGateType';
      return String(columns[name]) === String(values[key]);
    }),
  );
}
