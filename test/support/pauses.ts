/** Makes retries follow at once: their pauses are random shares of the back-off, here zero. */
export function withoutPauses(): void {
  const { random } = Math;
  before(() => {
    Math.random = () => 0;
  });
  after(() => {
    Math.random = random;
  });
}
