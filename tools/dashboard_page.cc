#include "tools/dashboard_page.h"

namespace tools {

const char kDashboardPage[] = R"~page~(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>cachefs</title>
<style>
:root { color-scheme: light dark; --ink: #1f2328; --dim: #656d76; --line: #d0d7de; --back: #fff; --panel: #f6f8fa; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --dim: #8d96a0; --line: #30363d; --back: #0d1117; --panel: #161b22; }
}
body { margin: 0 auto; max-width: 72rem; padding: 1rem; font: 14px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--back); }
header { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: baseline; }
h1 { font-size: 1.25rem; margin: 0; }
h2 { font-size: .95rem; margin: 0 0 .25rem; }
.dim { color: var(--dim); }
#charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1rem; margin: 1rem 0; }
section { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .75rem; margin-bottom: 1rem; overflow-x: auto; }
#charts section { margin: 0; }
svg { display: block; width: 100%; height: 7rem; }
polyline { fill: none; stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.key { display: inline-block; margin-right: 1rem; }
.key i { display: inline-block; width: .7rem; height: .2rem; margin-right: .3rem; vertical-align: middle; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .15rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
.bar { height: .6rem; background: var(--line); border-radius: 3px; overflow: hidden; display: flex; }
.bar b { display: block; height: 100%; }
#failure { color: #c0392b; }
</style>
</head>
<body data-samples="0">
<header><h1 id="mount">cachefs</h1><span class="dim" id="about"></span><span id="failure" role="alert"></span></header>
<main>
<div id="charts"></div>
<section><h2>Device <a class="dim" href="map.svg">map</a></h2><div class="bar" id="chunks"></div><p class="dim" id="space"></p></section>
<section><h2>Policies</h2><table id="policies"></table></section>
<section><h2>Requests</h2><table id="requests"></table></section>
</main>
<noscript>The charts need JavaScript; <a href="metrics">the numbers</a> do not.</noscript>
<script>
'use strict';
const kSamplesMax = 180, kIntervalMs = 1000;
const kColours = ['#2f6fde', '#2e8b57', '#c2571a', '#8e63ce'];
const kChunkColours = {free: 'transparent', meta: '#8e63ce', pack: '#2e8b57', extent: '#3b78c3', bad: '#c0392b'};
const byId = (id) => document.getElementById(id);
const number = (value) => Number(value || 0);
const size = (bytes) => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  while (bytes >= 1024 && i < units.length - 1) { bytes /= 1024; ++i; }
  return bytes.toFixed(i ? 1 : 0) + ' ' + units[i];
};
const time = (s) => s <= 0 ? '-' : s < 1e-3 ? (s * 1e6).toFixed(0) + ' us' : s < 1 ? (s * 1e3).toFixed(1) + ' ms' : s.toFixed(2) + ' s';
const count = (value) => Math.round(value).toLocaleString('en-US');
const percent = (value) => value == null ? '-' : (value * 100).toFixed(1) + ' %';
const charts = [
  {title: 'Requests', unit: (v) => count(v) + '/s', lines: ['requests'], get: (d) => [d.requests]},
  {title: 'Bytes', unit: (v) => size(v) + '/s', lines: ['written', 'to device', 'from device'], get: (d) => [d.user, d.device, d.read]},
  {title: 'Latency of requests', unit: time, lines: ['p50', 'p99'], get: (d) => [d.p50, d.p99]},
  {title: 'Hits', unit: percent, top: 1, lines: ['write buffer', 'blocks'], get: (d) => [d.buffer, d.blocks]},
];
const history = [];
let last = null;

function element(tag, text, parent) {
  const e = document.createElement(tag);
  if (text != null) e.textContent = text;
  if (parent) parent.append(e);
  return e;
}
function svgElement(tag, attributes, parent) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const name in attributes) e.setAttribute(name, attributes[name]);
  parent.append(e);
  return e;
}
for (const chart of charts) {
  const section = element('section', null, byId('charts'));
  element('h2', chart.title, section);
  chart.svg = svgElement('svg', {viewBox: '0 0 ' + (kSamplesMax - 1) + ' 100', preserveAspectRatio: 'none', role: 'img', 'aria-label': chart.title}, section);
  chart.paths = chart.lines.map((_, i) => svgElement('polyline', {stroke: kColours[i]}, chart.svg));
  const keys = element('div', null, section);
  chart.keys = chart.lines.map((name, i) => {
    const key = element('span', null, keys);
    key.className = 'key';
    element('i', null, key).style.background = kColours[i];
    return element('span', name, key);
  });
}

