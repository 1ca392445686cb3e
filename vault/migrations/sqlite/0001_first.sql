-- Times are seconds since 1970. Keys lead with the merchant, so that a larger database can be split by merchant; tables
-- without one are small and the same everywhere. A row with ciphertexts names the one data key that all of them are under.

CREATE TABLE merchants (
    id          TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    mode        TEXT    NOT NULL CHECK (mode IN ('test', 'live')),
    clear_cards INTEGER NOT NULL CHECK (clear_cards IN (0, 1)),
    created_at  INTEGER NOT NULL,
    -- How often its origins were replaced.
    revision    INTEGER NOT NULL,
    -- Covers the row and the origins: whoever writes here without the vault's keys makes no merchant that it serves.
    key_version INTEGER NOT NULL,
    mac         BLOB    NOT NULL CHECK (length(mac) = 32)
) STRICT;

CREATE TABLE merchant_origins (
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    origin      TEXT NOT NULL,
    PRIMARY KEY (merchant_id, origin)
) STRICT;

CREATE INDEX merchant_origins_by_origin ON merchant_origins (origin);

CREATE TABLE api_keys (
    -- SHA-256 of a random key of 130 bits or more: nothing to guess, so no slow hash is called for.
    hash        BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    id          TEXT    NOT NULL UNIQUE,
    merchant_id TEXT    NOT NULL REFERENCES merchants (id),
    kind        TEXT    NOT NULL CHECK (kind IN ('public', 'secret')),
    -- What tells it apart for people: a public key itself, the last letters of a secret one.
    hint        TEXT    NOT NULL,
    -- What it may do, in alphabetical order, with a space between.
    scopes      TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    revoked_at  INTEGER,
    -- When it ends by itself, if it does.
    expires_at  INTEGER,
    -- When it was used last, to the hour. The MAC does not cover it.
    last_used_at INTEGER,
    -- Covers the row: as with merchants.
    key_version INTEGER NOT NULL,
    mac         BLOB    NOT NULL CHECK (length(mac) = 32)
) STRICT;

CREATE INDEX api_keys_by_merchant ON api_keys (merchant_id);

-- What vendors know a merchant by, encrypted; with which of them its pages and charges may deal.
CREATE TABLE vendor_accounts (
    merchant_id      TEXT    NOT NULL,
    id               TEXT    NOT NULL,
    profile          TEXT    NOT NULL,
    data_key_version INTEGER NOT NULL,
    details          BLOB    NOT NULL,
    created_at       INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id)
) STRICT;

CREATE UNIQUE INDEX vendor_accounts_by_profile ON vendor_accounts (merchant_id, profile);

-- The vault's own keys, each under the key-encryption key, which is not in the database. A destroyed key is only a row.
CREATE TABLE wrapped_keys (
    purpose      TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    wrapped      BLOB    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL)),
    created_at   INTEGER NOT NULL,
    active_from  INTEGER NOT NULL,
    destroyed_at INTEGER,
    -- How many encryptions with it processes have reserved, before they did them.
    encryptions  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (purpose, version)
) STRICT;

CREATE TABLE tokens (
    merchant_id             TEXT    NOT NULL,
    -- A hash of the id that the merchant has, wherever a token is called by its id in this database.
    id                      TEXT    NOT NULL,
    card_id                 TEXT    NOT NULL,
    -- A hash of the `jti` of the seal it came in; a card sent in the clear has none.
    seal_id                 TEXT,
    brand                   TEXT    NOT NULL,
    last_digits             TEXT    NOT NULL,
    fingerprint             BLOB    NOT NULL,
    fingerprint_key_version INTEGER NOT NULL,
    security_code_check     INTEGER NOT NULL CHECK (security_code_check IN (0, 1)),
    data_key_version        INTEGER NOT NULL,
    -- The number; gone when the token is used up.
    pan                     BLOB,
    -- What a token shows of the card.
    details                 BLOB    NOT NULL,
    created_at              INTEGER NOT NULL,
    expires_at              INTEGER NOT NULL,
    -- The charge or the customer that it was used for: setting this is what makes it usable once.
    used_by                 TEXT,
    PRIMARY KEY (merchant_id, id)
) STRICT;

