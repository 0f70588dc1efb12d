'use strict';

// The health check: exits with 0 when the server answers, and says why when it does not.

const http = require('node:http');

const port = Number(process.argv[2] || 3000);
const request = http.get({ port, path: '/healthz', timeout: 1500 }, (response) => {
  if (response.statusCode === 200) process.exit(0);
  console.log(`/healthz answered ${response.statusCode}`);
  process.exit(1);
});
request.on('timeout', () => request.destroy(new Error('no answer within 1.5 s')));
request.on('error', (error) => {
  console.log(`/healthz: ${error.message}`);
  process.exit(1);
});
