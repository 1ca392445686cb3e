//! What attackers want, and do not get: one attack a file.

mod a_seal_used_elsewhere;
mod the_whole_number;
