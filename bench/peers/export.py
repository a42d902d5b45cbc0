"""Exports all runs page by page, like the script in ION's manual: requests, one call at a time.

    python3 export.py <url>

It prints the number of runs.
"""

import sys

import requests

QUERY = """query ($first: Int, $after: String) {
  runs(first: $first, after: $after) {
    edges { node { id title status steps { id title status } } }
    pageInfo { hasNextPage endCursor totalCount }
  }
}"""

url = sys.argv[1]
answer = requests.post(
    url + '/realms/api-keys/protocol/openid-connect/token',
    data={
        'grant_type': 'client_credentials',
        'client_id': 'bench',
        'client_secret': 'bench-secret',
        'audience': url,
    },
)
headers = {'Authorization': answer.json()['access_token']}
runs = []
after = None
while True:
    answer = requests.post(
        url + '/graphql',
        headers=headers,
        json={'query': QUERY, 'variables': {'first': 100, 'after': after}},
    )
    page = answer.json()['data']['runs']
    runs.extend(edge['node'] for edge in page['edges'])
    if not page['pageInfo']['hasNextPage']:
        break
    after = page['pageInfo']['endCursor']
print(len(runs))
