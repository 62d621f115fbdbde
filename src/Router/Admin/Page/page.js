'use strict';
// Whatever comes from the router is inserted as text, never as HTML: peers choose much of it.

const byId = id => document.getElementById(id);
const pageSize = 20, samplesMax = 120, eventsMax = 300;
const levels = ['trace', 'debug', 'info', 'warning', 'error', 'critical'];

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

// ---- numbers for people

function scaled(value, step, units, digits) {
  let unit = 0;
  while (value >= step && unit < units.length - 1) { value /= step; unit++; }
  return value.toFixed(unit === 0 || value >= 100 ? (unit === 0 ? digits : 0) : 1) + units[unit];
}
const count = value => scaled(value, 1000, ['', 'k', 'M', 'G', 'T'], 0);
const perSecond = value => scaled(value, 1000, ['', 'k', 'M', 'G', 'T'], value > 0 && value < 10 ? 1 : 0);
const bytes = value => scaled(value, 1024, [' B', ' KiB', ' MiB', ' GiB', ' TiB'], 0);
function time(ms) {
  const s = ms / 1000;
  if (s < 1) return Math.round(ms) + 'ms';
  if (s < 60) return s.toFixed(1) + 's';
  if (s < 3600) return Math.floor(s / 60) + 'm' + String(Math.floor(s % 60)).padStart(2, '0') + 's';
  if (s < 86400) return Math.floor(s / 3600) + 'h' + String(Math.floor(s % 3600 / 60)).padStart(2, '0') + 'm';
  return Math.floor(s / 86400) + 'd' + String(Math.floor(s % 86400 / 3600)).padStart(2, '0') + 'h';
}

// ---- asking the endpoint

let token = sessionStorage.getItem('router-token');

async function ask(path, options = {}) {
  const headers = { Accept: 'application/json', ...options.headers };
  if (token) headers.Authorization = 'Bearer ' + token;
  const answer = await fetch(path, { ...options, headers, cache: 'no-store' });
  if (answer.status === 401) {
    wantToken(token !== null);
    throw new Error('a token is wanted');
  }
  return answer;
}

async function askJson(path, options) {
  const answer = await ask(path, options);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail || body.title || 'HTTP ' + answer.status);
  return body;
}

function wantToken(wasWrong) {
  stop();
  sessionStorage.removeItem('router-token');
  token = null;
  if (wasWrong) byId('token-note').textContent = 'The token is not the one of router.admin.token.';
  if (!byId('token-dialog').open) byId('token-dialog').showModal();
}

byId('token-dialog').addEventListener('cancel', event => event.preventDefault());
byId('token-form').addEventListener('submit', () => {
  token = byId('token').value;
  byId('token').value = '';
  sessionStorage.setItem('router-token', token);
  start();
});

// ---- streams; by fetch, for EventSource sends no token

let running = null;

function start() {
  if (running || document.hidden || byId('token-dialog').open && !token) return;
  running = new AbortController();
  const end = running.signal;
  follow('/stats/stream', end, showStats);
  follow('/events?last=100', end, addEvent, clearEvents);
  repeat(2000, end, showSessions);
  repeat(5000, end, showUpstreams);
  repeat(5000, end, showCluster);
}

function stop() {
  if (running) running.abort();
  running = null;
}

const pause = (ms, end) => new Promise(done => {
  const timer = setTimeout(done, ms);
  end.addEventListener('abort', () => { clearTimeout(timer); done(); });
});

async function follow(path, end, take, begin) {
  for (let wait = 1000; !end.aborted; wait = Math.min(wait * 2, 10000)) {
    try {
      const answer = await ask(path, { signal: end, headers: { Accept: 'text/event-stream' } });
      if (!answer.ok) throw new Error('HTTP ' + answer.status);
      if (begin) begin();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        text += value;
        for (let at; (at = text.indexOf('\n\n')) >= 0; text = text.slice(at + 2)) {
          if (text.startsWith('data: ')) take(JSON.parse(text.slice(6, at)));
        }
        wait = 1000;
        showLink('live', 'good');
      }
    } catch (failure) {
      if (end.aborted) return;
    }
    showLink('not connected, trying again', 'bad');
    await pause(wait, end);
  }
}

