//! Montgomery multiplication, independent of how limbs are multiplied.

pub mod limbs;
pub mod montgomery;
