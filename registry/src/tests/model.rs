//! Random histories, compared with the plainest model there is: who holds what until when.

use proptest::prelude::*;

use super::*;
use crate::proto::Conflict;

/// A step of a history.
#[derive(Clone, Copy, Debug)]
enum Step {
    Register {
        colony: u8,
        owner: u8,
        reported: bool,
    },
    Wait {
        millis: i64,
    },
    Restart,
    ObjectsAreDown(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_u8, 0..2_u8, any::<bool>())
            .prop_map(|(colony, owner, reported)| Step::Register { colony, owner, reported }),
        4 => (0..TTL_MS).prop_map(|millis| Step::Wait { millis }),
        1 => Just(Step::Restart),
        1 => any::<bool>().prop_map(Step::ObjectsAreDown),
    ]
}

/// The holder of each colony and the end of its lease, by the model.
type Model = [Option<(u8, i64)>; 3];

fn expected_outcome(held: &mut Option<(u8, i64)>, owner: u8, now_ms: i64) -> Outcome {
    match *held {
        Some((holder, expires_at_ms)) if holder != owner && now_ms <= expires_at_ms => {
            Outcome::Conflict(Conflict { expires_at_ms })
        }
        _ => {
            let is_new = held.is_none_or(|(_, expires_at_ms)| now_ms > expires_at_ms);
            *held = Some((owner, now_ms + TTL_MS));
            granted(now_ms + TTL_MS, is_new)
        }
    }
}

fn live_at(model: &Model, moment_ms: i64) -> i64 {
    let live = model.iter().flatten();
    let live = live.filter(|(_, expires_at_ms)| moment_ms <= *expires_at_ms);
    i64::try_from(live.count()).unwrap()
}

proptest! {
    #[test]
    fn leases_are_exclusive_and_the_census_is_exact_in_the_end(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let objects = new_objects();
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Register { colony: id, owner, reported } => {
                    objects.are_down.set(false);
                    let now_ms = now_ms(&objects);
                    let expected = expected_outcome(&mut model[usize::from(id)], owner, now_ms);
                    let outcome = register(&objects, &colony(&id.to_string()), &owner.to_string());
                    prop_assert_eq!(&outcome, &expected);
                    let is_new = matches!(outcome, Outcome::Granted(Granted { is_new: true, .. }));
                    if reported && is_new {
                        report_registration(&objects, &id.to_string(), now_ms, TTL_MS);
                    }
                }
                Step::Wait { millis } => live_through(&objects, millis),
                Step::Restart => objects.restart(),
                Step::ObjectsAreDown(are_down) => objects.are_down.set(are_down),
            }
        }
        objects.are_down.set(false);
        live_through(&objects, CLEANUP_INTERVAL_MS + CENSUS_MS);
        let now_ms = now_ms(&objects);
        // A sweep notices an expired lease, and sweeps are one interval apart.
        let counted = count(&objects);
        let at_most = live_at(&model, now_ms - 2 * CLEANUP_INTERVAL_MS - CENSUS_MS);
        prop_assert!(counted <= at_most, "{counted} colonies");
        for (id, held) in model.iter().enumerate() {
            let found = lookup(&objects, &colony(&id.to_string())).lease;
            let expected = held.filter(|(_, expires_at_ms)| now_ms <= *expires_at_ms);
            prop_assert_eq!(
                found.map(|lease| lease.record),
                expected.map(|(owner, _)| owner.to_string().into_bytes())
            );
        }
        // Alarms report the registrations that were not reported before.
        let live: Vec<_> = (0..3_u8)
            .zip(model)
            .filter_map(|(id, held)| Some((id, held?)))
            .filter(|(_, (_, expires_at_ms))| now_ms <= *expires_at_ms)
            .collect();
        for _ in 0..4 {
            for (id, (owner, _)) in &live {
                register(&objects, &colony(&id.to_string()), &owner.to_string());
            }
            live_through(&objects, TTL_MS / 2);
        }
        prop_assert_eq!(count(&objects), i64::try_from(live.len()).unwrap());
        live_through(&objects, TTL_MS + 2 * CLEANUP_INTERVAL_MS + CENSUS_MS);
        prop_assert_eq!(objects.next_alarm(), None, "something is left");
        prop_assert_eq!(count(&objects), 0);
        prop_assert!(objects.published.get().unwrap_or(0) == 0);
    }
}