// Asks again some time after the answer, longer where the answer takes long.
async function repeat(everyMs, end, show) {
  while (!end.aborted) {
    const began = performance.now();
    await show(end).catch(() => {});
    await pause(Math.max(everyMs, 3 * (performance.now() - began)), end);
  }
}

function showLink(text, className) {
  const badge = byId('link');
  if (badge.textContent !== text) badge.textContent = text;
  badge.className = 'badge ' + className;
}

document.addEventListener('visibilitychange', () => document.hidden ? stop() : start());

// ---- live figures

const tiles = [
  { name: 'Sessions', of: now => now.total.sessions, text: count },
  { name: 'Opened', of: now => now.rate('opened'), text: perSecond, unit: '/s' },
  { name: 'Payloads in', of: now => now.rate('payloads-in'), text: perSecond, unit: '/s',
    more: now => bytes(now.rate('bytes-in')) + '/s' },
  { name: 'Payloads out', of: now => now.rate('payloads-out'), text: perSecond, unit: '/s',
    more: now => bytes(now.rate('bytes-out')) + '/s' },
  { name: 'Drops', of: now => now.rate('drops'), text: perSecond, unit: '/s', more: now => count(now.total.drops) },
  { name: 'Loop lag', of: now => Math.max(0, ...now.loops.map(loop => loop['lag-us'] ?? 1e6)),
    text: value => value < 1000 ? value + ' µs' : time(value / 1000) },
];

for (const tile of tiles) {
  const box = element('div', undefined, 'tile');
  tile.value = element('p', '-');
  tile.values = [];
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 ' + (samplesMax - 1) + ' 30');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  tile.area = svg.appendChild(document.createElementNS(svg.namespaceURI, 'polygon'));
  tile.line = svg.appendChild(document.createElementNS(svg.namespaceURI, 'polyline'));
  box.append(element('h3', tile.name), tile.value, svg);
  byId('tiles').append(box);
}

function draw(tile, now) {
  tile.values.push(tile.of(now));
  if (tile.values.length > samplesMax) tile.values.shift();
  const max = Math.max(...tile.values, 1e-9), from = samplesMax - tile.values.length;
  const points = tile.values.map((value, at) => (from + at) + ',' + (28 - 26 * value / max).toFixed(1));
  tile.line.setAttribute('points', points.join(' '));
  tile.area.setAttribute('points', from + ',30 ' + points.join(' ') + ' ' + (samplesMax - 1) + ',30');
  tile.value.textContent = tile.text(tile.values.at(-1)) + (tile.unit || '');
  if (tile.more) tile.value.append(' ', element('small', tile.more(now)));
}

let before = null;

function showStats(now) {
  const seconds = before ? (now['uptime-ms'] - before['uptime-ms']) / 1000 : 0;
  const rateOf = (part, was) => key => seconds > 0 && was ? Math.max(0, part[key] - was[key]) / seconds : 0;
  now.rate = rateOf(now.total, before && before.total);
  byId('version').textContent = now.version;
  byId('state').textContent = now.state;
  byId('state').className = 'badge ' + (now.state === 'running' ? 'good' : 'warn');
  byId('uptime').textContent = time(now['uptime-ms']);
  byId('revision').textContent = now.revision;
  byId('memory').textContent = bytes(now.process['memory-bytes']);
  if (seconds > 0) {
    const used = (now.process['cpu-ms'] - before.process['cpu-ms']) / seconds / 10;
    byId('cpu').textContent = Math.max(0, used).toFixed(0) + ' %';
  }
  if (seconds > 0 || !before) tiles.forEach(tile => draw(tile, now));
  for (const [table, parts] of [['listener-table', 'listeners'], ['route-table', 'routes']]) {
    fill(table, now[parts].map(part => {
      const rate = rateOf(part, before && before[parts].find(other => other.name === part.name));
      return [part.name, n(count(part.sessions)), n(perSecond(rate('payloads-in'))),
        n(perSecond(rate('payloads-out'))), n(count(part.drops))];
    }));
  }
  const reasons = Object.entries(now.total['drop-reasons']).sort((a, b) => b[1] - a[1]);
  const were = before && before.total['drop-reasons'];
  fill('drop-table', reasons.map(([reason, drops]) =>
    [reason, n(count(drops)), n(perSecond(seconds > 0 ? (drops - (were[reason] || 0)) / seconds : 0))]));
  const isNew = byId('cluster').hidden && now.cluster;
  byId('cluster').hidden = !now.cluster;
  if (isNew && running) showCluster(running.signal).catch(() => {});
  if (now.cluster) {
    const own = now.cluster;
    byId('cluster-facts').textContent = own.address + ' is ' + own.status + '; ' + own.members + ' members, '
      + own.unreachable + ' unreachable; ' + (own.fenced ? 'fenced; ' : '') + own.attached + ' identities attached';
  }
  before = now;
}

