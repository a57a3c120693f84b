//! Limbs and carries: the kernels, and the one that this target uses.

mod columns;
pub mod fused;
pub mod kernel;
pub mod narrow;
pub mod simd;
pub mod wide;

pub use kernel::Kernel;

/// The kernel that is fastest on this target.
#[cfg(any(wide_arithmetic, all(target_pointer_width = "64", not(target_family = "wasm"))))]
pub type Fastest = wide::Wide;
/// The kernel that is fastest on this target.
#[cfg(all(target_family = "wasm", target_feature = "relaxed-simd", not(wide_arithmetic)))]
pub type Fastest = fused::FusedDoubles;
/// The kernel that is fastest on this target.
#[cfg(all(
    target_family = "wasm",
    target_feature = "simd128",
    not(target_feature = "relaxed-simd"),
    not(wide_arithmetic)
))]
pub type Fastest = simd::Simd;
/// The kernel that is fastest on this target.
#[cfg(not(any(
    wide_arithmetic,
    all(target_family = "wasm", target_feature = "simd128"),
    all(target_pointer_width = "64", not(target_family = "wasm")),
)))]
pub type Fastest = narrow::Narrow;
