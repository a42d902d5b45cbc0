"""What the ION manual's page "Access Tokens" describes, in its own words: a token, then runs."""
import json
import os
from urllib.parse import urljoin

import requests

api_url = os.environ["ION_API_URL"]
token_path = "/realms/api-keys/protocol/openid-connect/token"

granted = requests.post(
    urljoin(os.environ["ION_AUTH_URL"], token_path),
    data={
        "grant_type": "client_credentials",
        "client_id": os.environ["ION_CLIENT_ID"],
        "client_secret": os.environ["ION_CLIENT_SECRET"],
        "audience": api_url,
    },
    headers={"content-type": "application/x-www-form-urlencoded"},
    timeout=10,
)
if granted.status_code != 200:
    raise SystemExit(f"No token: {granted.status_code} {granted.text}")

answer = requests.post(
    urljoin(api_url, "graphql"),
    headers={
        "Authorization": granted.json()["access_token"],
        "Content-Type": "application/json",
    },
    json={"query": "{ runs(first: 10) { edges { node { id title steps { id title } } } } }"},
    timeout=10,
)
print(json.dumps(answer.json()))
