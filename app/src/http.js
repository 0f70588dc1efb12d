'use strict';

// Small helpers around node:http: JSON answers, bodies with a limit, a quick stop.

const http = require('node:http');

const MAX_BODY_BYTES = 64 * 1024;

function sendJson(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(value)}\n`);
}

function readBody(request) {
  return new Promise((resolve, reject) => {
    let size = 0;
    const parts = [];
    request.on('data', (part) => {
      size += part.length;
      if (size > MAX_BODY_BYTES) {
        reject(new Error('body too large'));
        request.destroy();
      }
      parts.push(part);
    });
    request.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
    request.on('error', reject);
  });
}

function serve(port, route, close) {
  const server = http.createServer(async (request, response) => {
    const started = process.hrtime.bigint();
    try {
      await route(request, response, new URL(request.url, 'http://localhost'));
    } catch (error) {
      console.error(`${request.method} ${request.url} failed: ${error.message}`);
      if (!response.headersSent) sendJson(response, 500, { error: error.message });
    }
    const milliseconds = Number(process.hrtime.bigint() - started) / 1e6;
    if (process.env.LOG_LEVEL === 'debug' || request.url !== '/healthz') {
      console.log(`${request.method} ${request.url} ${response.statusCode} ${milliseconds.toFixed(1)} ms`);
    }
  });
  server.listen(port, () => console.log(`listening on port ${port}`));
  const stop = () => {
    server.close();
    server.closeAllConnections();
    // A database or cache that is gone must not hold up the stop.
    setTimeout(() => process.exit(0), 1000).unref();
    close().finally(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

module.exports = { readBody, sendJson, serve };
