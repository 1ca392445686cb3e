-- What a later version may add: a table, columns in every table that is read, and an index.

CREATE TABLE notes (
    merchant_id TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    created_at  BIGINT  NOT NULL,
    PRIMARY KEY (merchant_id, id)
);

ALTER TABLE merchants ADD COLUMN status TEXT;
ALTER TABLE api_keys ADD COLUMN status TEXT;
ALTER TABLE wrapped_keys ADD COLUMN status TEXT;
ALTER TABLE tokens ADD COLUMN note TEXT;
ALTER TABLE customers ADD COLUMN status TEXT;
ALTER TABLE cards ADD COLUMN total BIGINT NOT NULL DEFAULT 7;
ALTER TABLE charges ADD COLUMN note TEXT;
ALTER TABLE pci_tokens ADD COLUMN note TEXT;
ALTER TABLE events ADD COLUMN note TEXT;
ALTER TABLE webhooks ADD COLUMN note TEXT;
ALTER TABLE audit ADD COLUMN note TEXT;
ALTER TABLE audit_heads ADD COLUMN note TEXT;
