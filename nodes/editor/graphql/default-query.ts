/** The query of a new node. */
export const defaultQuery = `query {
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
`;
