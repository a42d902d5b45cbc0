/** Whether two URLs are the same once they are normalized: ION may have rewritten one of them. */
export function isSameUri(one: string, other: string): boolean {
  return normalizedUrl(one) === normalizedUrl(other);
}

function normalizedUrl(uri: string): string {
  return URL.canParse(uri) ? new URL(uri).href : uri;
}
