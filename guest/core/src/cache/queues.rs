//! Which token is forgotten for a new one: S3-FIFO (Yang, Zhang, Qiu, Yue, Vigfusson: "FIFO Queues are All You Need for Cache
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
pub(super) struct Queues {
    small: VecDeque<u32>,
    main: VecDeque<u32>,
    small_bytes: usize,
    main_bytes: usize,
    states: Vec<State>,
    ghosts: VecDeque<u64>,
    is_ghost: HashSet<u64>,
}

/// Of a slot that is in a queue.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    used: u8,
    bytes: usize,
    is_in_main: bool,
}

impl Queues {
    /// A slot has a new token.
    pub(super) fn admit(&mut self, slot: u32, fingerprint: u64, bytes: usize) {
        let is_in_main = self.is_ghost.remove(&fingerprint);
        if self.states.len() <= slot as usize {
            self.states.resize((slot as usize).saturating_add(1), State::default());
        }
        if let Some(state) = self.states.get_mut(slot as usize) {
            *state = State { used: 0, bytes, is_in_main };
        }
        self.push(slot, bytes, is_in_main);
    }

    /// The token of a slot has come again.
    pub(super) fn used(&mut self, slot: u32) {
        if let Some(state) = self.states.get_mut(slot as usize) {
            state.used = state.used.saturating_add(1).min(ROUNDS);
        }
    }

    /// Takes a slot out.
    pub(super) fn remove(&mut self, slot: u32) {
        let State { bytes, is_in_main, .. } = self.state(slot);
        let queue = if is_in_main { &mut self.main } else { &mut self.small };
        let before = queue.len();
        queue.retain(|other| *other != slot);
        if queue.len() < before {
            let total = if is_in_main { &mut self.main_bytes } else { &mut self.small_bytes };
            *total = total.saturating_sub(bytes);
        }
    }

    /// Takes the slot out that is to be forgotten; `None` if there is none.
    pub(super) fn evict(&mut self, fingerprint: impl Fn(u32) -> u64) -> Option<u32> {
        loop {
            let total = self.small_bytes.saturating_add(self.main_bytes);
            let is_small = self.small_bytes.saturating_mul(SMALL_SHARE) >= total || self.main.is_empty();
            let from_main = !is_small || self.small.is_empty();
            let slot = if from_main { self.main.pop_front() } else { self.small.pop_front() }?;
            let State { used, bytes, .. } = self.state(slot);
            let left = if from_main { &mut self.main_bytes } else { &mut self.small_bytes };
            *left = left.saturating_sub(bytes);
            if used == 0 {
                if !from_main {
                    self.haunt(fingerprint(slot));
                }
                return Some(slot);
            }
            if let Some(state) = self.states.get_mut(slot as usize) {
                // It has earned its place in the main queue, or another round there.
                state.used = if from_main { used.saturating_sub(1) } else { 0 };
                state.is_in_main = true;
            }
            self.push(slot, bytes, true);
        }
    }

    fn push(&mut self, slot: u32, bytes: usize, is_in_main: bool) {
        let (queue, total) = match is_in_main {
            true => (&mut self.main, &mut self.main_bytes),
            false => (&mut self.small, &mut self.small_bytes),
        };
        queue.push_back(slot);
        *total = total.saturating_add(bytes);
    }

    fn state(&self, slot: u32) -> State {
        self.states.get(slot as usize).copied().unwrap_or_default()
    }

    /// Keeps the fingerprint of a token that was forgotten: as many as there are slots.
    fn haunt(&mut self, fingerprint: u64) {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A cache of so many tokens of one size, in which each slot is the token's own number.
    fn present(queues: &mut Queues, limit: usize, tokens: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let mut held: Vec<u32> = queues.small.iter().chain(&queues.main).copied().collect();
        for token in tokens {
            if held.contains(&token) {
                queues.used(token);
                continue;
            }
            while held.len() >= limit {
                let victim = queues.evict(u64::from).expect("there is one");
                held.retain(|other| *other != victim);
            }
            queues.admit(token, token.into(), 1_000);
            held.push(token);
        }
        held
    }

    #[test]
    fn a_scan_pushes_out_no_token_that_comes_often() {
        let mut queues = Queues::default();
        let often = || (0..50).chain(0..50).chain(0..50);
        present(&mut queues, 100, often());
        // Miri takes a thousand times as long for each.
        let once = if cfg!(miri) { 500 } else { 10_000 };
        let held = present(&mut queues, 100, 1_000..1_000 + once);
        let kept = (0..50).filter(|token| held.contains(token)).count();
        assert_eq!(kept, 50, "after {once} that came once");
        assert!(held.len() <= 100);
    }

    #[test]
    fn one_that_comes_back_soon_after_it_was_forgotten_stays_longer() {
        let mut queues = Queues::default();
        present(&mut queues, 10, 0..30);
        assert!(queues.is_ghost.contains(&15), "it was forgotten a while ago");
        present(&mut queues, 10, [15]);
        assert!(queues.main.contains(&15));
    }

    #[test]
    fn its_memory_is_bounded_and_its_sums_are_right() {
        let mut queues = Queues::default();
        let tokens = if cfg!(miri) { 600 } else { 5_000 };
        let held = present(&mut queues, 64, (0..tokens).map(|n| n * 7 % 512));
        assert_eq!(held.len(), queues.small.len() + queues.main.len());
        assert!(queues.ghosts.len() <= queues.states.len());
        assert!(queues.ghosts.len() >= queues.is_ghost.len());
        for slot in held {
            queues.remove(slot);
        }
        assert_eq!((queues.small_bytes, queues.main_bytes), (0, 0));
        assert_eq!(queues.evict(u64::from), None);
    }
}
