//! What the vault has acknowledged is there, whatever happens to its process, its disk or its database.

mod kills;
mod ledger;
mod load;
mod random;