CREATE UNIQUE INDEX tokens_by_seal ON tokens (merchant_id, seal_id);
CREATE INDEX tokens_by_use ON tokens (merchant_id, used_by, id) WHERE used_by IS NOT NULL;
CREATE INDEX tokens_used_by_age ON tokens (created_at) WHERE used_by IS NOT NULL;
CREATE INDEX tokens_unused_by_expiry ON tokens (expires_at) WHERE used_by IS NULL;

-- Never outlives the token's first use or its own few minutes (PCI DSS 3.3.1). What opens a code is under the data key, and
-- under the token's id besides, of which there is only a hash here. On PostgreSQL the table is in no log, so in no replica,
-- archive or physical backup.
CREATE TABLE security_codes (
    merchant_id      TEXT    NOT NULL,
    token_id         TEXT    NOT NULL,
    data_key_version INTEGER NOT NULL,
    code             BLOB    NOT NULL,
    expires_at       INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, token_id)
) STRICT;

CREATE INDEX security_codes_by_expiry ON security_codes (expires_at);

-- Which numbers that begin and end alike came today, as MACs: whoever searches for a number is found by it. Without a
-- merchant, since some are counted over all of them; a row is gone after its day.
CREATE TABLE counted_numbers (
    family     BLOB    NOT NULL CHECK (length(family) = 32),
    -- Counts the numbers of a family: two that come at once cannot both be the last.
    place      INTEGER NOT NULL,
    number     BLOB    NOT NULL CHECK (length(number) = 32),
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (family, place)
) STRICT;

CREATE INDEX counted_numbers_by_expiry ON counted_numbers (expires_at);

CREATE TABLE customers (
    merchant_id      TEXT    NOT NULL,
    id               TEXT    NOT NULL,
    data_key_version INTEGER NOT NULL,
    -- E-mail, description, metadata.
    details          BLOB    NOT NULL,
    default_card     TEXT,
    created_at       INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id)
) STRICT;

CREATE INDEX customers_by_age ON customers (merchant_id, created_at, id);

CREATE TABLE cards (
    merchant_id             TEXT    NOT NULL,
    customer_id             TEXT    NOT NULL,
    id                      TEXT    NOT NULL,
    -- Counts the cards of the customer in the order of their coming.
    seq                     INTEGER NOT NULL,
    brand                   TEXT    NOT NULL,
    last_digits             TEXT    NOT NULL,
    fingerprint             BLOB    NOT NULL,
    fingerprint_key_version INTEGER NOT NULL,
    security_code_check     INTEGER NOT NULL CHECK (security_code_check IN (0, 1)),
    data_key_version        INTEGER NOT NULL,
    pan                     BLOB    NOT NULL,
    details                 BLOB    NOT NULL,
    created_at              INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, customer_id, id)
) STRICT;

CREATE UNIQUE INDEX cards_by_fingerprint ON cards (merchant_id, customer_id, fingerprint);

CREATE TABLE charges (
    merchant_id             TEXT    NOT NULL,
    id                      TEXT    NOT NULL,
    -- What it was made with: a token, or a customer's card.
    token_id                TEXT    CHECK ((token_id IS NULL) = (customer_id IS NOT NULL)),
    customer_id             TEXT,
    -- The card as it was then: a customer's may change or go.
    card_id                 TEXT    NOT NULL,
    card_created_at         INTEGER NOT NULL,
    brand                   TEXT    NOT NULL,
    last_digits             TEXT    NOT NULL,
    fingerprint             BLOB    NOT NULL,
    fingerprint_key_version INTEGER NOT NULL,
    security_code_check     INTEGER NOT NULL CHECK (security_code_check IN (0, 1)),
    data_key_version        INTEGER NOT NULL,
    -- What is shown of the card, the description and the metadata.
    details                 BLOB    NOT NULL,
    amount                  INTEGER NOT NULL CHECK (amount > 0),
    currency                TEXT    NOT NULL,
    status                  TEXT    NOT NULL CHECK (status IN ('pending', 'successful', 'failed')),
    failure_code            TEXT    CHECK ((failure_code IS NOT NULL) = (status = 'failed')),
    created_at              INTEGER NOT NULL,
    -- Who was asked for the money: whoever is asked what became of it, also when the merchant has another one by now.
    acquirer                TEXT    NOT NULL CHECK (acquirer IN ('omise', 'payment-options', 'test')),
    -- Its name for the payment, and its code for what came of it.
    acquirer_reference      TEXT,
    acquirer_code           TEXT,
    -- Where the holder goes to let it happen.
    authorize_uri           TEXT    CHECK (authorize_uri IS NULL OR status = 'pending'),
    -- SHA-256 of the last part of the address at which the acquirer tells that something has happened.
    callback                BLOB    CHECK (length(callback) = 32),
    -- When to ask the acquirer what became of it; set while that is not known, and for a while after it was given up.
    ask_at                  INTEGER CHECK (CASE status WHEN 'pending' THEN ask_at IS NOT NULL WHEN 'successful' THEN ask_at IS NULL ELSE TRUE END),
    PRIMARY KEY (merchant_id, id)
) STRICT;

