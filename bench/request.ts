/** The request of all peers: its response has about 2.7 kB, the token 900 bytes. */
export const QUERY =
  'query ($first: Int) { runs(first: $first) { edges { node { id title status steps { id title status } } } } }';
export const REQUEST = { query: QUERY, variables: { first: 12 } };
export const TOKEN = 'x'.repeat(900);
export const HEADERS = { authorization: TOKEN, 'content-type': 'application/json' };
export const KEY = { clientId: 'bench', clientSecret: 'bench-secret' };
