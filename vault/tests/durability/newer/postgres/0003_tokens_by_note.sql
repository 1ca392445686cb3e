-- no-transaction
CREATE INDEX CONCURRENTLY tokens_by_note ON tokens (merchant_id, note);
