use cardseal::card::Field;
use cardseal::frame::lead::{Arrival, Lead, Progress, Way};

const WAYS: [Way; 4] = [Way::Person, Way::Form, Way::Window, Way::Unknown];
const PROGRESSES: [Progress; 2] = [Progress::Resting, Progress::HalfWay];

fn states() -> impl Iterator<Item = Lead> {
    let of_a_field = Field::ALL.iter().flat_map(|field| [Lead::Person(*field), Lead::Interrupted(*field)]);
    of_a_field.chain([Lead::Free])
}

/// Each state with each field that it may meet.
fn meetings() -> impl Iterator<Item = (Lead, Field)> {
    states().flat_map(|state| Field::ALL.iter().map(move |field| (state, *field)))
}

#[test]
fn a_page_leads_only_where_the_person_is_not() {
    for (state, field) in meetings() {
        let allowed = match state {
            Lead::Free => true,
            Lead::Person(_) => false,
            Lead::Interrupted(of) => of == field,
        };
        assert_eq!(state.allows(field), allowed, "{state:?}, {field:?}");
    }
    assert_eq!(Lead::default(), Lead::Free);
}

#[test]
fn whoever_does_something_in_a_field_is_there() {
    for field in Field::ALL {
        assert_eq!(Lead::acted(*field), Lead::Person(*field));
    }
}

#[test]
fn a_submit_leads_out_of_no_entry_that_is_half_way() {
    for (state, field) in meetings() {
        for progress in PROGRESSES {
            let led = state.after_submit(field, |of| {
                assert_eq!(state, Lead::Person(of), "nobody else is asked for");
                progress
            });
            let expected = match (state, progress) {
                (Lead::Interrupted(of), _) | (Lead::Person(of), Progress::HalfWay) => of,
                (Lead::Free, _) | (Lead::Person(_), Progress::Resting) => field,
            };
            assert_eq!(led, expected, "{state:?}, {field:?}, {progress:?}");
        }
    }
}

#[test]
fn nothing_is_changed_under_a_person_who_types() {
    for state in states() {
        for progress in PROGRESSES {
            let typing = state.typing(|_| progress);
            let expected = match (state, progress) {
                (Lead::Person(of), Progress::HalfWay) => Some(of),
                _ => None,
            };
            assert_eq!(typing, expected, "{state:?}, {progress:?}");
        }
    }
}

#[test]
fn only_a_half_entry_that_nobody_left_is_interrupted() {
    for (state, field) in meetings() {
        for (way, progress) in WAYS.into_iter().flat_map(|way| PROGRESSES.map(|progress| (way, progress))) {
            let after = state.left(field, way, progress);
            let what = format!("{state:?}, {field:?}, {way:?}, {progress:?}: {after:?}");
            match way {
                Way::Person => assert_eq!(after, Lead::Free, "{what}"),
                // The person comes back to where they were; a lead of the form's is judged where it arrives.
                Way::Window | Way::Form => assert_eq!(after, state, "{what}"),
                Way::Unknown => match (progress, state) {
                    (Progress::HalfWay, _) => assert_eq!(after, Lead::Interrupted(field), "{what}"),
                    (Progress::Resting, Lead::Interrupted(of)) if of != field => {
                        assert_eq!(after, state, "{what}")
                    }
                    (Progress::Resting, _) => assert_eq!(after, Lead::Free, "{what}"),
                },
            }
        }
    }
}

#[test]
fn the_focus_stays_where_the_person_or_the_form_has_brought_it_and_goes_back_otherwise() {
    for (state, field) in meetings() {
        for way in WAYS {
            let arrival = state.came(field, way);
            let what = format!("{state:?}, {field:?}, {way:?}: {arrival:?}");
            match (way, state) {
                (Way::Person, _) => assert_eq!(arrival, Arrival::Stays(Lead::Person(field)), "{what}"),
                (_, Lead::Person(of) | Lead::Interrupted(of)) if of == field => {
                    assert_eq!(arrival, Arrival::Stays(state), "{what}");
                }
                (Way::Form, _) | (_, Lead::Free) => assert_eq!(arrival, Arrival::Stays(Lead::Free), "{what}"),
                (_, Lead::Person(of) | Lead::Interrupted(of)) => {
                    assert_eq!(arrival, Arrival::GoesBack(of), "{what}");
                }
            }
        }
    }
}

/// What a page can bring about: it takes the focus, asks for leads and submits, and goes to fields by their places in the
/// frame's document, in whatever order.
#[derive(Clone, Copy, Debug)]
enum Move {
    Takes,
    Leads(Field),
    Submits(Field),
    GoesTo(Field),
}

/// From an entry that is half way, no sequence of a page's moves brings the caret into another field.
#[test]
fn nothing_that_a_page_does_leads_out_of_half_a_number() {
    let moves = Field::ALL
        .iter()
        .flat_map(|field| [Move::Leads(*field), Move::Submits(*field), Move::GoesTo(*field)]);
    let moves: Vec<_> = moves.chain([Move::Takes]).collect();
    let progress = |of| if of == Field::Number { Progress::HalfWay } else { Progress::Resting };
    let lead = |state: Lead, at: Option<Field>, to: Field| {
        let left = at.filter(|at| *at != to).map_or(state, |at| state.left(at, Way::Form, progress(at)));
        match left.came(to, Way::Form) {
            Arrival::Stays(state) => (state, Some(to)),
            Arrival::GoesBack(_) => unreachable!("the form leads where it wants"),
        }
    };
    let go = |state: Lead, at: Option<Field>, to: Field| {
        let left = at.filter(|at| *at != to).map_or(state, |at| state.left(at, Way::Unknown, progress(at)));
        match left.came(to, Way::Unknown) {
            Arrival::Stays(state) => (state, Some(to)),
            Arrival::GoesBack(to) => lead(left, Some(to), to),
        }
    };
    // Every state that can be reached, by breadth.
    let mut reached = vec![(Lead::acted(Field::Number), Some(Field::Number))];
    let mut at = 0;
    while let Some((state, caret)) = reached.get(at).copied() {
        for page in &moves {
            let next = match *page {
                Move::Takes => {
                    (caret.map_or(state, |caret| state.left(caret, Way::Unknown, progress(caret))), None)
                }
                Move::Leads(to) if state.allows(to) => lead(state, caret, to),
                Move::Leads(_) => (state, caret),
                Move::Submits(to) => lead(state, caret, state.after_submit(to, progress)),
                Move::GoesTo(to) => go(state, caret, to),
            };
            assert!(matches!(next.1, None | Some(Field::Number)), "{state:?}, {caret:?}, {page:?}: {next:?}");
            assert_ne!(next.0, Lead::Free, "{state:?}, {caret:?}, {page:?}");
            if !reached.contains(&next) {
                reached.push(next);
            }
        }
        at += 1;
    }
    assert!(reached.len() >= 3, "{reached:?}");
}