const n = text => ({ text, className: 'n' });

function fill(id, rows) {
  const body = byId(id).tBodies[0];
  if (rows.length === 0) {
    const cell = element('td', 'none', 'none');
    cell.colSpan = 9;
    body.replaceChildren(element('tr'));
    body.rows[0].append(cell);
    return;
  }
  body.replaceChildren(...rows.map(cells => {
    const row = element('tr');
    row.append(...cells.map(cell => cell instanceof Object ? element('td', cell.text, cell.className)
      : element('td', cell)));
    return row;
  }));
}

async function showUpstreams(end) {
  const { groups } = await askJson('/upstreams', { signal: end });
  const classes = { up: 'good', failed: 'bad', draining: 'warn', disabled: 'warn' };
  const signs = { up: '● ', failed: '✖ ', draining: '◐ ', disabled: '○ ' };
  fill('upstream-table', groups.flatMap(group => group.upstreams.map(one =>
    [one.upstream, group.route, { text: (signs[one.state] || '') + one.state, className: classes[one.state] },
      n(one.weight), n(count(one.sessions))])));
}

let hasMembers = true;

async function showCluster(end) {
  if (!hasMembers || byId('cluster').hidden) return;
  const answer = await ask('/cluster', { signal: end });
  if (!answer.ok) {
    hasMembers = answer.status !== 404;
    return;
  }
  const { members } = await answer.json();
  fill('member-table', members.map(member => {
    const facts = member.facts;
    const isWell = member.reachable && member.status === 'up' && (!facts || facts.ready);
    const words = [(isWell ? '● ' : '✖ ') + member.status, member.reachable ? '' : 'unreachable',
      member.leader ? 'leader' : '', member.oldest ? 'oldest' : '', ...(facts ? facts.reasons : [])];
    return [member.address, { text: words.filter(Boolean).join(', '), className: isWell ? 'good' : 'bad' },
      n(facts ? count(facts.sessions) : '-'), n(facts ? count(facts.identities) : '-'),
      facts ? facts.revision + (facts['configuration-differs'] ? ', differs in ' + facts['configuration-differs'] : '')
        : '-'];
  }));
}

// ---- sessions

const fields = { listener: 'listener', route: 'route', peer: 'peer', upstream: 'upstream', identity: 'identity',
  age: 'min-age', idle: 'min-idle', bytes: 'min-bytes' };
let rows = [], selected = null, cursor = null, next = null;

function queryOf(text) {
  const query = new URLSearchParams({ limit: pageSize, sort: byId('sort').value });
  for (const word of text.trim().split(/\s+/).filter(Boolean)) {
    const colon = word.indexOf(':');
    const field = colon > 0 ? fields[word.slice(0, colon)] : undefined;
    query.set(field || 'peer', field ? word.slice(colon + 1) : word);
  }
  return query;
}

async function showSessions(end) {
  if (cursor) return;   // that page would be another one
  await loadSessions(end);
}

