//! Mailboxes and quotas: both are stored as leases.

use super::*;
use crate::proto::{ConsumeQuotasRequest, PublishRecordRequest, Quota, RendezvousRecord};
use crate::storage::Store as _;

fn quota(name: &str, burst: u32) -> Quota {
    Quota {
        name: name.to_owned(),
        burst,
        interval_ms: 1_000,
    }
}

fn consume(objects: &TestObjects, quotas: &[Quota], refund: bool) -> String {
    let request = ConsumeQuotasRequest {
        id: "m".to_owned(),
        quotas: quotas.to_vec(),
        refund,
    };
    let object = objects.client("colony:m");
    block_on(object.consume_quotas(request)).unwrap().exhausted
}

#[test]
fn several_quotas_are_all_consumed_or_none_and_can_be_refunded() {
    let objects = new_objects();
    let (few, many) = (quota("few", 1), quota("many", 3));
    assert_eq!(consume(&objects, &[many.clone(), few.clone()], false), "");
    for _ in 0..5 {
        // Refused, so the other one is not consumed either.
        let exhausted = consume(&objects, &[many.clone(), few.clone()], false);
        assert_eq!(exhausted, "few");
    }
    assert_eq!(consume(&objects, std::slice::from_ref(&few), true), "");
    assert_eq!(consume(&objects, &[many.clone(), few.clone()], false), "");
    assert_eq!(consume(&objects, std::slice::from_ref(&many), false), "");
    assert_eq!(consume(&objects, &[many], false), "many");
}

#[test]
fn records_and_quotas_expire_and_leave_nothing() {
    let objects = new_objects();
    let publish = PublishRecordRequest {
        mesh_id: "m".to_owned(),
        record_id: "r".to_owned(),
        replaces: false,
        token_hash: "h".to_owned(),
        record: Some(RendezvousRecord::default()),
        ttl_ms: 90_000,
        quota: Some(quota("publish", 10)),
    };
    block_on(objects.client("colony:m").publish_record(publish)).unwrap();
    assert_eq!(
        objects.get("colony:m").take_meshes_with_new_records(),
        ["m"]
    );
    consume(&objects, &[quota("other", 500)], false);
    let records = |now| {
        objects.runtime.set_now(at(now));
        let mailbox = objects.get("colony:m").mailbox("m");
        mailbox.unwrap().records.len()
    };
    assert_eq!((records(90_000), records(90_001)), (1, 0));
    while let Some(alarm) = objects.next_alarm() {
        assert!(alarm < at(91_000), "the alarms do not end");
        objects.runtime.set_now(alarm.max(objects.runtime.now()));
        block_on(objects.fire_alarms());
    }
    let store = objects.store("colony:m");
    assert_eq!(store.earliest_expiry().unwrap(), None);
}
