//! `arbitrary` with what its derive macro needs.
//!
//! The crate has that itself, as a feature. But cranelift depends on the crate too: with the feature on in this workspace, it would be
//! built twice, once for the programs and once for the tests.

pub(crate) use ::arbitrary::*;

/// What the macro calls.
pub(crate) mod details {
    use ::arbitrary::{Error, Result, Unstructured};
    use std::{cell::Cell, thread::LocalKey};

    pub(crate) trait IsEmpty {
        fn is_used_up(&self) -> bool;
    }

    impl IsEmpty for Unstructured<'_> {
        fn is_used_up(&self) -> bool {
            self.is_empty()
        }
    }

    impl IsEmpty for &mut Unstructured<'_> {
        fn is_used_up(&self) -> bool {
            self.is_empty()
        }
    }

    /// Draws a value; without bytes, one that holds another of its kind ends there and not in an endless chain of zeros.
    pub(crate) fn with_recursive_count<U: IsEmpty, R>(
        input: U,
        depth: &'static LocalKey<Cell<u32>>,
        draw: impl FnOnce(U) -> Result<R>,
    ) -> Result<R> {
        if !input.is_used_up() {
            return draw(input);
        }
        if depth.get() > 0 {
            return Err(Error::NotEnoughData);
        }
        depth.set(depth.get() + 1);
        let drawn = draw(input);
        depth.set(depth.get() - 1);
        drawn
    }
}