async function loadSessions(end) {
  const query = cursor ? new URLSearchParams({ limit: pageSize, cursor }) : queryOf(byId('query').value);
  const asked = query.toString();
  let page;
  try {
    page = await askJson('/sessions?' + query, { signal: end });
  } catch (failure) {
    if (!end || !end.aborted) byId('session-count').textContent = failure.message;
    return;
  }
  const current = cursor ? new URLSearchParams({ limit: pageSize, cursor }) : queryOf(byId('query').value);
  if (asked !== current.toString()) return;   // an answer to a question of before
  next = page.next || null;
  rows = page.sessions;
  byId('next').disabled = !next;
  byId('first').disabled = !cursor;
  byId('session-count').textContent = rows.length === page.matched
    ? count(page.matched) + (page.matched === 1 ? ' session' : ' sessions')
    : rows.length + ' of ' + count(page.matched) + ' sessions';
  fill('session-table', rows.map(one => [one.peer, one.listener, { text: one.route, className: 'wide' },
    { text: one.upstream ?? '-', className: 'wide' }, n(time(one['age-ms'])),
    { text: time(one['idle-ms']), className: 'n wide' }, n(bytes(one['bytes-in'])), n(bytes(one['bytes-out'])),
    { text: one['bytes-per-second'] == null ? '-' : bytes(one['bytes-per-second']) + '/s', className: 'n wide' },
    { text: count(one.drops), className: 'n wide' }]));
  const body = byId('session-table').tBodies[0];
  const focused = document.activeElement === document.body || body.contains(document.activeElement);
  rows.forEach((one, at) => {
    const row = body.rows[at];
    row.tabIndex = 0;
    row.dataset.id = one.session;
    row.addEventListener('focus', () => select(one.session, false));
    row.addEventListener('click', () => open(one.session));
  });
  select(selected, focused && selected !== null && byId('session-dialog').open === false);
}

function select(id, focus) {
  selected = rows.some(one => one.session === id) ? id : null;
  for (const row of byId('session-table').tBodies[0].rows) {
    const isIt = selected !== null && row.dataset.id === selected;
    row.setAttribute('aria-selected', isIt);
    if (isIt && focus && document.activeElement !== row) row.focus({ preventScroll: false });
  }
}

function move(by) {
  if (rows.length === 0) return;
  const at = rows.findIndex(one => one.session === selected);
  select(rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by))].session, true);
}

function search() {
  cursor = null;
  const text = byId('query').value.trim();
  if (/^[0-9a-f]{32}$/.test(text)) open(text);
  else loadSessions();
}

byId('search').addEventListener('submit', event => { event.preventDefault(); search(); });
byId('sort').addEventListener('change', search);
byId('query').addEventListener('search', search);
byId('first').addEventListener('click', () => { cursor = null; loadSessions(); });
byId('next').addEventListener('click', () => { if (next) { cursor = next; loadSessions(); } });

// ---- one session

let opened = null, isConfirming = false;

async function open(id, confirm = false) {
  opened = id;
  byId('session-title').textContent = 'Session ' + id;
  byId('session-facts').replaceChildren();
  ready(false);
  if (!byId('session-dialog').open) byId('session-dialog').showModal();
  try {
    const facts = await askJson('/sessions/' + encodeURIComponent(id));
    for (const [name, value] of flat(facts)) {
      byId('session-facts').append(element('dt', name), element('dd', value));
    }
    ready(true);
    if (confirm) confirmClose();
  } catch (failure) {
    byId('session-note').textContent = failure.message;
  }
}

function ready(isOpen) {
  isConfirming = false;
  byId('session-note').textContent = '';
  byId('session-close').disabled = !isOpen;
  byId('session-close').textContent = 'Close the session';
}

function* flat(facts, prefix = '') {
  for (const [name, value] of Object.entries(facts)) {
    if (value === null) yield [prefix + name, '-'];
    else if (Array.isArray(value)) yield [prefix + name, value.join(' ') || '-'];
    else if (typeof value === 'object') yield* flat(value, name === 'session' ? prefix : prefix + name + ' ');
    else yield [prefix + name, name.endsWith('-ms') ? value + ' (' + time(value) + ')' : String(value)];
  }
}

