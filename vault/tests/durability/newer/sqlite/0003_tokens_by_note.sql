CREATE INDEX tokens_by_note ON tokens (merchant_id, note);
