'use strict';

// Full-text search over the notes, a service of its own.

const { sendJson, serve } = require('./http');
const { openNotes } = require('./notes');

const notes = openNotes(process.env.DATABASE_URL);

async function route(request, response, url) {
  if (url.pathname === '/healthz') {
    await notes.version();
    return sendJson(response, 200, { status: 'good' });
  }
  if (url.pathname === '/search') return sendJson(response, 200, await notes.search(url.searchParams.get('q') || ''));
  return sendJson(response, 404, { error: 'not found' });
}

notes
  .prepare()
  .then(() => serve(3001, route, () => notes.close()))
  .catch((error) => {
    console.error(error);
    process.exit(1);
  });
