//! Whatever is lost, late or doubled: each own event is told once, and in order.

use std::time::Duration;

use proptest::prelude::*;

use super::world::{TOKEN, arn, event, of_stack, seconds};
use crate::aws::cloudformation::{EventPage, StackEvent};
use crate::follow::log::{EventLog, Next};

/// A world in which events show up to a second late.
fn shown(events: &[(u64, StackEvent)], now: u64) -> Vec<StackEvent> {
    let mut shown: Vec<StackEvent> =
        events.iter().filter(|(shows, _)| *shows <= now).map(|(_, event)| event.clone()).collect();
    shown.sort_by_key(|event| event.timestamp);
    shown.reverse();
    shown
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Fault 20: pages of any size, broken off anywhere, with events that come late and twice.
    #[test]
    fn each_own_event_is_told_once_and_in_order(
        gaps in prop::collection::vec(0_u64..900, 1..80),
        late in prop::collection::vec(0_u64..900, 80),
        page_size in 1_usize..12,
        broken in prop::collection::vec(0_u8..4, 400),
        foreign in 0_usize..20,
        doubled in any::<bool>(),
    ) {
        let mut all: Vec<(u64, StackEvent)> = Vec::new();
        for index in 0..foreign {
            let old = event("net", -100.0 + index as f64, "Old", "UPDATE_COMPLETE", None);
            all.push((0, StackEvent { token: Some("other".to_owned()), ..old }));
        }
        if foreign > 0 {
            let end = of_stack("net", -50.0, "UPDATE_COMPLETE");
            all.push((0, StackEvent { token: Some("other".to_owned()), ..end }));
        }
        let mut at = 0;
        let mut wanted = Vec::new();
        for (index, gap) in gaps.iter().enumerate() {
            at += gap;
            let made = if index == 0 {
                of_stack("net", 0.0, "UPDATE_IN_PROGRESS")
            } else {
                event("net", at as f64 / 1000.0, &format!("R{index}"), "UPDATE_COMPLETE", None)
            };
            wanted.push(made.id.clone());
            all.push((at + late[index], made));
        }
        let mut log = EventLog::new(&arn("net"), Some(TOKEN.to_owned()), None);
        let mut told: Vec<StackEvent> = Vec::new();
        let mut breaks = broken.iter().cycle();
        for round in 0..(at / 400 + 6) {
            let now = round * 400;
            loop {
                // Each page is of its own moment: between two of them everything may have moved.
                let events = shown(&all, now);
                let from: usize = log.page().map_or(0, |page| page.parse().unwrap());
                let mut page: Vec<StackEvent> = events.iter().skip(from).take(page_size).cloned().collect();
                if doubled {
                    page.extend(page.clone());
                }
                let next = (events.len() > from + page_size).then(|| (from + page_size).to_string());
                if *breaks.next().unwrap() == 0 {
                    log.restart();
                    break;
                }
                if let Next::Complete { .. } = log.add(EventPage { events: page, next }, Duration::from_millis(now)) {
                    break;
                }
            }
            told.extend(log.tell(Duration::from_millis(now), false));
        }
        // The last read, which nothing breaks.
        log.restart();
        let end = at + 10_000;
        loop {
            let events = shown(&all, end);
            let from: usize = log.page().map_or(0, |page| page.parse().unwrap());
            let page = events.iter().skip(from).take(page_size).cloned().collect();
            let next = (events.len() > from + page_size).then(|| (from + page_size).to_string());
            if let Next::Complete { .. } = log.add(EventPage { events: page, next }, seconds(end as f64 / 1000.0)) {
                break;
            }
        }
        told.extend(log.tell(seconds(end as f64), true));
        let mut ids: Vec<String> = told.iter().map(|event| event.id.clone()).collect();
        ids.sort();
        wanted.sort();
        prop_assert_eq!(ids, wanted, "each own event is told exactly once");
    }
}

/// Events that show up less than a second late are told in the order of time.
#[test]
fn a_late_event_is_told_before_a_younger_one() {
    let mut log = EventLog::new(&arn("net"), Some(TOKEN.to_owned()), None);
    let page = |events: Vec<StackEvent>| EventPage { events, next: None };
    let (first, second) =
        (event("net", 1.0, "A", "CREATE_COMPLETE", None), event("net", 1.5, "B", "CREATE_COMPLETE", None));
    log.add(page(vec![second.clone()]), seconds(2.0));
    assert!(log.tell(seconds(2.5), false).is_empty());
    log.add(page(vec![second.clone(), first.clone()]), seconds(2.8));
    let told: Vec<String> = log.tell(seconds(3.0), false).into_iter().map(|event| event.id).collect();
    assert_eq!(told, [first.id, second.id]);
}
