//! Which token is forgotten for a new one: S3-FIFO (Yang, Zhang, Qiu, Yue, Vigfusson: "FIFO S3Fifo are All You Need for Cache
//! Eviction", SOSP 2023).
//!
//! A new token enters the small queue, a tenth of the memory. If it does not come again before it reaches the end, it is forgotten, and
//! only its fingerprint is kept for a while: so a scan of tokens that come once pushes out none that come often. One that comes
//! again moves to the main queue, where being used gives it another round.

use alloc::{collections::VecDeque, vec::Vec};
use hashbrown::HashSet;

/// The part of the memory that is for new tokens: one tenth.
const SMALL_SHARE: usize = 10;
/// How many rounds a token can earn.
const ROUNDS: u8 = 3;

#[derive(Debug, Default)]
pub(super) struct S3Fifo {
    small: Queue,
    main: Queue,
    states: Vec<State>,
    ghosts: VecDeque<u64>,
    is_ghost: HashSet<u64>,
}

/// Slots, the oldest first. One that is taken out from the middle leaves its entry behind, so that it costs no walk.
#[derive(Debug, Default)]
struct Queue {
    entries: VecDeque<Entry>,
    /// How many entries are no slot's any more: never more than half of them.
    left_behind: usize,
    bytes: usize,
}

/// A slot's turn in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    slot: u32,
    turn: u64,
}

/// Of a slot.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    used: u8,
    bytes: usize,
    is_in_main: bool,
    /// The turn of its entry. That of an entry left behind is an earlier one.
    turn: u64,
    is_queued: bool,
}

impl S3Fifo {
    /// A slot has a new token.
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

    /// The token of a slot has come again.
    pub(super) fn used(&mut self, slot: u32) {
        if let Some(state) = self.states.get_mut(slot as usize) {
            state.used = state.used.saturating_add(1).min(ROUNDS);
        }
    }

    /// Takes a slot out.
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

    /// Takes the slot out that is to be forgotten; `None` if there is none.
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
            // It has earned its endpoint in the main queue, or another round there.
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

    /// Keeps the fingerprint of a token that was forgotten: as many as there are slots.
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

/// Whether an entry is its slot's still.
fn is_of(states: &[State], entry: Entry) -> bool {
    states.get(entry.slot as usize).is_some_and(|state| state.is_queued && state.turn == entry.turn)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::time::Instant;

    /// The slots of a queue.
    fn slots<'q>(s3_fifo: &'q S3Fifo, queue: &'q Queue) -> impl Iterator<Item = u32> + 'q {
        queue.entries.iter().filter(|entry| is_of(&s3_fifo.states, **entry)).map(|entry| entry.slot)
    }

    /// A cache of so many tokens of one size, in which each slot is the token's own number.
    fn present(s3_fifo: &mut S3Fifo, limit: usize, tokens: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let mut held: Vec<u32> = slots(s3_fifo, &s3_fifo.small).chain(slots(s3_fifo, &s3_fifo.main)).collect();
        for token in tokens {
            if held.contains(&token) {
                s3_fifo.used(token);
                continue;
            }
            while held.len() >= limit {
                let victim = s3_fifo.evict(u64::from).expect("there is one");
                held.retain(|other| *other != victim);
            }
            s3_fifo.admit(token, token.into(), 1_000);
            held.push(token);
        }
        held
    }

    #[test]
    fn a_scan_pushes_out_no_token_that_comes_often() {
        let mut s3_fifo = S3Fifo::default();
        let often = || (0..50).chain(0..50).chain(0..50);
        present(&mut s3_fifo, 100, often());
        // Miri takes a thousand times as long for each.
        let once = if cfg!(miri) { 500 } else { 10_000 };
        let held = present(&mut s3_fifo, 100, 1_000..1_000 + once);
        let kept = (0..50).filter(|token| held.contains(token)).count();
        assert_eq!(kept, 50, "after {once} that came once");
        assert!(held.len() <= 100);
    }

    #[test]
    fn one_that_comes_back_soon_after_it_was_forgotten_stays_longer() {
        let mut s3_fifo = S3Fifo::default();
        present(&mut s3_fifo, 10, 0..30);
        assert!(s3_fifo.is_ghost.contains(&15), "it was forgotten a while ago");
        present(&mut s3_fifo, 10, [15]);
        assert!(slots(&s3_fifo, &s3_fifo.main).any(|slot| slot == 15));
    }

    #[test]
    fn its_memory_is_bounded_and_its_sums_are_right() {
        let mut s3_fifo = S3Fifo::default();
        let tokens = if cfg!(miri) { 600 } else { 5_000 };
        let held = present(&mut s3_fifo, 64, (0..tokens).map(|n| n * 7 % 512));
        assert_eq!(held.len(), slots(&s3_fifo, &s3_fifo.small).count() + slots(&s3_fifo, &s3_fifo.main).count());
        assert!(s3_fifo.ghosts.len() <= s3_fifo.states.len());
        assert!(s3_fifo.ghosts.len() >= s3_fifo.is_ghost.len());
        for slot in held {
            s3_fifo.remove(slot);
            s3_fifo.remove(slot);
            for queue in [&s3_fifo.small, &s3_fifo.main] {
                assert!(queue.left_behind * 2 <= queue.entries.len());
                assert_eq!(queue.left_behind, queue.entries.iter().filter(|it| !is_of(&s3_fifo.states, **it)).count());
            }
        }
        assert_eq!((s3_fifo.small.bytes, s3_fifo.main.bytes), (0, 0));
        assert_eq!(s3_fifo.evict(u64::from), None);
    }

    /// A rotation forgets them all at once, within the deadline of a call.
    #[test]
    fn many_slots_are_taken_out_without_a_walk_for_each() {
        let slots = if cfg!(miri) { 300 } else { 400_000 };
        let mut s3_fifo = S3Fifo::default();
        (0..slots).for_each(|slot| s3_fifo.admit(slot, slot.into(), 100));
        let begun = Instant::now();
        (0..slots).rev().for_each(|slot| s3_fifo.remove(slot));
        // A walk for each takes minutes.
        assert!(begun.elapsed().as_secs() < 10, "{slots} slots took {:?}", begun.elapsed());
        assert_eq!(s3_fifo.small.bytes, 0);
    }

    #[test]
    fn a_slot_that_is_taken_out_and_used_again_has_one_turn() {
        let mut s3_fifo = S3Fifo::default();
        (0..8).for_each(|slot| s3_fifo.admit(slot, slot.into(), 100));
        for _ in 0..100 {
            s3_fifo.remove(3);
            s3_fifo.admit(3, 3, 100);
        }
        assert!(s3_fifo.small.entries.len() <= 16, "{} entries of eight slots", s3_fifo.small.entries.len());
        assert_eq!(s3_fifo.small.bytes, 800);
        let order: Vec<u32> = core::iter::from_fn(|| s3_fifo.evict(u64::from)).collect();
        assert_eq!(order, [0, 1, 2, 4, 5, 6, 7, 3]);
    }
}
