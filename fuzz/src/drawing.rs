//! The parts of `arbitrary` that its derive macro needs.
//!
//! The crate has them as a feature. But cranelift depends on the crate too, so with the feature enabled in this workspace, cranelift would be
//! built twice: for the programs and for the tests.

pub(crate) use ::arbitrary::*;

/// Called by the macro.
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

    /// Draws a value. Without input, a recursive value ends here instead of in an endless chain of zeros.
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
