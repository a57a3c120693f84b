//! Cache eviction with S3-FIFO (Yang, Zhang, Qiu, Yue, Vigfusson: "FIFO Queues are All You Need for Cache Eviction", SOSP 2023).
//!
//! A new token enters the small queue, which has a tenth of the memory. If it is not used again before it reaches the end, it is evicted, and
//! only its fingerprint is kept for a while, in the ghost queue. So a burst of tokens that are used once does not evict tokens that are
//! used often. A token that is used again moves to the main queue, where each use earns it another round.

use alloc::{collections::VecDeque, vec::Vec};
use hashbrown::HashSet;

/// The small queue has one tenth of the memory.
const SMALL_SHARE: usize = 10;
/// The maximum number of rounds that a token can earn.
const ROUNDS: u8 = 3;

#[derive(Debug, Default)]
pub(super) struct S3Fifo {
    small: Queue,
    main: Queue,
    states: Vec<State>,
    ghosts: VecDeque<u64>,
    is_ghost: HashSet<u64>,
}

/// Slots, oldest first. If a slot is removed from the middle, its entry stays in the queue, because finding it would need a search of the
/// whole queue. Such an entry is skipped later.
#[derive(Debug, Default)]
struct Queue {
    entries: VecDeque<Entry>,
    /// The number of entries without a slot; at most half of all entries.
    left_behind: usize,
    bytes: usize,
}

/// A slot in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    slot: u32,
    /// Compared with [`State::turn`]: an entry that was left behind has an earlier turn.
    turn: u64,
}

/// The state of a slot.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    used: u8,
    bytes: usize,
    is_in_main: bool,
    turn: u64,
    is_queued: bool,
}

impl S3Fifo {
    /// Adds a slot with a new token.
    pub(super) fn admit(&mut self, slot: u32, fingerprint: u64, bytes: usize) {
        let is_in_main = self.is_ghost.remove(&fingerprint);
        if self.states.len() <= slot as usize {
            self.states.resize((slot as usize).saturating_add(1), State::default());
        }
        if let Some(state) = self.states.get_mut(slot as usize) {
            *state = State { used: 0, bytes, is_in_main, turn: state.turn, is_queued: false };
        }
        self.push(slot, is_in_main);
    }

    /// Notes that the token of a slot was used again.
    pub(super) fn used(&mut self, slot: u32) {
        if let Some(state) = self.states.get_mut(slot as usize) {
            state.used = state.used.saturating_add(1).min(ROUNDS);
        }
    }

    /// Removes a slot.
    pub(super) fn remove(&mut self, slot: u32) {
        let Some(state) = self.states.get_mut(slot as usize).filter(|state| state.is_queued) else {
            return;
        };
        state.is_queued = false;
        let queue = if state.is_in_main { &mut self.main } else { &mut self.small };
        queue.bytes = queue.bytes.saturating_sub(state.bytes);
        queue.left_behind = queue.left_behind.saturating_add(1);
        if queue.left_behind > queue.entries.len() / 2 {
            let states = &self.states;
            queue.entries.retain(|entry| is_of(states, *entry));
            queue.left_behind = 0;
        }
    }

    /// Removes the slot to evict, and returns it. Returns `None` if there are no slots.
    pub(super) fn evict(&mut self, fingerprint: impl Fn(u32) -> u64) -> Option<u32> {
        loop {
            let total = self.small.bytes.saturating_add(self.main.bytes);
            let is_small = self.small.bytes.saturating_mul(SMALL_SHARE) >= total || self.main.is_empty();
            let from_main = !is_small || self.small.is_empty();
            let queue = if from_main { &mut self.main } else { &mut self.small };
            let Entry { slot, turn } = queue.entries.pop_front()?;
            let Some(state) = self.states.get_mut(slot as usize).filter(|state| state.is_queued && state.turn == turn)
            else {
                queue.left_behind = queue.left_behind.saturating_sub(1);
                continue;
            };
            state.is_queued = false;
            queue.bytes = queue.bytes.saturating_sub(state.bytes);
            let used = state.used;
            if used == 0 {
                if !from_main {
                    self.insert_ghost(fingerprint(slot));
                }
                return Some(slot);
            }
            // It moves to the main queue, or gets another round there.
            state.used = if from_main { used.saturating_sub(1) } else { 0 };
            self.push(slot, true);
        }
    }

    fn push(&mut self, slot: u32, is_in_main: bool) {
        let Some(state) = self.states.get_mut(slot as usize) else { return };
        state.is_in_main = is_in_main;
        state.is_queued = true;
        state.turn = state.turn.saturating_add(1);
        let queue = if is_in_main { &mut self.main } else { &mut self.small };
        queue.entries.push_back(Entry { slot, turn: state.turn });
        queue.bytes = queue.bytes.saturating_add(state.bytes);
    }