CREATE UNIQUE INDEX charges_by_token ON charges (merchant_id, token_id);
CREATE UNIQUE INDEX charges_by_callback ON charges (callback);
CREATE INDEX charges_by_customer ON charges (merchant_id, customer_id, id) WHERE customer_id IS NOT NULL;
CREATE INDEX charges_by_ask_at ON charges (ask_at) WHERE ask_at IS NOT NULL;

-- Customers' cards that an acquirer keeps: it is asked with these, and the number stays encrypted.
CREATE TABLE stored_methods (
    merchant_id      TEXT    NOT NULL,
    id               TEXT    NOT NULL,
    customer_id      TEXT    NOT NULL,
    card_id          TEXT    NOT NULL,
    acquirer         TEXT    NOT NULL CHECK (acquirer IN ('omise', 'payment-options', 'test')),
    data_key_version INTEGER NOT NULL,
    -- The acquirer's name for the card, and for the account under which it knows it.
    details          BLOB    NOT NULL,
    created_at       INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id)
) STRICT;

CREATE UNIQUE INDEX stored_methods_by_card ON stored_methods (merchant_id, customer_id, card_id, acquirer);

-- What a server called a request that it may have to send again.
CREATE TABLE idempotency_keys (
    merchant_id TEXT    NOT NULL,
    -- SHA-256 of the key as it came.
    key         BLOB    NOT NULL,
    -- SHA-256 of what was asked for: the same key for something else is a mistake.
    request     BLOB    NOT NULL,
    -- What the first request made.
    object_id   TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, key)
) STRICT;

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE pci_tokens (
    merchant_id             TEXT    NOT NULL,
    id                      TEXT    NOT NULL,
    -- The `jti` of the seal it came in, and what the server called its request.
    seal_id                 TEXT    NOT NULL,
    correlation_id          TEXT    NOT NULL,
    brand                   TEXT,
    last_digits             TEXT    NOT NULL,
    fingerprint             BLOB    NOT NULL,
    fingerprint_key_version INTEGER NOT NULL,
    data_key_version        INTEGER NOT NULL,
    -- Gone when it is deleted.
    pan                     BLOB    CHECK ((pan IS NULL) = (status = 'DELETED')),
    details                 BLOB    CHECK ((details IS NULL) = (status = 'DELETED')),
    status                  TEXT    NOT NULL CHECK (status IN ('ACTIVE', 'DELETED')),
    created_at              INTEGER NOT NULL,
    updated_at              INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id)
) STRICT;

CREATE UNIQUE INDEX pci_tokens_by_seal ON pci_tokens (merchant_id, seal_id);
CREATE UNIQUE INDEX pci_tokens_by_request ON pci_tokens (merchant_id, correlation_id);

-- Vendors' tokens that cards became on their way through the vault, which never saw the cards.
CREATE TABLE vendor_tokens (
    merchant_id      TEXT    NOT NULL,
    id               TEXT    NOT NULL,
    profile          TEXT    NOT NULL,
    -- The vendor's own name for it.
    token_id         TEXT    NOT NULL,
    state            TEXT    NOT NULL,
    -- When the vendor says that it changed last, in milliseconds since 1970.
    changed_ms       INTEGER,
    data_key_version INTEGER NOT NULL,
    -- What the vendor has told of the card.
    details          BLOB    NOT NULL,
    created_at       INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id)
) STRICT;

CREATE UNIQUE INDEX vendor_tokens_by_name ON vendor_tokens (merchant_id, profile, token_id);
-- A vendor that tells of a change knows the merchant by another name.
CREATE INDEX vendor_tokens_by_vendor ON vendor_tokens (profile, token_id);

