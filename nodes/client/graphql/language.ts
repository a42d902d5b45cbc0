import type { ASTNode, ASTVisitor } from 'graphql';
import type * as GraphqlLanguage from 'graphql/language';

type Library = typeof GraphqlLanguage;

let library: Library | undefined;

/** Loaded on first use, because its many files take a good part of Node-RED's start. */
function loaded(): Library {
  library ??= require('graphql/language') as Library;
  return library;
}

export const parse: Library['parse'] = (source, options) => loaded().parse(source, options);

export const print: Library['print'] = (node) => loaded().print(node);

export const visit = ((root: ASTNode, visitor: ASTVisitor) =>
  loaded().visit(root, visitor)) as Library['visit'];

const kinds = {
  ARGUMENT: 'Argument',
  DOCUMENT: 'Document',
  ENUM: 'EnumValue',
  FIELD: 'Field',
  FLOAT: 'FloatValue',
  FRAGMENT_DEFINITION: 'FragmentDefinition',
  INLINE_FRAGMENT: 'InlineFragment',
  INT: 'IntValue',
  LIST: 'ListValue',
  LIST_TYPE: 'ListType',
  NAME: 'Name',
  NAMED_TYPE: 'NamedType',
  OBJECT: 'ObjectValue',
  OPERATION_DEFINITION: 'OperationDefinition',
  SELECTION_SET: 'SelectionSet',
  STRING: 'StringValue',
  VARIABLE: 'Variable',
  VARIABLE_DEFINITION: 'VariableDefinition',
};

/** The kinds of GraphQL's syntax that this package reads and writes, as the library names them. */
export const Kind = kinds as unknown as Pick<Library['Kind'], keyof typeof kinds>;
