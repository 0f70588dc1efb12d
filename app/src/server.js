'use strict';

// The page and its JSON: visits are counted in Redis, notes are kept in PostgreSQL.

const { createClient } = require('redis');
const { readBody, sendJson, serve } = require('./http');
const { openNotes } = require('./notes');

const notes = openNotes(process.env.DATABASE_URL);
const cache = createClient({ url: process.env.REDIS_URL });
cache.on('error', (error) => console.error(`cache: ${error.message}`));

const escapeHtml = (text) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

async function page(response) {
  const visits = await cache.incr('visits');
  const items = (await notes.list()).map((note) => `<li>${escapeHtml(note.text)}</li>`).join('');
  const search = process.env.FEATURE_SEARCH ? '<p>Search is on: port 3001, /search?q=words</p>' : '';
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end(
    `<!doctype html><title>Notes</title><h1>Notes</h1><p>Visit ${visits}</p>${search}<ul>${items}</ul>` +
      '<form method="post" action="/notes"><input name="text" required><button>Keep</button></form>',
  );
}

async function addNote(request, response) {
  const body = await readBody(request);
  const isJson = (request.headers['content-type'] || '').includes('json');
  const text = isJson ? JSON.parse(body).text : new URLSearchParams(body).get('text');
  if (typeof text !== 'string' || !text.trim()) return sendJson(response, 400, { error: 'a note needs text' });
  const note = await notes.add(text.trim());
  if (isJson) return sendJson(response, 201, note);
  response.writeHead(303, { location: '/' });
  return response.end();
}

async function route(request, response, url) {
  if (url.pathname === '/healthz') {
    await Promise.all([notes.version(), cache.ping()]);
    return sendJson(response, 200, { status: 'good' });
  }
  if (url.pathname === '/' && request.method === 'GET') return page(response);
  if (url.pathname === '/api/status') {
    return sendJson(response, 200, {
      visits: Number((await cache.get('visits')) || 0),
      notes: await notes.count(),
      postgres: await notes.version(),
    });
  }
  if (url.pathname === '/notes' && request.method === 'GET') return sendJson(response, 200, await notes.list());
  if (url.pathname === '/notes' && request.method === 'POST') return addNote(request, response);
  return sendJson(response, 404, { error: 'not found' });
}

async function main() {
  await cache.connect();
  await notes.prepare();
  serve(3000, route, () => Promise.allSettled([cache.quit(), notes.close()]));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
