import { type DocumentNode, GraphQLError, visit } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Control } from '../faults/control.js';
import type { ApiContext } from './context.js';

/**
 * Refuses introspection while the setting says so, as graphene does: `__typename` as well.
 * Not a validation rule, because Yoga keeps the results of validation.
 */
export function introspectionSwitch({ settings }: Control): Plugin<ApiContext> {
  return {
    onExecute({ args, setResultAndStopExecution }) {
      if (settings.introspection) return;
      const errors = refusals(args.document);
      if (errors.length > 0) setResultAndStopExecution({ errors });
    },
  };
}

function refusals(document: DocumentNode): GraphQLError[] {
  const errors: GraphQLError[] = [];
  visit(document, {
    Field(node) {
      const { value: name } = node.name;
      if (!name.startsWith('__')) return;
      const message = `Cannot query '${name}': introspection is disabled.`;
      errors.push(new GraphQLError(message, { nodes: node }));
    },
  });
  return errors;
}
