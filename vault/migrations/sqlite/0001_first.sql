-- Times are seconds since 1970. Keys lead with the merchant, so that a larger database can be split by merchant.

CREATE TABLE merchants (
    id              TEXT    NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL,
    mode            TEXT    NOT NULL CHECK (mode IN ('test', 'live')),
    clear_cards     INTEGER NOT NULL CHECK (clear_cards IN (0, 1)),
    public_key      TEXT    NOT NULL UNIQUE,
    -- SHA-256 of a random key of 200 bits: nothing to guess, so no slow hash is called for.
    secret_key_hash BLOB    NOT NULL UNIQUE CHECK (length(secret_key_hash) = 32),
    created_at      INTEGER NOT NULL
) STRICT;

CREATE TABLE merchant_origins (
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    origin      TEXT NOT NULL,
    PRIMARY KEY (merchant_id, origin)
) STRICT;

CREATE INDEX merchant_origins_by_origin ON merchant_origins (origin);

-- The vault's own keys, each under the key-encryption key, which is not in the database.
CREATE TABLE wrapped_keys (
    purpose    TEXT    NOT NULL CHECK (purpose IN ('data', 'fingerprint', 'sealing')),
    version    INTEGER NOT NULL,
    wrapped    BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (purpose, version)
) STRICT;

CREATE TABLE tokens (
    merchant_id             TEXT    NOT NULL REFERENCES merchants (id),
    id                      TEXT    NOT NULL,
    card_id                 TEXT    NOT NULL,
    -- The `jti` of the seal it came in; a card sent in the clear has none.
    seal_id                 TEXT,
    brand                   TEXT    NOT NULL,
    last_digits             TEXT    NOT NULL,
    fingerprint             BLOB    NOT NULL,
    fingerprint_key_version INTEGER NOT NULL,
    security_code_check     INTEGER NOT NULL CHECK (security_code_check IN (0, 1)),
    -- Encrypted under the data key of this version: the number; and apart from it what a token shows of the card.
    data_key_version        INTEGER NOT NULL,
    pan                     BLOB    NOT NULL,
    details                 BLOB    NOT NULL,
    created_at              INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, seal_id)
) STRICT;

-- Never outlives the token's first use or its own few minutes (PCI DSS 3.3.1).
CREATE TABLE security_codes (
    merchant_id      TEXT    NOT NULL,
    token_id         TEXT    NOT NULL,
    data_key_version INTEGER NOT NULL,
    code             BLOB    NOT NULL,
    expires_at       INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, token_id),
    FOREIGN KEY (merchant_id, token_id) REFERENCES tokens (merchant_id, id)
) STRICT;

CREATE INDEX security_codes_by_expiry ON security_codes (expires_at);

-- A token is used when a charge names it; the unique pair is what makes it usable once.
CREATE TABLE charges (
    merchant_id  TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    token_id     TEXT    NOT NULL,
    amount       INTEGER NOT NULL CHECK (amount > 0),
    currency     TEXT    NOT NULL,
    description  TEXT,
    metadata     TEXT    NOT NULL,
    status       TEXT    NOT NULL CHECK (status IN ('pending', 'successful', 'failed')),
    failure_code TEXT    CHECK ((failure_code IS NOT NULL) = (status = 'failed')),
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, token_id),
    FOREIGN KEY (merchant_id, token_id) REFERENCES tokens (merchant_id, id)
) STRICT;
