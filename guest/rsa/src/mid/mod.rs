//! Montgomery multiplication, without a word on how limbs are multiplied.

pub mod limbs;
pub mod montgomery;
