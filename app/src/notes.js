'use strict';

// Notes in PostgreSQL. The table is made at the first start.

const { Pool } = require('pg');

function openNotes(url) {
  const pool = new Pool({ connectionString: url, max: 5 });
  pool.on('error', (error) => console.error(`database connection lost: ${error.message}`));
  return {
    async prepare() {
      // The app and the search service may start at once: the lock lets one make the table.
      await pool.query(`
        SELECT pg_advisory_xact_lock(30001);
        CREATE TABLE IF NOT EXISTS notes
          (id serial PRIMARY KEY, text text NOT NULL, at timestamptz NOT NULL DEFAULT now());
        CREATE INDEX IF NOT EXISTS notes_words ON notes USING gin (to_tsvector('simple', text));
      `);
    },
    async list() {
      const { rows } = await pool.query('SELECT id, text, at FROM notes ORDER BY id DESC LIMIT 50');
      return rows;
    },
    async count() {
      const { rows } = await pool.query('SELECT count(*)::int AS count FROM notes');
      return rows[0].count;
    },
    async add(text) {
      const { rows } = await pool.query('INSERT INTO notes (text) VALUES ($1) RETURNING id, text, at', [text]);
      return rows[0];
    },
    async search(words) {
      const { rows } = await pool.query(
        "SELECT id, text, at FROM notes WHERE to_tsvector('simple', text) @@ plainto_tsquery('simple', $1) ORDER BY id DESC LIMIT 50",
        [words],
      );
      return rows;
    },
    async version() {
      const { rows } = await pool.query('SHOW server_version');
      return rows[0].server_version;
    },
    close: () => pool.end(),
  };
}

module.exports = { openNotes };