function percentile(buckets, share) {
  let all = 0, below = 0;
  for (const n of buckets) all += n;
  for (let i = 0; i < buckets.length && all > 0; ++i) {
    below += buckets[i];
    if (below >= share * all) return Math.pow(2, i + 1) * 1e-9;
  }
  return 0;
}
function ratio(name, now, then) {
  const a = then.caches[name], b = now.caches[name];
  if (!a || !b) return null;
  const lookups = number(b.lookups) - number(a.lookups);
  return lookups > 0 ? (number(b.hits) - number(a.hits)) / lookups : null;
}
function difference(now, then) {
  const seconds = now.uptime_seconds - then.uptime_seconds;
  if (!(seconds > 0)) return null;
  const rate = (get) => Math.max(0, number(get(now)) - number(get(then))) / seconds;
  const buckets = [], operations = {};
  let requests = 0;
  for (const name in now.operations) {
    const b = now.operations[name], a = then.operations[name] || {latency: {}};
    const own = (b.latency && b.latency.buckets || []).map((n, i) => number(n) - number((a.latency && a.latency.buckets || [])[i]));
    own.forEach((n, i) => { buckets[i] = (buckets[i] || 0) + n; });
    const each = (number(b.count) - number(a.count)) / seconds;
    requests += each;
    operations[name] = {rate: each, p50: percentile(own, .5), p99: percentile(own, .99)};
  }
  return {requests, operations, p50: percentile(buckets, .5), p99: percentile(buckets, .99),
    user: rate((s) => s.writes.user_bytes), device: rate((s) => s.writes.device_bytes),
    read: rate((s) => s.engine.device_read_bytes_total),
    buffer: ratio('write_buffer', now, then), blocks: ratio('blocks', now, then)};
}
function drawCharts() {
  for (const chart of charts) {
    const rows = history.map(chart.get);
    const top = chart.top || Math.max(1e-9, ...rows.flat().map(number)) * 1.1;
    chart.paths.forEach((path, i) => {
      const from = kSamplesMax - rows.length;
      path.setAttribute('points', rows.map((row, x) => (from + x) + ',' + (100 - 98 * number(row[i]) / top).toFixed(2)).join(' '));
      chart.keys[i].textContent = chart.lines[i] + ' ' + (rows.length ? chart.unit(rows[rows.length - 1][i]) : '-');
    });
  }
}
function drawTable(id, head, rows) {
  const table = byId(id);
  table.replaceChildren();
  const titles = element('tr', null, element('thead', null, table));
  for (const title of head) element('th', title, titles).scope = 'col';
  const body = element('tbody', null, table);
  for (const row of rows) {
    const line = element('tr', null, body);
    for (const cell of row) element('td', cell, line);
  }
}
function drawState(now, delta) {
  byId('mount').textContent = now.mount_point;
  byId('about').textContent = now.store + ', version ' + now.version + ', up ' + count(now.uptime_seconds) + ' s' + (now.read_only ? ', read-only' : '');
  const chunks = byId('chunks');
  chunks.replaceChildren();
  let total = 0;
  for (const type in now.chunks) total += number(now.chunks[type].bytes);
  for (const type in now.chunks) {
    const part = element('b', null, chunks);
    part.style.width = (100 * number(now.chunks[type].bytes) / total) + '%';
    part.style.background = kChunkColours[type];
    part.title = type + ': ' + count(number(now.chunks[type].count)) + ' chunks, ' + size(number(now.chunks[type].used_bytes)) + ' in use';
  }
  const space = now.space;
  byId('space').textContent = size(number(space.total_bytes) - number(space.free_bytes)) + ' of ' + size(number(space.total_bytes)) + ' used, ' +
    count(number(space.files)) + ' files; log ' + size(number(now.log.used_bytes)) + ' of ' + size(number(now.log.size_bytes)) +
    '; write amplification ' + number(now.writes.write_amplification).toFixed(2) + '; evicted ' + count(number(now.evictions.files));
  drawTable('policies', ['directory', 'kind', 'used', 'quota', 'files', 'hits', 'evicted'], (now.policies || []).map((p) => [
    p.directory, p.kind, size(number(p.bytes)), number(p.quota_bytes) ? size(number(p.quota_bytes)) : '-', count(number(p.files)),
    number(p.lookups) ? percent(p.hit_ratio) : '-', count(number(p.evicted_files))]));
  const names = Object.keys(now.operations).sort((a, b) => number(now.operations[b].count) - number(now.operations[a].count));
  drawTable('requests', ['request', 'now', 'p50 now', 'p99 now', 'since mount', 'p50', 'p99', 'p99.9', 'errors'], names.map((name) => {
    const o = now.operations[name], d = delta && delta.operations[name] || {rate: 0, p50: 0, p99: 0}, l = o.latency || {};
    return [name, count(d.rate) + '/s', time(d.p50), time(d.p99), count(number(o.count)), time(number(l.p50_seconds)),
      time(number(l.p99_seconds)), time(number(l.p999_seconds)), count(number(o.errors))];
  }));
}
function fail(message) { byId('failure').textContent = message; }
async function look() {
  try {
    const response = await fetch('stats.json');
    if (!response.ok) return fail(await response.text());
    const now = await response.json();
    const delta = last && difference(now, last);
    if (delta) history.push(delta);
    if (history.length > kSamplesMax) history.shift();
    last = now;
    byId('failure').textContent = '';
    drawCharts();
    drawState(now, delta);
    document.body.dataset.samples = history.length;
  } catch (error) {
    fail(String(error.message || error));
  } finally {
    setTimeout(look, kIntervalMs);
  }
}
look();
</script>
</body>
</html>
)~page~";

}  // namespace tools