function confirmClose() {
  isConfirming = true;
  byId('session-note').textContent = 'What is unsent is sent first. A UDP peer that goes on begins another session.';
  byId('session-close').textContent = 'Yes, close it';
  byId('session-close').focus();
}

async function close() {
  if (!isConfirming) return confirmClose();
  byId('session-close').disabled = true;
  try {
    await askJson('/sessions/' + encodeURIComponent(opened) + '/close', { method: 'POST' });
    byId('session-note').textContent = 'The session is closed.';
    loadSessions();
  } catch (failure) {
    byId('session-note').textContent = failure.message;
  }
}

byId('session-close').addEventListener('click', close);
byId('session-back').addEventListener('click', () => byId('session-dialog').close());
byId('session-dialog').addEventListener('close', () => select(opened, true));

// ---- events

let events = [], held = [];

function clearEvents() {
  events = [];
  held = [];
  byId('event-list').replaceChildren();
}

function isShown(event) {
  const wanted = byId('event-text').value.trim().toLowerCase();
  return levels.indexOf(event.level) >= Number(byId('level').value)
    && (wanted === '' || JSON.stringify(event).toLowerCase().includes(wanted));
}

function addEvent(event) {
  if (byId('pause').getAttribute('aria-pressed') === 'true') {
    held.push(event);
    if (held.length > eventsMax) held.shift();
    return;
  }
  events.push(event);
  if (events.length > eventsMax) events.shift();
  if (!isShown(event)) return;
  byId('event-list').prepend(lineOf(event));
  if (byId('event-list').children.length > eventsMax) byId('event-list').lastChild.remove();
}

function lineOf(event) {
  const line = element('li'), at = element('time', event.time.slice(11, 23));
  const signs = { warning: '▲ ', error: '✖ ', critical: '✖ ' }, classes = { warning: 'warn', error: 'bad', critical: 'bad' };
  at.dateTime = event.time;
  at.title = event.time;
  line.append(at, element('span', (signs[event.level] || '') + event.level, 'level ' + (classes[event.level] || 'dim')),
    element('b', event.event));
  for (const [key, value] of Object.entries(event)) {
    if (key === 'time' || key === 'level' || key === 'event' || value === null) continue;
    line.append(' ', element('span', key + '=', 'key'), String(value));
  }
  return line;
}

function showEvents() {
  byId('event-list').replaceChildren(...events.filter(isShown).reverse().map(lineOf));
}

byId('level').addEventListener('change', showEvents);
byId('event-text').addEventListener('input', showEvents);
byId('event-filter').addEventListener('submit', event => event.preventDefault());
byId('pause').addEventListener('click', () => {
  const isPaused = byId('pause').getAttribute('aria-pressed') !== 'true';
  byId('pause').setAttribute('aria-pressed', isPaused);
  byId('pause').textContent = isPaused ? 'Go on' : 'Pause';
  if (!isPaused) held.splice(0).forEach(addEvent);
});

// ---- keys

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId('token-dialog').open) return;
  if (event.target.matches('input, select')) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  if (byId('session-dialog').open) {
    if (event.key === 'c' && !byId('session-close').disabled && !isConfirming) confirmClose();
    return;
  }
  const does = {
    '/': () => byId('query').focus(),
    j: () => move(1), ArrowDown: () => selected && move(1),
    k: () => move(-1), ArrowUp: () => selected && move(-1),
    Enter: () => event.target.matches('tr') && open(selected),
    c: () => selected && open(selected, true),
    n: () => byId('next').click(),
    p: () => byId('first').click(),
    Escape: () => { document.activeElement.blur(); select(null, false); },
  }[event.key];
  if (!does || event.target.matches('button, a') && event.key === 'Enter') return;
  if (event.key === '/' || event.key === 'j' || event.key === 'k' || event.target.matches('tr')) event.preventDefault();
  does();
});

start();