    /// Adds the fingerprint of an evicted token to the ghost queue, which has at most as many as there are slots.
    fn insert_ghost(&mut self, fingerprint: u64) {
        if self.is_ghost.insert(fingerprint) {
            self.ghosts.push_back(fingerprint);
        }
        while self.ghosts.len() > self.states.len() {
            if let Some(oldest) = self.ghosts.pop_front() {
                self.is_ghost.remove(&oldest);
            }
        }
    }
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.entries.len() <= self.left_behind
    }
}

/// Returns whether an entry is the current entry of its slot, and was not left behind by an earlier token.
fn is_of(states: &[State], entry: Entry) -> bool {
    states.get(entry.slot as usize).is_some_and(|state| state.is_queued && state.turn == entry.turn)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::time::Instant;

    /// Returns the slots of a queue.
    fn slots<'q>(queues: &'q S3Fifo, queue: &'q Queue) -> impl Iterator<Item = u32> + 'q {
        queue.entries.iter().filter(|entry| is_of(&queues.states, **entry)).map(|entry| entry.slot)
    }

    /// Presents tokens to a cache of `limit` tokens of one size, in which the number of each slot is that of its token.
    fn present(queues: &mut S3Fifo, limit: usize, tokens: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let mut cached: Vec<u32> = slots(queues, &queues.small).chain(slots(queues, &queues.main)).collect();
        for token in tokens {
            if cached.contains(&token) {
                queues.used(token);
                continue;
            }
            while cached.len() >= limit {
                let victim = queues.evict(u64::from).expect("there is one");
                cached.retain(|other| *other != victim);
            }
            queues.admit(token, token.into(), 1_000);
            cached.push(token);
        }
        cached
    }

    #[test]
    fn tokens_used_once_do_not_evict_tokens_used_often() {
        let mut queues = S3Fifo::default();
        let often = || (0..50).chain(0..50).chain(0..50);
        present(&mut queues, 100, often());
        // Miri takes a thousand times as long for each.
        let once = if cfg!(miri) { 500 } else { 10_000 };
        let cached = present(&mut queues, 100, 1_000..1_000 + once);
        let kept = (0..50).filter(|token| cached.contains(token)).count();
        assert_eq!(kept, 50, "after {once} that were used once");
        assert!(cached.len() <= 100);
    }

    #[test]
    fn a_token_that_is_used_soon_after_its_eviction_enters_the_main_queue() {
        let mut queues = S3Fifo::default();
        present(&mut queues, 10, 0..30);
        assert!(queues.is_ghost.contains(&15), "it was evicted a while ago");
        present(&mut queues, 10, [15]);
        assert!(slots(&queues, &queues.main).any(|slot| slot == 15));
    }

    #[test]
    fn its_memory_is_bounded_and_its_counts_are_right() {
        let mut queues = S3Fifo::default();
        let tokens = if cfg!(miri) { 600 } else { 5_000 };
        let cached = present(&mut queues, 64, (0..tokens).map(|n| n * 7 % 512));
        assert_eq!(cached.len(), slots(&queues, &queues.small).count() + slots(&queues, &queues.main).count());
        assert!(queues.ghosts.len() <= queues.states.len());
        assert!(queues.ghosts.len() >= queues.is_ghost.len());
        for slot in cached {
            queues.remove(slot);
            queues.remove(slot);
            for queue in [&queues.small, &queues.main] {
                assert!(queue.left_behind * 2 <= queue.entries.len());
                assert_eq!(queue.left_behind, queue.entries.iter().filter(|it| !is_of(&queues.states, **it)).count());
            }
        }
        assert_eq!((queues.small.bytes, queues.main.bytes), (0, 0));
        assert_eq!(queues.evict(u64::from), None);
    }

    /// A key rotation removes all of them at once, within the deadline of a call.
    #[test]
    fn many_slots_are_removed_without_searching_for_each() {
        let slots = if cfg!(miri) { 300 } else { 400_000 };
        let mut queues = S3Fifo::default();
        (0..slots).for_each(|slot| queues.admit(slot, slot.into(), 100));
        let begun = Instant::now();
        (0..slots).rev().for_each(|slot| queues.remove(slot));
        // Searching the queue for each would take minutes.
        assert!(begun.elapsed().as_secs() < 10, "{slots} slots took {:?}", begun.elapsed());
        assert_eq!(queues.small.bytes, 0);
    }

    #[test]
    fn a_slot_that_is_removed_and_used_again_has_one_entry() {
        let mut queues = S3Fifo::default();
        (0..8).for_each(|slot| queues.admit(slot, slot.into(), 100));
        for _ in 0..100 {
            queues.remove(3);
            queues.admit(3, 3, 100);
        }
        assert!(queues.small.entries.len() <= 16, "{} entries of eight slots", queues.small.entries.len());
        assert_eq!(queues.small.bytes, 800);
        let order: Vec<u32> = core::iter::from_fn(|| queues.evict(u64::from)).collect();
        assert_eq!(order, [0, 1, 2, 4, 5, 6, 7, 3]);
    }
}
