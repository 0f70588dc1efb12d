'use strict';

// The "build": a copy of the sources into dist/, which the production stage takes.

const fs = require('node:fs');

fs.rmSync('dist', { recursive: true, force: true });
fs.cpSync('src', 'dist', { recursive: true });
