//! What attackers want, and do not get: one attack a file.

mod a_card_number_in_disguise;
mod a_card_on_an_open_line;
mod a_deleted_person;
mod a_key_left_lying_about;
mod a_nonce_met_twice;
mod a_number_in_a_vendors_words;
mod a_page_that_is_nobodys;
mod a_seal_used_elsewhere;
mod a_security_code_after_its_use;
mod a_service_behind_the_vault;
mod a_shorter_audit;
mod a_vendors_state_forged;
mod a_worker_kept_busy;
mod every_connection_for_one;
mod garbage_in_the_operators_name;
mod payments_with_any_key;
mod real_cards_among_test_cards;
mod the_sealing_key_swapped;
mod the_whole_number;
mod to_be_nobody;