-- Sealed cards that were passed on to a vendor: each once. A seal does not say whose it is, so what one merchant had passed on
-- is known for all: this is the one large table whose key does not lead with the merchant.
CREATE TABLE passed_seals (
    -- SHA-256 of the JWE.
    hash        BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    merchant_id TEXT    NOT NULL,
    profile     TEXT    NOT NULL,
    -- The vendor's key that it is sealed to. A seal has no end of its own, so it is known for as long as that key is used.
    vendor_key  BLOB    NOT NULL CHECK (length(vendor_key) = 32),
    -- The token that it became; none while that is not known.
    token       TEXT,
    -- Whether that will never be known.
    lost        INTEGER NOT NULL CHECK (lost IN (0, 1)),
    begun_at    INTEGER NOT NULL
) STRICT;

CREATE INDEX passed_seals_by_vendor_key ON passed_seals (vendor_key);

-- The vendors' keys that seals were passed on for, and when some process last had each in its settings.
CREATE TABLE vendor_keys (
    -- The thumbprint (RFC 7638).
    thumbprint BLOB    NOT NULL PRIMARY KEY CHECK (length(thumbprint) = 32),
    seen_at    INTEGER NOT NULL
) STRICT;

-- What happened, in the order in which it did: `seq` counts for each merchant.
CREATE TABLE events (
    merchant_id TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    id          TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    object_id   TEXT    NOT NULL,
    -- The object as it was then, encrypted.
    data_key_version INTEGER NOT NULL,
    details     BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, seq)
) STRICT;

CREATE UNIQUE INDEX events_by_id ON events (merchant_id, id);
CREATE INDEX events_by_age ON events (merchant_id, created_at, seq);
CREATE INDEX events_by_object ON events (merchant_id, object_id, id);

-- The number of each merchant's last event. Its lock is what puts concurrent writers in order.
CREATE TABLE event_heads (
    merchant_id TEXT    NOT NULL PRIMARY KEY,
    seq         INTEGER NOT NULL
) STRICT;

-- What was deleted and has to go from events, charges and tokens too.
CREATE TABLE erasures (
    merchant_id TEXT    NOT NULL,
    -- A customer, a card, or a vendor's token.
    object_id   TEXT    NOT NULL,
    -- Whose card it was, if the customer stays.
    customer_id TEXT,
    due_at      INTEGER NOT NULL,
    -- Whether it is done for the second time.
    again       INTEGER NOT NULL CHECK (again IN (0, 1)),
    PRIMARY KEY (merchant_id, object_id)
) STRICT;

CREATE INDEX erasures_by_time ON erasures (due_at);

CREATE TABLE webhooks (
    merchant_id      TEXT    NOT NULL,
    id               TEXT    NOT NULL,
    data_key_version INTEGER NOT NULL,
    -- Its address, and the key that its messages are signed with.
    details          BLOB    NOT NULL,
    created_at       INTEGER NOT NULL,
    -- Up to which event everything has been delivered.
    delivered_seq    INTEGER NOT NULL,
    attempts         INTEGER NOT NULL,
    -- Whoever tries moves this into the future first, so that nobody else does.
    next_at          INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id)
) STRICT;

-- When a vault that could trust its clock last looked at it. One that finds this far away has to see its clock stand first.
CREATE TABLE clock (
    id        INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    looked_at INTEGER NOT NULL
) STRICT;

-- Who did what. Each row's MAC covers the one before it; nothing here is ever changed or removed.
CREATE TABLE audit (
    -- Empty for what an operator did to the vault itself.
    merchant_id TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    actor       TEXT    NOT NULL,
    -- An address or a network; `machine` for the vault's own.
    origin      TEXT    NOT NULL,
    action      TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    reason      TEXT,
    -- `done`, or why it was refused.
    outcome     TEXT    NOT NULL,
    -- How often: refusals of one kind are counted.
    times       INTEGER NOT NULL,
    key_version INTEGER NOT NULL,
    mac         BLOB    NOT NULL CHECK (length(mac) = 32),
    PRIMARY KEY (merchant_id, seq)
) STRICT;

-- The last row of each chain. Its lock is what puts concurrent writers in order.
CREATE TABLE audit_heads (
    merchant_id TEXT    NOT NULL PRIMARY KEY,
    seq         INTEGER NOT NULL,
    mac         BLOB    NOT NULL
) STRICT;

-- What is written to see whether anything can be: each row goes in the transaction that it came in.
CREATE TABLE probes (
    id TEXT NOT NULL PRIMARY KEY
) STRICT;
