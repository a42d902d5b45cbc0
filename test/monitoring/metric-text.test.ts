import assert from 'node:assert/strict';
import { Histogram } from '../../nodes/monitoring/histogram.js';
import { formatFor, type MetricFamily, metricText } from '../../nodes/monitoring/metric-text.js';

const counter: MetricFamily = {
  name: 'ion_test_total',
  type: 'counter',
  help: 'Things.',
  samples: [{ labels: { config: 'a' }, value: 3 }],
};

describe('the text of metrics', () => {
  it('describes each metric once, before its samples', () => {
    const samples = ['a', 'b'].map((config, value) => ({ labels: { config }, value }));
    assert.equal(
      metricText([{ ...counter, samples }], 'prometheus'),
      '# HELP ion_test_total Things.\n# TYPE ion_test_total counter\nion_test_total{config="a"} 0\nion_test_total{config="b"} 1\n',
    );
  });

  it('has no description without a sample', () => {
    assert.equal(metricText([{ ...counter, samples: [] }], 'prometheus'), '');
    assert.equal(metricText([], 'openmetrics'), '# EOF\n');
  });

  it('names a counter without its suffix, and has an end, as OpenMetrics', () => {
    assert.equal(
      metricText([counter], 'openmetrics'),
      '# HELP ion_test Things.\n# TYPE ion_test counter\nion_test_total{config="a"} 3\n# EOF\n',
    );
  });

  it('keeps each sample on its line, whatever a config node is called', () => {
    const samples = [{ labels: { config: 'Line "3"\\\nNord\u{d83d}', id: '' }, value: 1 }];
    const [, , line = '', ...others] = metricText([{ ...counter, samples }], 'prometheus').split(
      '\n',
    );
    assert.equal(line, 'ion_test_total{config="Line \\"3\\"\\\\\\nNord\ufffd",id=""} 1');
    assert.deepEqual(others, ['']);
  });

  it('writes numbers that Prometheus can read', () => {
    const values = [0, 0.1, 1e-7, 1e21, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const samples = values.map((value) => ({ labels: {}, value }));
    const lines = metricText([{ ...counter, samples }], 'prometheus')
      .trim()
      .split('\n')
      .slice(2);
    assert.deepEqual(
      lines.map((line) => line.split(' ')[1]),
      ['0', '0.1', '1e-7', '1e+21', '+Inf', '-Inf'],
    );
  });

  it('adds up the buckets of a histogram, with the same bounds in both formats', () => {
    const histogram = new Histogram([0.5, 1]);
    for (const value of [0.1, 0.5, 0.7, 1, 4]) histogram.observe(value);
    const samples = histogram.samples({ kind: 'query' });
    const family: MetricFamily = { name: 'ion_s', type: 'histogram', help: 'Time.', samples };
    const lines = [
      'ion_s_bucket{kind="query",le="0.5"} 2',
      'ion_s_bucket{kind="query",le="1.0"} 4',
      'ion_s_bucket{kind="query",le="+Inf"} 5',
      'ion_s_sum{kind="query"} 6.3',
      'ion_s_count{kind="query"} 5',
    ];
    for (const format of ['prometheus', 'openmetrics'] as const) {
      const text = metricText([family], format).split('\n');
      assert.deepEqual(text.slice(2, 7), lines);
    }
  });

  it('is that of OpenMetrics only for a program that asks for it', () => {
    const ofPrometheus =
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
    assert.equal(formatFor(ofPrometheus), 'openmetrics');
    for (const accept of [undefined, '*/*', 'text/plain']) {
      assert.equal(formatFor(accept), 'prometheus');
    }
  });
});
